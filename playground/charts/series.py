"""Curves over training steps: smooth them, decimate them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
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
        if math.isfinite(value):
            mean = weight * mean + (1 - weight) * value
            mass = weight * mass + (1 - weight)
        if mass > 0:
            smoothed[index] = mean / mass
    return smoothed


def decimate(values: Float[np.ndarray, "step"], points: int = POINTS) -> list[int]:
    """Which of a curve's points to draw: the first, the last, and the lowest and highest of each stretch between.

    Raises UserError for fewer than four points.
    """
    if points < 4:
        raise UserError("A curve needs at least 4 points, not {points}.", points=points)
    count = len(values)
    if count <= points:
        return list(range(count))
    edges = np.linspace(1, count - 1, (points - 2) // 2 + 1).astype(int)
    kept, finite = {0, count - 1}, np.isfinite(values)
    for start, end in pairwise(edges.tolist()):
        stretch = values[start:end]
        if finite[start:end].all():
            kept |= {start + int(stretch.argmin()), start + int(stretch.argmax())}
        elif finite[start:end].any():
            kept |= {start + int(np.nanargmin(stretch)), start + int(np.nanargmax(stretch))}
        else:
            kept.add(start)
    return sorted(kept)
