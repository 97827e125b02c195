"""The confusion matrix of a classifier, and every score that is counted from it; equal to scikit-learn's.

A class that was never predicted has no precision, one that never occurs no recall: both count as 0 there
(scikit-learn's zero_division=0), and so does their F1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from playground.errors import UserError
from playground.text import _

Average = Literal["micro", "macro", "weighted"]
AVERAGES: tuple[Average, ...] = ("micro", "macro", "weighted")
ScoreName = Literal["precision", "recall", "f1"]
SCORE_NAMES: tuple[ScoreName, ...] = ("precision", "recall", "f1")
MOST_LABELS = 100
Counts = Int[np.ndarray, "*resample true predicted"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Confusion:
    """How often each true label was predicted as each label."""

    labels: tuple[str, ...]
    """In alphabetical order; all that occur, true or predicted."""
    counts: Int[np.ndarray, "true predicted"]

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.counts.sum())

    @property
    def accuracy(self) -> float:
        """Share of rows on the diagonal."""
        return float(np.trace(self.counts) / self.n)

    @property
    def support(self) -> Int[np.ndarray, "label"]:
        """Rows of each true label."""
        rows: np.ndarray = self.counts.sum(1)
        return rows


def confusion(true: Sequence[str], predicted: Sequence[str]) -> Confusion:
    """Count a table of labels.

    Raises UserError without rows, for different numbers of them, and for more labels than anybody can read.

    >>> counted = confusion(["ham", "spam", "spam"], ["ham", "ham", "spam"])
    >>> counted.labels, counted.counts.tolist()
    (('ham', 'spam'), [[1, 0], [1, 1]])
    """
    if not len(true) or len(true) != len(predicted):
        raise UserError(
            "There are {n_predicted} predictions for {n_true} labels; give one for each.",
            n_predicted=len(predicted),
            n_true=len(true),
        )
    labels = tuple(sorted({*true, *predicted}))
    if len(labels) > MOST_LABELS:
        raise UserError(
            "The column of labels has {count:,} different values; a classifier of more than {most} is not shown. "
            "Is it the right column?",
            count=len(labels),
            most=MOST_LABELS,
        )
    codes = {label: code for code, label in enumerate(labels)}
    cells = np.array([codes[label] for label in true]) * len(labels) + np.array([codes[label] for label in predicted])
    counts = np.bincount(cells, minlength=len(labels) ** 2).reshape(len(labels), len(labels))
    return Confusion(labels=labels, counts=counts)


def spelling_note(true: Sequence[str], predicted: Sequence[str]) -> str:
    """A sentence where no prediction is any label, as 1.0 is not 1; empty otherwise."""
    if not set(true).isdisjoint(predicted):
        return ""
    return _("No prediction is one of the labels: look whether both are spelled alike.")


def label_scores(counts: Counts) -> dict[ScoreName, Float[np.ndarray, "*resample label"]]:
    """Precision, recall and F1 of each label, of one matrix or of many resampled ones.

    precision = TP / predicted, recall = TP / true, F1 = 2 TP / (predicted + true); 0 where nothing can be divided.
    """
    hits = np.diagonal(counts, axis1=-2, axis2=-1).astype(float)
    true, predicted = counts.sum(-1), counts.sum(-2)
    return {
        "precision": hits / np.maximum(predicted, 1),
        "recall": hits / np.maximum(true, 1),
        "f1": 2 * hits / np.maximum(predicted + true, 1),
    }


def average_score(counts: Counts, name: ScoreName, average: Average) -> Float[np.ndarray, "*resample"]:
    """One number for all labels.

    macro: the mean over labels that occur; weighted: over rows; micro: all rows pooled, which is the accuracy where
    each row has one label.
    """
    return accuracies(counts) if average == "micro" else average_labels(label_scores(counts)[name], counts, average)


def average_labels(
    scores: Float[np.ndarray, "*resample label"], counts: Counts, average: Literal["macro", "weighted"]
) -> Float[np.ndarray, "*resample"]:
    """The mean of labels' scores that were counted from these matrices."""
    true, predicted = counts.sum(-1), counts.sum(-2)
    weights = (true + predicted > 0).astype(float) if average == "macro" else true.astype(float)
    means: np.ndarray = (scores * weights).sum(-1) / weights.sum(-1)
    return means


def accuracies(counts: Counts) -> Float[np.ndarray, "*resample"]:
    """Share of rows on the diagonal, of one matrix or of many."""
    shares: np.ndarray = np.trace(counts, axis1=-2, axis2=-1) / counts.sum((-2, -1))
    return shares


def resampled_confusions(counted: Confusion, n_resamples: int, seed: int = 0) -> Counts:
    """Bootstrap resamples of the rows, as matrices: to draw rows with replacement is to draw cells by their share."""
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(counted.n, (counted.counts / counted.n).ravel(), size=n_resamples)
    return drawn.reshape(n_resamples, *counted.counts.shape)
