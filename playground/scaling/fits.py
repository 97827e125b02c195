"""Fit a law to points: all of its parameters, or a published law's without its exponents."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from playground.errors import UserError
from playground.scaling.diagnostics import Diagnostic, HeldOut, diagnose, hold_out
from playground.scaling.forms.form import Parameters
from playground.scaling.laws import LAWS, SYMBOLS, Law, law
from playground.scaling.minimise import CentredPoints, minimise
from playground.scaling.points import Points
from playground.text import _

STARTS = 32
REACHED = 1e-4
"""How far above the best objective, relative to it, a restart may end to have reached it."""
ZERO_OBJECTIVE = 1e-10
"""Objectives below this are equally 0: points that lie on a law without noise."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """A law fitted to points."""

    law: str
    parameters: Parameters
    objective: float
    """The sum of Huber losses at these parameters."""
    objectives: tuple[float, ...]
    """Where each restart ended."""
    points: Points
    heldout: HeldOut | None
    """How well the largest runs are predicted from the others; None where there are too few points."""
    diagnostics: tuple[Diagnostic, ...]
    """The parameters that the points do not identify."""
    floor: float | None = None
    """The known entropy at which E was fixed; None where E was fitted."""

    @property
    def starts(self) -> int:
        """The number of restarts."""
        return len(self.objectives)

    @property
    def reached(self) -> int:
        """The number of restarts that ended at the best objective, up to one part in ten thousand."""
        return sum(end <= self.objective * (1 + REACHED) + ZERO_OBJECTIVE for end in self.objectives)

    @property
    def heldout_error(self) -> float | None:
        """The mean of |log predicted - log measured| of the largest runs, predicted from the others."""
        return self.heldout.error if self.heldout else None

    @property
    def unidentified(self) -> tuple[str, ...]:
        """Names of the parameters that the points do not identify."""
        return tuple(dict.fromkeys(diagnostic.parameter for diagnostic in self.diagnostics))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person who reads the fit has to know, in sentences."""
        few = _("Too few points to hold some out: how well this fit extrapolates is unknown.")
        stuck = _("Only one restart reached the best objective; a better one may have been missed.")
        return (
            *dict.fromkeys(diagnostic.message for diagnostic in self.diagnostics),
            *((few,) if self.heldout is None else ()),
            *((stuck,) if self.reached == 1 < self.starts else ()),
        )

    def predict(
        self,
        *,
        params: ArrayLike | None = None,
        tokens: ArrayLike | None = None,
        flops: ArrayLike | None = None,
        unique: ArrayLike | None = None,
    ) -> Float[np.ndarray, "*point"]:
        """The loss by this fit (`Law.predict`)."""
        return LAWS[self.law].predict(self.parameters, params=params, tokens=tokens, flops=flops, unique=unique)

    def residuals(self) -> Float[np.ndarray, " point"]:
        """log measured - log predicted of each point."""
        return np.asarray(np.log(self.points.loss / LAWS[self.law].predict_points(self.parameters, self.points)))


def fit(name: str, points: Points, *, starts: int = STARTS, floor: float | None = None) -> Fit:
    """Fit the law of this name; a floor, the known entropy of the data, fixes E there.

    Raises UserError for too few points, an unknown law, and a floor that is not below every loss.
    """
    chosen = law(name)
    check_enough_points(chosen, points)
    fixed = fixed_offset(chosen, points, floor)
    centred = CentredPoints.of(chosen.form, points)
    begin = centred.starts()
    if not 1 <= starts <= len(begin):
        raise UserError(
            "A fit cannot begin from {starts} starts; choose 1 to {n_begin}.", starts=starts, n_begin=len(begin)
        )
    minimum = minimise(centred, begin[:starts], fixed)
    return Fit(
        law=name,
        parameters=centred.to_parameters(minimum.theta),
        objective=minimum.objective,
        objectives=minimum.objectives,
        points=points,
        heldout=hold_out(chosen, points, fixed=fixed),
        diagnostics=diagnose(centred, minimum, is_offset_known=floor is not None),
        floor=floor,
    )


def fixed_offset(chosen: Law, points: Points, floor: float | None) -> dict[int, float]:
    """Theta's first entry, log E, where a floor is known, as `minimise` takes it.

    Raises UserError for a law without E, and for a floor that is not between 0 and the smallest loss.
    """
    if floor is None:
        return {}
    if chosen.form.parameters[0] != "E":
        raise UserError("{name} has no E that could be fixed at a floor; leave the floor out.", name=chosen.name)
    if not 0 < floor < points.loss.min():
        raise UserError(
            "A floor of {floor:g} is not between 0 and the smallest loss, {min:.6g}.",
            floor=floor,
            min=points.loss.min(),
        )
    return {0: math.log(floor)}


def check_enough_points(chosen: Law, points: Points) -> None:
    """Raise UserError where a law does not have fewer parameters than there are points."""
    if len(points) < chosen.fewest_points:
        raise UserError(
            "{name} has {n_fitted} parameters to fit; bring at least {fewest_points} points instead of {n_points}.",
            name=chosen.name,
            n_fitted=chosen.form.n_fitted,
            fewest_points=chosen.fewest_points,
            n_points=len(points),
        )


def fit_chinchilla(points: Points, *, starts: int = STARTS) -> Fit:
    """L = E + A / N^alpha + B / D^beta (Hoffmann et al. 2022, approach 3; method of Besiroglu et al. 2024)."""
    return fit("chinchilla", points, starts=starts)


def fit_power_law(
    points: Points,
    *,
    of: Literal["params", "tokens", "flops"] = "flops",
    offset: bool = False,
    starts: int = STARTS,
) -> Fit:
    """L = A / N^alpha (Kaplan et al. 2020), or with an offset E + A / N^alpha; in tokens or FLOPs likewise."""
    if of not in SYMBOLS:
        raise UserError("A power law is fitted in params, tokens or flops, not in {of!r}.", of=of)
    return fit(f"power-{SYMBOLS[of][0]}" + ("-offset" if offset else ""), points, starts=starts)


PUBLISHED_EXPONENTS = ("alpha", "beta", "gamma", "alpha_N", "alpha_D", "eta")


def fit_to_exponents(name: str, published: Parameters, points: Points) -> Parameters:
    """Fit a law whose exponents stay as published: how a paper's law is overlaid on points of another corpus.

    Losses of different corpora and tokenizers do not compare, and neither do E, A, B, N_c or D_c, which carry their
    units. Exponents have no unit: they say how steeply the loss falls. Raises UserError for an unknown law.
    """
    form = law(name).form
    centred = CentredPoints.of(form, points)
    fixed = {
        index: published[parameter]
        for index, parameter in enumerate(form.parameters)
        if parameter in PUBLISHED_EXPONENTS
    }
    starts = centred.starts()
    for index, value in fixed.items():
        starts[:, index] = value
    # Starts that differed in their exponents alone are now the same.
    return centred.to_parameters(minimise(centred, np.unique(starts, axis=0), fixed).theta)
