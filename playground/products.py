"""Products with weights: oneDNN multiplies large matrices up to a tenth faster than what torch takes on a CPU."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

LARGE = 128 * 128
"""Weights from which on the faster product outweighs the longer way to it."""


def linear(inputs: int, outputs: int, *, bias: bool) -> nn.Linear:
    """A linear layer, by oneDNN where it is large and this torch has oneDNN."""
    large = inputs * outputs >= LARGE and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return LargeLinear(inputs, outputs, bias=bias) if large else nn.Linear(inputs, outputs, bias=bias)


class LargeLinear(nn.Linear):
    """The same numbers as nn.Linear's, up to rounding; on other devices and in other dtypes it is nn.Linear.

    So it is without gradients: oneDNN prepares itself anew for every number of rows, which takes a millisecond and
    which only training repeats often enough.
    """

    def forward(self, x: Float[Tensor, "*rows inputs"]) -> Float[Tensor, "*rows outputs"]:
        plain = x.device.type == "cpu" and x.dtype == self.weight.dtype == torch.float32
        if not (plain and torch.is_grad_enabled()):
            return super().forward(x)
        product: Tensor = _Product.apply(x, self.weight, self.bias)  # type: ignore[no-untyped-call]
        return product


def _multiply(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x times the transposed weight, plus the bias."""
    product: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return product


class _Product(torch.autograd.Function):
    """torch knows no gradient of oneDNN's product."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _multiply(x, weight, bias)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        for_x, for_weight, for_bias = ctx.needs_input_grad
        rows = gradient.flatten(0, -2)
        return (
            _multiply(gradient, weight.T) if for_x else None,
            # Here oneDNN is the slower of the two.
            rows.T @ x.flatten(0, -2) if for_weight else None,
            rows.sum(0) if for_bias else None,
        )
