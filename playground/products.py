"""Linear layers for the CPU: oneDNN multiplies large matrices up to a tenth faster than torch's default."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

LARGE = 128 * 128
"""Number of weights from which the faster product outweighs its overhead."""


def linear(inputs: int, outputs: int, *, bias: bool) -> nn.Linear:
    """A linear layer; computed by oneDNN if it is large and this torch has oneDNN."""
    large = inputs * outputs >= LARGE and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return LargeLinear(inputs, outputs, bias=bias) if large else nn.Linear(inputs, outputs, bias=bias)


class LargeLinear(nn.Linear):
    """nn.Linear by oneDNN: the same output up to rounding.

    On other devices, in other dtypes and without gradients it is nn.Linear: oneDNN prepares each new number of rows
    for a millisecond, which pays off only in training, where they repeat.
    """

    def forward(self, x: Float[Tensor, "*rows inputs"]) -> Float[Tensor, "*rows outputs"]:
        plain = x.device.type == "cpu" and x.dtype == self.weight.dtype == torch.float32
        if not (plain and torch.is_grad_enabled()):
            return super().forward(x)
        product: Tensor = _Product.apply(x, self.weight, self.bias)  # type: ignore[no-untyped-call]
        return product


def _multiply(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x Wᵀ + b."""
    product: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return product


class _Product(torch.autograd.Function):
    """oneDNN's product with its gradient, which torch does not have."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _multiply(x, weight, bias)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        for_x, for_weight, for_bias = ctx.needs_input_grad
        by_row = gradient.flatten(0, -2)
        return (
            _multiply(gradient, weight.T) if for_x else None,
            # Here oneDNN is the slower of the two.
            by_row.T @ x.flatten(0, -2) if for_weight else None,
            by_row.sum(0) if for_bias else None,
        )
