"""Several queries or keys of a map taken together: their weights summed or averaged."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from playground.errors import UserError

Gather = Literal["sum", "mean"]


@dataclass(frozen=True, kw_only=True)
class ChosenTokens:
    """Rows or columns of a map, and how their weights are put together."""

    axis: Literal["query", "key"]
    cells: tuple[int, ...]
    """Rows of the map for queries, columns for keys."""
    gather: Gather

    def __post_init__(self) -> None:
        if not self.cells:
            raise UserError("No token is chosen; choose at least one.")

    def gathered(self, weights: Float[np.ndarray, "query key"]) -> Float[np.ndarray, "other"]:
        """For each key what the chosen queries attend to it, or for each query what it attends to the chosen keys.

        A key that a query cannot see has a weight of 0, so that the mean over queries still sums to 1.
        Raises UserError for a row or column that the map does not have.
        """
        along = 0 if self.axis == "query" else 1
        if not 0 <= min(self.cells) <= max(self.cells) < weights.shape[along]:
            raise UserError(
                "There is no token {cell}; choose 0 to {last}.", cell=max(self.cells), last=weights.shape[along] - 1
            )
        taken = weights.take(self.cells, axis=along)
        return np.asarray(taken.sum(along) if self.gather == "sum" else taken.mean(along))
