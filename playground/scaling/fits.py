"""Fit a law to points: from many starts, with what there is to doubt about it."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from playground.errors import UserError
from playground.scaling.diagnostics import Doubt, HeldOut, doubts, hold_out
from playground.scaling.forms.form import Parameters
from playground.scaling.laws import LAWS, SYMBOLS, Law, law
from playground.scaling.minimise import minimise
from playground.scaling.points import Points

STARTS = 32
REACHED = 1e-4
"""How far above the best, relative to it, a start may have ended to have reached it."""
NOTHING = 1e-10
"""Objectives below this are equally 0: points that lie on a law without noise."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """A law at its best numbers. objective is the sum of Huber losses there, objectives that of each start's end.

    heldout is None where there are too few points. doubts name the numbers that the points do not tell. floor is the
    lowest possible loss at which E was held, None where E was fitted.
    """

    law: str
    parameters: Parameters
    objective: float
    objectives: tuple[float, ...]
    points: Points
    heldout: HeldOut | None
    doubts: tuple[Doubt, ...]
    floor: float | None = None

    @property
    def starts(self) -> int:
        """How many starts there were."""
        return len(self.objectives)

    @property
    def reached(self) -> int:
        """How many of them ended at the best objective, up to one part in ten thousand."""
        return sum(end <= self.objective * (1 + REACHED) + NOTHING for end in self.objectives)

    @property
    def heldout_error(self) -> float | None:
        """The mean of |log predicted - log measured| of the largest runs, foretold from the others."""
        return self.heldout.error if self.heldout else None

    @property
    def unidentified(self) -> tuple[str, ...]:
        """Names of numbers that are not to be headlined."""
        return tuple(doubt.parameter for doubt in self.doubts)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for the person who reads the fit."""
        few = "Too few points to hold some out: nothing is known of how well this foretells larger runs."
        stuck = "Only one start reached the best objective; a better one may have been missed."
        return (
            *(doubt.sentence for doubt in self.doubts),
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
        """Log measured minus log predicted of each point."""
        return np.asarray(np.log(self.points.loss / LAWS[self.law].predict_points(self.parameters, self.points)))


def fit(name: str, points: Points, *, starts: int = STARTS, floor: float | None = None) -> Fit:
    """The law of this name at its best numbers; with a floor E is held there, the lowest possible loss where one knows.

    Raises UserError for too few points, an unknown law, and a floor that is none.
    """
    chosen = law(name)
    refuse_few(chosen, points)
    held = held_at(chosen, points, floor)
    form = chosen.form
    logs, log_losses = points.logs(form.columns), np.log(points.loss)
    centre = form.centre(logs)
    logs = logs - centre[:, None]
    begin = form.starts(logs, log_losses)
    if not 1 <= starts <= len(begin):
        raise UserError(
            "A fit cannot begin from {starts} starts; choose 1 to {n_begin}.", starts=starts, n_begin=len(begin)
        )
    found = minimise(form, logs, log_losses, begin[:starts], held)
    return Fit(
        law=name,
        parameters=form.published(form.moved(found.theta, -centre)),
        objective=found.objective,
        objectives=found.objectives,
        points=points,
        heldout=hold_out(chosen, points, held=held),
        doubts=doubts(form, found.theta, found.objective, logs, log_losses, holds_offset=floor is not None),
        floor=floor,
    )


def held_at(chosen: Law, points: Points, floor: float | None) -> dict[int, float]:
    """Where a known floor holds theta's first number, E. Raises UserError for a law without E, and for no floor."""
    if floor is None:
        return {}
    if chosen.form.parameters[0] != "E":
        raise UserError("{name} has no E that could be held at a floor; leave the floor out.", name=chosen.name)
    if not 0 < floor < points.loss.min():
        raise UserError(
            "A floor of {floor:g} is not between 0 and the smallest loss, {min:.6g}.",
            floor=floor,
            min=points.loss.min(),
        )
    return {0: math.log(floor)}


def refuse_few(chosen: Law, points: Points) -> None:
    """Raise UserError where a law has more numbers than there are points, or as many."""
    if len(points) < chosen.fewest_points:
        raise UserError(
            "{name} has {freedom} numbers to fit; bring at least {fewest_points} points instead of {n_points}.",
            name=chosen.name,
            freedom=chosen.form.freedom,
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
