"""Wilson's interval of a share: where all rows are right, it still leaves room for the error that was not drawn."""

import math

from playground.evaluation.resampling import Spread

Z = 1.959963984540054
"""Of 95%, two-sided."""


def wilson(right: int, rows: int) -> tuple[float, float]:
    """The 95% interval of a share (Wilson 1927); of no rows nothing is known.

    >>> [round(edge, 4) for edge in wilson(8, 10)]
    [0.4902, 0.9433]
    >>> wilson(0, 0)
    (0.0, 1.0)
    """
    if not rows:
        return 0.0, 1.0
    share, square = right / rows, Z**2
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    reach = Z / (1 + square / rows) * math.sqrt(share * (1 - share) / rows + square / (4 * rows**2))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def share_spread(right: int, rows: int) -> Spread:
    """A share of independent rows with Wilson's interval; 0 of no rows.

    >>> share_spread(12, 12).low > 0.75
    True
    """
    low, high = wilson(right, rows)
    return Spread(value=right / max(1, rows), low=low, high=high, n=rows)
