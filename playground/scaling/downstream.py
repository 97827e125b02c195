"""From loss to task: error = epsilon - k exp(-gamma L), Gadre et al. 2024, equation 5.

For a given gamma the law is linear in epsilon and k, so gamma alone is searched. Where the tokens of an answer are
right independently of one another, each with probability exp(-L), an answer of n tokens is wrong with probability
1 - exp(-n L): epsilon and k are 1 there, and gamma is n.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from playground.errors import UserError
from playground.progress import OnProgress, no_progress
from playground.scaling.bootstrap import LEAST_RUNS, LEVEL, percentile_interval
from playground.scaling.diagnostics import Diagnostic
from playground.text import N_

GAMMAS = np.geomspace(0.02, 50.0, 120)
"""Searched first, per nat."""
REFINEMENTS = 3
FEWEST = 5
"""Checkpoints: two more than the law has parameters."""
RESAMPLES = 200
FEWEST_LOSSES = 3
CLOSE = 0.01
"""A gamma as near as this to an end of its range, relative to it, is at that end."""
HELD_RUNS = 0.2
"""The share of the runs, those of the largest models, that a check leaves out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TaskPoints:
    """Checkpoints with their loss and the share of a task that they get wrong.

    Raises UserError for a loss that is not finite, an error outside of 0 to 1, and lengths that differ.
    """

    loss: Float[np.ndarray, " point"]
    """Held-out, in nats per token."""
    error: Float[np.ndarray, " point"]
    """1 less the share that is right."""
    runs: tuple[str, ...]
    """Whose checkpoint each is: those of one run are resampled together."""
    params: Float[np.ndarray, " point"]
    tokens: float = 1.0
    """How many tokens have to be right together, in the mean."""

    def __post_init__(self) -> None:
        for name in ("loss", "error", "params"):
            object.__setattr__(self, name, np.array(getattr(self, name), dtype=np.float64))
        if not (len(self.loss) == len(self.error) == len(self.runs) == len(self.params)):
            raise UserError("Losses, errors, runs and parameters have to be equally many.")
        if not (np.isfinite(self.loss).all() and ((self.error >= 0) & (self.error <= 1)).all()):
            raise UserError("Each checkpoint needs a finite loss and a share right between 0 and 1.")

    def __len__(self) -> int:
        return len(self.loss)

    def take(self, indices: Sequence[int] | np.ndarray) -> "TaskPoints":
        """These checkpoints alone."""
        chosen = np.asarray(indices, dtype=int)
        runs = tuple(self.runs[index] for index in chosen)
        return TaskPoints(
            loss=self.loss[chosen], error=self.error[chosen], runs=runs, params=self.params[chosen], tokens=self.tokens
        )


@dataclass(frozen=True, kw_only=True)
class Downstream:
    """The law from loss to error."""

    epsilon: float
    """The error at a high loss."""
    k: float
    gamma: float
    """Per nat: how fast a lower loss becomes a lower error."""

    def predict(self, loss: ArrayLike) -> Float[np.ndarray, "*point"]:
        """The error at this loss.

        >>> float(Downstream(epsilon=1.0, k=1.0, gamma=4.0).predict(0.0))
        0.0
        """
        return np.asarray(self.epsilon - self.k * np.exp(-self.gamma * np.asarray(loss, dtype=np.float64)))


@dataclass(frozen=True, kw_only=True, eq=False)
class DownstreamFit:
    """The law fitted to checkpoints, with what is known of its precision."""

    law: Downstream
    points: TaskPoints
    rmse: float
    """Of the errors, between 0 and 1."""
    heldout: float | None
    """The mean absolute error for the largest models' runs, predicted from the others; None for fewer than 5 runs."""
    resamples: tuple[Downstream, ...]
    """By whole runs; empty for fewer than five, whose resamples would be far too alike."""
    diagnostics: tuple[Diagnostic, ...]
    """The parameters that the checkpoints do not identify."""

    def intervals(self, level: float = LEVEL) -> dict[str, tuple[float, float]]:
        """Each parameter's percentile interval; empty without resamples."""
        if not self.resamples:
            return {}
        values = np.array([[law.epsilon, law.k, law.gamma] for law in self.resamples])
        low, high = percentile_interval(values, level)
        return {name: (float(a), float(b)) for name, a, b in zip(("epsilon", "k", "gamma"), low, high, strict=True)}

    def band(
        self, loss: ArrayLike, level: float = LEVEL
    ) -> tuple[Float[np.ndarray, "*point"], Float[np.ndarray, "*point"]] | None:
        """The confidence band of the curve; None without resamples."""
        if not self.resamples:
            return None
        return percentile_interval(np.stack([law.predict(loss) for law in self.resamples]), level)


