"""RMS norm with a fused gradient for the CPU."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

EPSILON = 1e-5
"""Added to the mean square, so that no norm divides by zero."""


class RMSNorm(nn.RMSNorm):
    """Divide by the root mean square, and scale. Zhang and Sennrich 2019, equation 4.

    On a CPU torch's own takes more passes over memory, which costs a small model some percent of a training step. Other
    dtypes are left to torch, which computes them in float32.
    """

    def forward(self, x: Float[Tensor, "... width"]) -> Float[Tensor, "... width"]:
        if x.device.type != "cpu" or x.dtype != torch.float32:
            return super().forward(x)
        normed: Tensor = _Norm.apply(x, self.weight)  # type: ignore[no-untyped-call]
        return normed


class _Norm(torch.autograd.Function):
    """With r = 1 / root mean square, u = r x and y = w u: dx = r (w dy - u mean(w dy u)), dw = sum(dy u)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        square = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_()
        inverse = square.div_(x.shape[-1]).add_(EPSILON).rsqrt_()
        unit = x * inverse
        ctx.save_for_backward(unit, inverse, weight)
        normed: Tensor = unit * weight
        return normed

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        unit, inverse, weight = ctx.saved_tensors
        for_x, for_weight = ctx.needs_input_grad
        products = gradient * unit
        for_unit = torch.addcmul(gradient * weight, unit, (products @ weight)[..., None], value=-1 / len(weight))
        return (
            for_unit.mul_(inverse) if for_x else None,
            products.flatten(0, -2).sum(0) if for_weight else None,
        )
