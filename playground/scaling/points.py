"""Measured losses: what a law is fitted to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from playground.errors import UserError

FLOPS_PER_PARAMETER_AND_TOKEN = 6
"""Two for the forward pass, four for the backward pass. Kaplan et al. 2020, section 2.1."""
COLUMNS = ("params", "tokens", "flops", "unique")
"""What a law can be a function of; unique are the distinct tokens among those that were trained on."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """Runs: parameters, tokens trained on and loss at the end, each an array in float64 of one number for each run.

    flops where none are given: 6 x params x tokens. unique where none are given: all tokens. names and seeds are
    empty or one for each run. Raises UserError for numbers that no logarithm takes, and for lengths that differ.
    """

    params: Float[np.ndarray, " point"]
    tokens: Float[np.ndarray, " point"]
    loss: Float[np.ndarray, " point"]
    flops: Float[np.ndarray, " point"] = None  # type: ignore[assignment]  # filled in below
    unique: Float[np.ndarray, " point"] = None  # type: ignore[assignment]  # filled in below
    names: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("params", "tokens", "loss"):
            self._keep(name, getattr(self, name))
        given = self.flops
        self._keep("flops", FLOPS_PER_PARAMETER_AND_TOKEN * self.params * self.tokens if given is None else given)
        self._keep("unique", self.tokens if self.unique is None else self.unique)
        for name in ("names", "seeds"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
            if len(getattr(self, name)) not in (0, len(self)):
                raise UserError(
                    "There are {n_getattr} {name} for {n_self} points; give one for each.",
                    n_getattr=len(getattr(self, name)),
                    name=name,
                    n_self=len(self),
                )

    def _keep(self, name: str, values: Any) -> None:
        array = np.array(values, dtype=np.float64)
        if array.ndim != 1 or len(array) != np.size(self.params):
            raise UserError(
                "{name} has {size} numbers for {size_2} points; give one for each.",
                name=name,
                size=array.size,
                size_2=np.size(self.params),
            )
        if not (np.isfinite(array) & (array > 0)).all():
            raise UserError("{name} has a number that is not above 0; leave such points out.", name=name)
        array.setflags(write=False)
        object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.params)

    def take(self, rows: "Sequence[int] | np.ndarray") -> "Points":
        """These points alone, in this order."""
        rows = np.asarray(rows, dtype=int)
        arrays = {name: getattr(self, name)[rows] for name in ("params", "tokens", "loss", "flops", "unique")}
        labels = {
            name: tuple(getattr(self, name)[row] for row in rows) for name in ("names", "seeds") if getattr(self, name)
        }
        return Points(**arrays, **labels)  # type: ignore[arg-type]  # the labels are names or seeds

    def name(self, row: int) -> str:
        """The name of a point, or its number from 1."""
        return self.names[row] if self.names else f"point {row + 1}"

    def logs(self, columns: Sequence[str]) -> Float[np.ndarray, "column point"]:
        """The logarithms of some columns."""
        return np.asarray(np.log(np.stack([getattr(self, column) for column in columns])))
