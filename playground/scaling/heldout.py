"""How well a law foretells: fitted to the smallest runs, held against the largest."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.scaling.laws import Law
from playground.scaling.minimise import minimise
from playground.scaling.points import Points

SHARE = 0.2
SAME = 1 - 1e-9
"""Budgets closer than this are one: their runs are held out together or not at all."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOut:
    """What was foretold. rows are those of the points held out; error is the mean of |log predicted - log measured|.

    bias is the mean of log predicted - log measured: above 0 where the law foretells too much loss. by is the column
    whose largest values were held out, and from_value the smallest of them.
    """

    rows: tuple[int, ...]
    names: tuple[str, ...]
    by: str
    from_value: float
    measured: Float[np.ndarray, " held"]
    predicted: Float[np.ndarray, " held"]

    @property
    def error(self) -> float:
        """0.01 is one percent off."""
        return float(np.abs(np.log(self.predicted / self.measured)).mean())

    @property
    def bias(self) -> float:
        """The error with its sign."""
        return float(np.log(self.predicted / self.measured).mean())


def hold_out(law: Law, points: Points, share: float = SHARE, *, held: dict[int, float] | None = None) -> HeldOut | None:
    """Fit to all but the largest runs and foretell those; None where too few would be left to fit to.

    held are numbers of theta that are known (`minimise`).

    The largest are those of most FLOPs, or of most of the one thing that the law is a function of.
    """
    by = law.form.columns[0] if len(law.form.columns) == 1 else "flops"
    sizes = getattr(points, by)
    order = np.argsort(sizes, kind="stable")
    cut = len(points) - max(1, round(share * len(points)))
    while cut > 0 and sizes[order[cut - 1]] >= SAME * sizes[order[cut]]:
        cut -= 1
    if cut < law.fewest_points:
        return None
    largest = order[cut:]
    predicted = law.predict_points(_parameters(law, points.take(order[:cut]), held), points.take(largest))
    return HeldOut(
        rows=tuple(int(row) for row in largest),
        names=tuple(points.name(int(row)) for row in largest),
        by=by,
        from_value=float(sizes[largest[0]]),
        measured=points.loss[largest],
        predicted=predicted,
    )


def _parameters(law: Law, points: Points, held: dict[int, float] | None) -> dict[str, float]:
    form = law.form
    logs, log_losses = points.logs(form.columns), np.log(points.loss)
    centre = form.centre(logs)
    logs = logs - centre[:, None]
    theta = minimise(form, logs, log_losses, form.starts(logs, log_losses), held).theta
    return form.published(form.moved(theta, -centre))
