"""A classifier on parts of its table: one row for each value of a column, with intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.errors import UserError
from playground.evaluation.confusion import Confusion, accuracies, average_score, confusion, resampled_confusions
from playground.evaluation.resampling import RESAMPLES, Spread, bootstrap_spread

MOST_SLICES = 30
CountsScore = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class SliceScores:
    """The rows that share a value."""

    value: str
    accuracy: Spread
    macro_f1: Spread


def confusion_spread(counted: Confusion, score: CountsScore, n_resamples: int = RESAMPLES) -> Spread:
    """A score of a confusion matrix with its bootstrap interval."""
    value = float(np.asarray(score(counted.counts[None]))[0])
    return bootstrap_spread(value, score(resampled_confusions(counted, n_resamples)), counted.n)


def macro_f1_scores(counts: np.ndarray) -> Float[np.ndarray, "*resample"]:
    """Macro F1 of one matrix or of many."""
    return average_score(counts, "f1", "macro")


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
        rows.append(
            SliceScores(
                value=str(values[value]),
                accuracy=confusion_spread(counted, accuracies),
                macro_f1=confusion_spread(counted, macro_f1_scores),
            )
        )
    return rows
