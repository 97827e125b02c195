"""A matrix with a low-rank change: W + scale · B A, in the layout in which its layer holds it."""

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn


def sides_of(layer: nn.Module) -> tuple[int, int]:
    """Outputs and inputs of a linear layer; GPT-2's Conv1D holds its matrix transposed."""
    weight: Any = layer.weight
    return (weight.shape[1], weight.shape[0]) if is_transposed(layer) else (weight.shape[0], weight.shape[1])


def is_transposed(layer: nn.Module) -> bool:
    """Whether the layer holds its matrix as inputs x outputs."""
    return type(layer).__name__ == "Conv1D"


def is_linear(layer: nn.Module) -> bool:
    """Whether a layer is a product with one matrix."""
    return isinstance(layer, nn.Linear) or is_transposed(layer)


def with_low_rank(
    layer: nn.Module,
    a: Float[Tensor, "rank inputs"],
    b: Float[Tensor, "outputs rank"],
    scale: float,
) -> Float[Tensor, "row column"]:
    """W + scale · B A as the layer holds it: the layer says whether transposed, since a square matrix does not show."""
    weight: Any = layer.weight
    change = scale * (b @ a)
    changed: Tensor = weight + (change.T if is_transposed(layer) else change).to(weight.dtype)
    return changed
