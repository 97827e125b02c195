"""The drift of all weights within layers as a table: a row for each layer, a column for each part."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.finetuning.weight_drift import ModelDrift, WeightDrift


@dataclass(frozen=True, kw_only=True, eq=False)
class DriftTable:
    """Relative drift by layer and part; NaN where a layer has no such part."""

    rows: tuple[str, ...]
    """The layers; with their stack where there are two."""
    columns: tuple[str, ...]
    """The parts, in the order in which they stand in a layer."""
    values: Float[np.ndarray, "row column"]
    weights: tuple[tuple[WeightDrift | None, ...], ...]
    """The weight of each cell."""


def drift_table(drift: ModelDrift, *, matrices: bool = True) -> DriftTable:
    """Matrices, or vectors (biases, norms), of all layers; what stands outside the layers is left out.

    What is infinite (everything was 0 before) is NaN here.
    """
    inside = [weight for weight in drift.weights if weight.layer is not None and weight.is_matrix == matrices]
    places = list(dict.fromkeys((weight.stack, weight.layer) for weight in inside))
    parts = list(dict.fromkeys(weight.part for weight in inside))
    by_cell = {(weight.stack, weight.layer, weight.part): weight for weight in inside}
    weights = tuple(tuple(by_cell.get((*place, part)) for part in parts) for place in places)
    values = np.array([[np.nan if cell is None else cell.relative for cell in row] for row in weights])
    is_single = len({stack for stack, _layer in places}) < 2
    return DriftTable(
        rows=tuple(str(layer) if is_single else f"{stack} {layer}" for stack, layer in places),
        columns=tuple(parts),
        values=np.where(np.isfinite(values), values, np.nan).reshape(len(places), len(parts)),
        weights=weights,
    )
