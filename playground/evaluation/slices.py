"""A classifier on parts of its table: one row for each value of a column, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playground.errors import UserError
from playground.evaluation.confusion import confusion
from playground.evaluation.label_spreads import label_spreads
from playground.evaluation.resampling import Spread

MOST_SLICES = 30


@dataclass(frozen=True, kw_only=True)
class SliceScores:
    """The rows that share a value."""

    value: str
    accuracy: Spread
    macro_f1: Spread


def slice_scores(true: Sequence[str], predicted: Sequence[str], column: Sequence[str]) -> list[SliceScores]:
    """The scores of each value of the column, the most frequent first.

    Raises UserError for a column with more values than can be read: choose one that names groups.

    >>> [(row.value, row.accuracy.value) for row in slice_scores("aab", "abb", ["x", "y", "y"])]
    [('y', 0.5), ('x', 1.0)]
    """
    values, places, counts = np.unique(np.array(column, dtype=object), return_inverse=True, return_counts=True)
    if len(values) > MOST_SLICES:
        raise UserError(
            "The column has {count:,} different values; slices are shown of up to {most}. Choose a column of groups.",
            count=len(values),
            most=MOST_SLICES,
        )
    rows = []
    for value in np.argsort(-counts, kind="stable"):
        members = np.flatnonzero(places == value).tolist()
        counted = confusion([true[row] for row in members], [predicted[row] for row in members])
        spreads = label_spreads(counted)
        rows.append(SliceScores(value=str(values[value]), accuracy=spreads.accuracy, macro_f1=spreads.macro_f1))
    return rows
