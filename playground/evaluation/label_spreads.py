"""Every score of a confusion matrix with its interval.

Accuracy, recall and precision are shares of rows that do not depend on each other, of all, of those with the label and
of those predicted so: Wilson's interval. F1 and the averages over labels are no shares: bootstrap, all from one set of
resamples. The micro average is the accuracy.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from playground.evaluation.confusion import (
    SCORE_NAMES,
    Average,
    Confusion,
    ScoreName,
    average_labels,
    label_scores,
    resampled_confusions,
)
from playground.evaluation.resampling import RESAMPLES, Spread, bootstrap_spread
from playground.evaluation.wilson import share_spread


@dataclass(frozen=True, kw_only=True)
class LabelSpreads:
    """Of the whole table, and of each label in the matrix' order."""

    accuracy: Spread
    averages: dict[Average, dict[ScoreName, Spread]]
    labels: dict[ScoreName, tuple[Spread, ...]]

    @property
    def macro_f1(self) -> Spread:
        """The mean of all labels' F1."""
        return self.averages["macro"]["f1"]


def label_spreads(counted: Confusion, n_resamples: int = RESAMPLES, seed: int = 0) -> LabelSpreads:
    """The interval of each score; where all 12 rows are right, accuracy may still be 0.76, and F1's has no width.

    >>> from playground.evaluation.confusion import confusion
    >>> found = label_spreads(confusion("aaabbbaaabbb", "aaabbbaaabbb"))
    >>> round(found.accuracy.low, 2), found.macro_f1.low
    (0.76, 1.0)
    """
    drawn = resampled_confusions(counted, n_resamples, seed)
    own, resampled = label_scores(counted.counts), label_scores(drawn)
    hits, columns, rows = np.diagonal(counted.counts), counted.counts.sum(0), counted.counts.sum(1)
    accuracy = share_spread(int(hits.sum()), counted.n)

    def averaged(name: ScoreName, average: Literal["macro", "weighted"]) -> Spread:
        value = float(average_labels(own[name], counted.counts, average))
        return bootstrap_spread(value, average_labels(resampled[name], drawn, average), counted.n)

    return LabelSpreads(
        accuracy=accuracy,
        averages={
            "micro": dict.fromkeys(SCORE_NAMES, accuracy),
            "macro": {name: averaged(name, "macro") for name in SCORE_NAMES},
            "weighted": {name: averaged(name, "weighted") for name in SCORE_NAMES},
        },
        labels={
            "precision": tuple(map(share_spread, hits.tolist(), columns.tolist())),
            "recall": tuple(map(share_spread, hits.tolist(), rows.tolist())),
            "f1": tuple(
                bootstrap_spread(float(value), drawn_values, counted.n)
                for value, drawn_values in zip(own["f1"], resampled["f1"].T, strict=True)
            ),
        },
    )