def fit_downstream(
    points: TaskPoints, *, n_resamples: int = RESAMPLES, seed: int = 0, on_progress: OnProgress = no_progress
) -> DownstreamFit:
    """Fit the law by least squares and resample whole runs. Raises UserError for fewer than five checkpoints."""
    if len(points) < FEWEST:
        raise UserError(
            "From {count} checkpoints no curve can be told; bring at least {fewest}.", count=len(points), fewest=FEWEST
        )
    law = least_squares(points)
    residuals = points.error - law.predict(points.loss)
    return DownstreamFit(
        law=law,
        points=points,
        rmse=float(np.sqrt(np.mean(residuals**2))),
        heldout=_hold_out(points),
        resamples=_resample(points, n_resamples, seed, on_progress),
        diagnostics=_diagnose(points, law),
    )


def _diagnose(points: TaskPoints, law: Downstream) -> tuple[Diagnostic, ...]:
    """What the checkpoints do not tell: a bend needs three losses, a gamma a slope, and its range has two ends."""
    count = len(np.unique(points.loss.round(6)))
    if count < FEWEST_LOSSES:
        few = N_("There are only {count} different losses, too few to tell how the error falls with them.")
        return _untold(few, ("epsilon", "k", "gamma"), count=count)
    if law.k == 0:
        flat = N_("The share right does not rise as the loss falls: k is 0, and gamma says nothing.")
        return _untold(flat, ("gamma",))
    if law.gamma < GAMMAS[0] * (1 + CLOSE):
        straight = N_("The best gamma is {gamma:.3g}, the least that is tried: the error falls in a straight line.")
        return _untold(straight, ("epsilon", "k", "gamma"), gamma=law.gamma)
    if law.gamma > GAMMAS[-1] / (1 + CLOSE):
        step = N_("The best gamma is {gamma:.3g}, the largest that is tried: the error falls in one step.")
        return _untold(step, ("k", "gamma"), gamma=law.gamma)
    return ()


def _untold(template: str, parameters: Sequence[str], **values: float) -> tuple[Diagnostic, ...]:
    return tuple(Diagnostic(parameter=parameter, template=template, values=values) for parameter in parameters)


def least_squares(points: TaskPoints) -> Downstream:
    """The law of the least sum of squares, with 0 <= epsilon <= 1 and k >= 0."""
    grid = GAMMAS
    for _step in range(REFINEMENTS + 1):
        squares, epsilons, ks = _solve(points, grid)
        best = int(np.argmin(squares))
        law = Downstream(epsilon=float(epsilons[best]), k=float(ks[best]), gamma=float(grid[best]))
        grid = np.geomspace(grid[max(0, best - 1)], grid[min(len(grid) - 1, best + 1)], 40)
    return law


def _solve(
    points: TaskPoints, gammas: Float[np.ndarray, " gamma"]
) -> tuple[Float[np.ndarray, " gamma"], Float[np.ndarray, " gamma"], Float[np.ndarray, " gamma"]]:
    """For each gamma the sum of squares, epsilon and k, clipped to their bounds one after the other."""
    # The smallest loss has a basis of 1, so that none underflows.
    lowest = points.loss.min()
    basis = np.exp(-gammas[:, None] * (points.loss - lowest))  # [gamma, point]
    error = points.error
    mean, middle = basis.mean(1), float(error.mean())
    spread = ((basis - mean[:, None]) ** 2).sum(1)
    slope = -((basis - mean[:, None]) * (error - middle)).sum(1) / np.where(spread > 0, spread, np.inf)
    slope = np.maximum(slope, 0.0)
    epsilon = middle + slope * mean
    too_high = epsilon > 1
    bound = ((1 - error) * basis).sum(1) / (basis**2).sum(1)
    slope, epsilon = np.where(too_high, bound, slope), np.where(too_high, 1.0, epsilon)
    squares = ((error - epsilon[:, None] + slope[:, None] * basis) ** 2).sum(1)
    return squares, epsilon, slope * np.exp(gammas * lowest)


def _runs_by_size(points: TaskPoints) -> list[str]:
    sizes = dict(zip(points.runs, points.params.tolist(), strict=True))
    return sorted(sizes, key=lambda run: (sizes[run], run))


def _hold_out(points: TaskPoints) -> float | None:
    """Predict the largest models' checkpoints from the smaller ones'."""
    runs = _runs_by_size(points)
    if len(runs) < LEAST_RUNS:
        return None
    held = set(runs[-max(1, round(HELD_RUNS * len(runs))) :])
    is_held = np.array([run in held for run in points.runs])
    law = least_squares(points.take(np.flatnonzero(~is_held)))
    return float(np.mean(np.abs(points.error[is_held] - law.predict(points.loss[is_held]))))


def _resample(points: TaskPoints, count: int, seed: int, on_progress: OnProgress) -> tuple[Downstream, ...]:
    runs = _runs_by_size(points)
    if len(runs) < LEAST_RUNS:
        return ()
    members = {run: [index for index, other in enumerate(points.runs) if other == run] for run in runs}
    laws = []
    for number in range(count):
        chosen = np.random.default_rng([seed, number]).choice(runs, len(runs))
        laws.append(least_squares(points.take([index for run in chosen for index in members[str(run)]])))
        on_progress(number + 1, count)
    return tuple(laws)
