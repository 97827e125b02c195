"""How much of a curve's change happens at once, and when half of it has. Needs no torch."""

from collections.abc import Sequence

import numpy as np

WINDOW = 0.1


def steepest_share(places: Sequence[float], values: Sequence[float], window: float = WINDOW) -> float:
    """The share of a curve's range that is crossed within the steepest `window` of its axis, from about window to 1.

    A straight line crosses a tenth of its range in a tenth of its axis, a step all of it. The curve is read between
    its points; places have to rise. 0 for a curve that does not change, or of fewer than two points.

    >>> steepest_share([0, 1], [0, 5]), steepest_share([0, 4, 6, 10], [0, 0, 1, 1], window=0.2)
    (0.1, 1.0)
    """
    known = [(place, value) for place, value in zip(places, values, strict=True) if np.isfinite(value)]
    if len(known) < 2:
        return 0.0
    x, y = np.array(known, dtype=np.float64).T
    span, width = float(y.max() - y.min()), window * float(x[-1] - x[0])
    if span == 0:
        return 0.0
    # The change over a moving window is piecewise linear in its place: it is largest where one end meets a point.
    starts = np.clip(np.concatenate([x, x - width]), x[0], x[-1] - width)
    change = np.abs(np.interp(starts + width, x, y) - np.interp(starts, x, y))
    return round(float(change.max() / span), 12)


def halfway(places: Sequence[float], values: Sequence[float]) -> float | None:
    """The first place where a curve has come half of the way from its first value to its last; None if it stays.

    Read between its points. What a curve does after that, such as a spike, changes nothing.

    >>> halfway([0, 10, 20], [0, 1, 1]), halfway([0, 10, 20], [4, 3, 0])
    (5.0, 13.333333333333334)
    """
    known = [(place, value) for place, value in zip(places, values, strict=True) if np.isfinite(value)]
    if len(known) < 2 or known[0][1] == known[-1][1]:
        return None
    x, y = np.array(known, dtype=np.float64).T
    share = (y - y[0]) / (y[-1] - y[0])
    after = int(np.argmax(share >= 0.5))
    return float(np.interp(0.5, share[after - 1 : after + 1], x[after - 1 : after + 1]))
