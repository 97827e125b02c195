"""How sudden a curve is: its change within the steepest tenth of the axis, and its midpoint. Needs no torch."""

from collections.abc import Sequence

import numpy as np

WINDOW = 0.1
"""Width of the moving window, as a share of the axis."""


def steepest_share(x_values: Sequence[float], values: Sequence[float], window: float = WINDOW) -> float:
    """Largest change within any `window` of the x axis, as a share of the curve's range.

    A straight line changes by a tenth of its range in a tenth of its axis, a step by all of it. Linear interpolation
    between the points; x_values must increase. 0 for a constant curve and for fewer than two points.

    >>> steepest_share([0, 1], [0, 5]), steepest_share([0, 4, 6, 10], [0, 0, 1, 1], window=0.2)
    (0.1, 1.0)
    """
    known = [(at, value) for at, value in zip(x_values, values, strict=True) if np.isfinite(value)]
    if len(known) < 2:
        return 0.0
    x, y = np.array(known, dtype=np.float64).T
    span, width = float(y.max() - y.min()), window * float(x[-1] - x[0])
    if span == 0:
        return 0.0
    # The change over a moving window is piecewise linear in its start: it is largest where one end meets a point.
    starts = np.clip(np.concatenate([x, x - width]), x[0], x[-1] - width)
    change = np.abs(np.interp(starts + width, x, y) - np.interp(starts, x, y))
    return round(float(change.max() / span), 12)


def midpoint(x_values: Sequence[float], values: Sequence[float]) -> float | None:
    """First x at which a curve is halfway from its first value to its last; None where the two are equal.

    Linear interpolation between the points. Spikes after the midpoint do not move it.

    >>> midpoint([0, 10, 20], [0, 1, 1]), midpoint([0, 10, 20], [4, 3, 0])
    (5.0, 13.333333333333334)
    """
    known = [(at, value) for at, value in zip(x_values, values, strict=True) if np.isfinite(value)]
    if len(known) < 2 or known[0][1] == known[-1][1]:
        return None
    x, y = np.array(known, dtype=np.float64).T
    share = (y - y[0]) / (y[-1] - y[0])
    after = int(np.argmax(share >= 0.5))
    return float(np.interp(0.5, share[after - 1 : after + 1], x[after - 1 : after + 1]))
