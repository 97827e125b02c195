"""A norm as it is applied to rows, and as the linear map that it is for one of them."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground.lens.capture.norm_step import NormStep, norm_of
from playground.lens.tolerances import NORM_RELATIVE, tolerance


@dataclass(frozen=True, kw_only=True, eq=False)
class NormMap:
    """(x - mean) / √(variance + ε) · weight + bias; a root mean square without mean."""

    step: NormStep
    """Of the first row."""

    def __call__(self, rows: Float[Tensor, "row width"]) -> Float[Tensor, "row width"]:
        """The rows, normed."""
        centred = self._centred(rows)
        root = (centred.square().mean(-1, keepdim=True) + self.step.epsilon).sqrt()
        normed = centred / root * torch.from_numpy(self.step.weight)
        return normed if self.step.bias is None else normed + torch.from_numpy(self.step.bias)

    def at(self, values: Float[np.ndarray, "width"]) -> NormStep:
        """How it norms one vector."""
        mean = float(values.mean()) if self.step.kind == "layer" else 0.0
        root = float(np.sqrt(np.square(values - mean).mean() + self.step.epsilon))
        return replace(self.step, mean=mean, root=root)

    def frozen(self, parts: Float[Tensor, "part width"], total: Float[Tensor, "width"]) -> Float[Tensor, "part width"]:
        """What becomes of parts whose sum is normed: all divided by the sum's own root. The bias is no part's."""
        root = (self._centred(total).square().mean() + self.step.epsilon).sqrt()
        return self._centred(parts) / root * torch.from_numpy(self.step.weight)

    def slope(self, directions: Float[Tensor, "direction width"], at: Float[Tensor, "width"]) -> Tensor:
        """What one unit of each direction changes in the normed numbers; the root changes with it."""
        centred, moved = self._centred(at), self._centred(directions)
        square = centred.square().mean() + self.step.epsilon
        # d(c / r) = dc / r - c · mean(c · dc) / r³: what points along the row itself only lengthens it.
        along = (moved @ centred / len(at))[:, None] * centred / square
        return (moved - along) / square.sqrt() * torch.from_numpy(self.step.weight)

    def _centred(self, rows: Tensor) -> Tensor:
        return rows - rows.mean(-1, keepdim=True) if self.step.kind == "layer" else rows


def find_norm_map(module: nn.Module, received: Tensor | None, output: Tensor, dtype: torch.dtype) -> NormMap | None:
    """The module's norm, if it is one and made the output; None otherwise."""
    if received is None or received.shape != output.shape or received.ndim != 2 or not len(received):
        return None
    step = norm_of(module, received[0], output[0], max(NORM_RELATIVE, tolerance("vector", dtype)))
    return None if step is None else NormMap(step=step)


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearMap:
    """x ↦ weight @ x + bias, computed in float32 on the CPU; the matrix stays where and as the model keeps it."""

    weight: Float[Tensor, "out width"]
    bias: Float[Tensor, "out"] | None = None

    def __call__(self, rows: Float[Tensor, "row width"]) -> Float[Tensor, "row out"]:
        """The rows, each times the matrix."""
        product = rows @ self.matrix.T
        return product if self.bias is None else product + self.bias.float().cpu()

    @property
    def matrix(self) -> Float[Tensor, "out width"]:
        """The matrix in float32 on the CPU."""
        return self.weight.float().cpu()

    def rows(self, part: slice) -> "LinearMap":
        """Some rows of the matrix, with their biases."""
        return LinearMap(weight=self.weight[part], bias=None if self.bias is None else self.bias[part])
