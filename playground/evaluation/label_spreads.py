"""Every score of a confusion matrix with its bootstrap interval, from one set of resamples."""

from dataclasses import dataclass

from playground.evaluation.confusion import (
    SCORE_NAMES,
    Confusion,
    ScoreName,
    accuracies,
    average_score,
    label_scores,
    resampled_confusions,
)
from playground.evaluation.resampling import RESAMPLES, Spread, bootstrap_spread


@dataclass(frozen=True, kw_only=True)
class LabelSpreads:
    """Of the whole table, and of each label in the matrix' order."""

    accuracy: Spread
    macro_f1: Spread
    labels: dict[ScoreName, tuple[Spread, ...]]


def label_spreads(counted: Confusion, n_resamples: int = RESAMPLES, seed: int = 0) -> LabelSpreads:
    """Resample the rows once, and score every resample in every way.

    >>> from playground.evaluation.confusion import confusion
    >>> label_spreads(confusion("aab", "aab")).accuracy
    Spread(value=1.0, low=1.0, high=1.0, n=3)
    """
    drawn, n = resampled_confusions(counted, n_resamples, seed), counted.n
    own, resampled = label_scores(counted.counts), label_scores(drawn)
    return LabelSpreads(
        accuracy=bootstrap_spread(counted.accuracy, accuracies(drawn), n),
        macro_f1=bootstrap_spread(
            float(average_score(counted.counts, "f1", "macro")), average_score(drawn, "f1", "macro"), n
        ),
        labels={
            name: tuple(
                bootstrap_spread(float(own[name][label]), resampled[name][:, label], n)
                for label in range(len(counted.labels))
            )
            for name in SCORE_NAMES
        },
    )
