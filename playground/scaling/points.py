"""Measured losses, to which a law is fitted, and a check of their units."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from playground.errors import UserError
from playground.text import N_, _

FLOPS_PER_PARAMETER_AND_TOKEN = 6
"""Two for the forward pass, four for the backward pass. Kaplan et al. 2020, section 2.1."""
ARRAYS = ("params", "tokens", "loss", "flops", "unique")


@dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """Finished runs, one entry for each in every array, in float64.

    Raises UserError for a number that is not finite and above 0, and for lengths that differ.
    """

    params: Float[np.ndarray, " point"]
    """Parameters N, counted in whatever way; exponents depend on the way."""
    tokens: Float[np.ndarray, " point"]
    """Tokens D trained on, repeated ones included."""
    loss: Float[np.ndarray, " point"]
    """Held-out loss at the end, in nats per token."""
    flops: Float[np.ndarray, " point"] = None  # type: ignore[assignment]  # filled in below
    """Training compute C; 6 N D where it is not given."""
    unique: Float[np.ndarray, " point"] = None  # type: ignore[assignment]  # filled in below
    """Distinct tokens among those trained on; all of them where it is not given."""
    names: tuple[str, ...] = ()
    """Empty, or a name for each run."""
    seeds: tuple[int, ...] = ()
    """Empty, or a seed for each run."""

    def __post_init__(self) -> None:
        for name in ("params", "tokens", "loss"):
            self._freeze(name, getattr(self, name))
        flops = FLOPS_PER_PARAMETER_AND_TOKEN * self.params * self.tokens if self.flops is None else self.flops
        self._freeze("flops", flops)
        self._freeze("unique", self.tokens if self.unique is None else self.unique)
        for name in ("names", "seeds"):
            labels = tuple(getattr(self, name))
            object.__setattr__(self, name, labels)
            if len(labels) not in (0, len(self)):
                raise UserError(
                    "There are {n_labels} {name} for {n_points} points; give one for each.",
                    n_labels=len(labels),
                    name=name,
                    n_points=len(self),
                )

    def _freeze(self, name: str, values: Any) -> None:
        array = np.array(values, dtype=np.float64)
        if array.ndim != 1 or len(array) != np.size(self.params):
            raise UserError(
                "{name} has {n_values} numbers for {n_points} points; give one for each.",
                name=name,
                n_values=array.size,
                n_points=np.size(self.params),
            )
        if not (np.isfinite(array) & (array > 0)).all():
            raise UserError("{name} has a number that is not above 0; leave such points out.", name=name)
        array.setflags(write=False)
        object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.params)

    def take(self, indices: "Sequence[int] | np.ndarray") -> "Points":
        """These points alone, in this order."""
        indices = np.asarray(indices, dtype=int)
        arrays = {name: getattr(self, name)[indices] for name in ARRAYS}
        labels = {
            name: tuple(getattr(self, name)[index] for index in indices)
            for name in ("names", "seeds")
            if getattr(self, name)
        }
        return Points(**arrays, **labels)  # type: ignore[arg-type]  # the labels are names or seeds

    def name(self, index: int) -> str:
        """The name of a point, or its number from 1."""
        return self.names[index] if self.names else f"point {index + 1}"

    @property
    def fingerprint(self) -> str:
        """Identifies the points in caches."""
        arrays = b"".join(getattr(self, name).tobytes() for name in ("params", "tokens", "loss", "flops", "unique"))
        return hashlib.sha256(arrays + repr((self.names, self.seeds)).encode()).hexdigest()[:16]

    def logs(self, columns: Sequence[str]) -> Float[np.ndarray, "column point"]:
        """The logarithms of some arrays."""
        return np.asarray(np.log(np.stack([getattr(self, column) for column in columns])))


FEWEST_PARAMETERS = 1e3
FEWEST_TOKENS = 1e4
MOST_PARAMETERS = 1e14
MOST_TOKENS = 1e17
"""A hundred times what anybody trained or wrote, and more: a unit was counted twice."""
LARGEST_LOSS = 15.0
"""Above the logarithm of any vocabulary, in nats."""
FLOPS_TOLERANCE = 4.0
"""How far given FLOPs may be from 6 N D, as a factor: embeddings and attention are counted or not."""
FEW_PARAMETERS = N_(
    "Half of the models have fewer than {median:,.4g} parameters. If params are in millions or billions, write them "
    "out: exponents stay the same, coefficients do not."
)
FEW_TOKENS = N_(
    "Half of the runs saw fewer than {median:,.4g} tokens. If tokens are in millions or billions, write them out: "
    "exponents stay the same, coefficients do not."
)
MANY_PARAMETERS = N_(
    "Half of the models have more than {median:.4g} parameters. If the numbers were written out, take the unit from "
    "their heading."
)
MANY_TOKENS = N_(
    "Half of the runs saw more than {median:.4g} tokens. If the numbers were written out, take the unit from their "
    "heading."
)
HIGH_LOSSES = N_("Half of the losses are above {median:.4g}. If they are perplexities, write their logarithms.")
STRANGE_FLOPS = N_("The compute is {median:.3g} times 6 x params x tokens. Look at the units of all three.")


def check_units(points: Points, *, has_flops: bool) -> tuple[str, ...]:
    """A warning for each column whose median suggests another unit."""
    params, tokens, loss = np.median(points.params), np.median(points.tokens), np.median(points.loss)
    ratio = np.median(points.flops / (FLOPS_PER_PARAMETER_AND_TOKEN * points.params * points.tokens))
    checks = (
        (params < FEWEST_PARAMETERS, FEW_PARAMETERS, params),
        (tokens < FEWEST_TOKENS, FEW_TOKENS, tokens),
        (params > MOST_PARAMETERS, MANY_PARAMETERS, params),
        (tokens > MOST_TOKENS, MANY_TOKENS, tokens),
        (loss > LARGEST_LOSS, HIGH_LOSSES, loss),
        (has_flops and not 1 / FLOPS_TOLERANCE < ratio < FLOPS_TOLERANCE, STRANGE_FLOPS, ratio),
    )
    return tuple(_(template).format(median=median) for is_strange, template, median in checks if is_strange)
