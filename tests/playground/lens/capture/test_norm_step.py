"""A norm is found by what it makes, and its parts give the numbers again."""

import numpy as np
import pytest
import torch
from torch import nn

from playground.lens.capture.norm_step import find_norm

RESIDUAL = torch.tensor([1.0, -2.0, 3.0, 6.0])


class LessOne(nn.Module):
    """A root-mean-square norm whose weights are kept less one, as Gemma's."""

    def __init__(self) -> None:
        super().__init__()
        self.eps = 1e-6
        self.weight = nn.Parameter(torch.tensor([0.5, -0.5, 0.0, 1.0]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * (1 + self.weight)


def layer_norm() -> nn.Module:
    norm = nn.LayerNorm(4, eps=1e-3)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    return norm


@pytest.mark.parametrize(
    ("norm", "kind"),
    [
        (layer_norm(), "layer"),
        (nn.LayerNorm(4, bias=False), "layer"),
        (nn.RMSNorm(4), "root mean square"),
        (LessOne(), "root mean square"),
    ],
)
@torch.no_grad()
def test_the_parts_give_the_normed_numbers_again(norm, kind):
    normed = norm(RESIDUAL)
    other = nn.LayerNorm(4)
    nn.init.constant_(other.weight, 7.0)
    step = find_norm(nn.ModuleList([other, nn.Linear(4, 4), norm]), RESIDUAL, normed)
    assert step is not None
    assert step.kind == kind
    again = (RESIDUAL.numpy() - step.mean) / step.root * step.weight + (0 if step.bias is None else step.bias)
    np.testing.assert_allclose(again, normed.numpy(), atol=1e-5)


def test_by_hand():
    norm = nn.LayerNorm(4, eps=0.0)
    with torch.no_grad():
        step = find_norm(norm, RESIDUAL, norm(RESIDUAL))
    assert step is not None
    assert step.mean == pytest.approx(2.0)
    assert step.root == pytest.approx(8.5**0.5)


def test_no_norm_is_found_where_none_makes_the_numbers():
    assert find_norm(nn.LayerNorm(4), RESIDUAL, RESIDUAL) is None
    assert find_norm(nn.Linear(4, 4), RESIDUAL, RESIDUAL) is None
