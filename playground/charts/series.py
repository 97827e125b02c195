"""Curves over training steps: smooth them, decimate them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from playground.errors import UserError

POINTS = 500
"""Points of a live curve: more would be sent and not be seen."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """A named curve: a value at each step. None and NaN leave a gap."""

    name: str
    steps: Sequence[float]
    values: Sequence[float | None]
    click: str = ""
    """What a click on the curve does, as a live chart takes it: open `train?run=…`, or show a sentence after `say:`."""

    @property
    def clicks(self) -> list[list[str]] | None:
        """The same for each point, as plotly's customdata; None where a click does nothing."""
        return [[self.click]] * len(self.steps) if self.click else None

    def __post_init__(self) -> None:
        if len(self.steps) != len(self.values):
            raise UserError(
                "The curve “{name}” has {n_steps} steps and {n_values} values; give one value per step.",
                name=self.name,
                n_steps=len(self.steps),
                n_values=len(self.values),
            )


def smooth(values: Sequence[float], weight: float = 0.95) -> Float[np.ndarray, "step"]:
    """Bias-corrected exponential moving average; NaN is skipped.

    m_t = w m_(t-1) + (1 - w) x_t, divided by 1 - w^t (Kingma & Ba 2015, section 3).
    Raises UserError for a weight outside [0, 1).

    >>> smooth([4.0, 4.0, 4.0], 0.9).round(6).tolist()
    [4.0, 4.0, 4.0]
    """
    if not 0 <= weight < 1:
        raise UserError("The smoothing weight must be at least 0 and below 1, not {weight}.", weight=weight)
    mean, mass = 0.0, 0.0
    smoothed = np.full(len(values), np.nan)
    for index, value in enumerate(values):
        if np.isfinite(value):
            mean = weight * mean + (1 - weight) * value
            mass = weight * mass + (1 - weight)
        if mass > 0:
            smoothed[index] = mean / mass
    return smoothed


def decimate(series: Series, points: int = POINTS) -> Series:
    """At most `points` points: the first, the last, and the lowest and highest of each stretch between.

    Raises UserError for fewer than four points.
    """
    if points < 4:
        raise UserError("A curve needs at least 4 points, not {points}.", points=points)
    count = len(series.steps)
    if count <= points:
        return series
    values = np.asarray(series.values, dtype=np.float64)  # None becomes NaN
    edges = np.linspace(1, count - 1, (points - 2) // 2 + 1).astype(int)
    kept = {0, count - 1}
    for start, end in pairwise(edges.tolist()):
        stretch = values[start:end]
        if np.isfinite(stretch).any():
            kept |= {int(start + np.nanargmin(stretch)), int(start + np.nanargmax(stretch))}
        else:
            kept.add(int(start))
    order = sorted(kept)
    return replace(series, steps=[series.steps[i] for i in order], values=[series.values[i] for i in order])
