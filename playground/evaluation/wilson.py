"""Wilson's interval of a share: where all rows are right, it still leaves room for the error that was not drawn."""

import math

Z = 1.959963984540054
"""Of 95 %, two-sided."""


def wilson(right: int, rows: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927).

    >>> [round(edge, 4) for edge in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    share, square = right / rows, Z**2
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    reach = Z / (1 + square / rows) * math.sqrt(share * (1 - share) / rows + square / (4 * rows**2))
    return max(0.0, middle - reach), min(1.0, middle + reach)
