"""Accuracy over the number of labels, pre-trained and from scratch: what transfer learning saves in labels."""

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np

from playground.errors import UserError
from playground.evaluation.resampling import Spread
from playground.evaluation.wilson import Z, wilson
from playground.finetuning.held_out_scores import TFIDF, baseline_predictions
from playground.lens.several_texts import interval
from playground.progress import OnProgress, no_progress
from playground.tasks.finetune.rows import SplitRows, rows_report

Start = Literal["pretrained", "scratch"]
COUNTS = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
QUESTION = 200
"""The number of labels at which the two are compared in a sentence."""


@dataclass(frozen=True, kw_only=True)
class LabelPoint:
    """One training run and its held-out accuracy."""

    start: Start
    labels: int
    """Labelled texts that it trained on."""
    seed: int
    right: int
    """Held-out rows with the right answer."""
    rows: int
    """Held-out rows."""

    def __post_init__(self) -> None:
        if self.labels < 1 or not 0 <= self.right <= self.rows or not self.rows:
            raise UserError(
                "{right} of {rows} rows right after {labels} labels is no measurement.",
                right=self.right,
                rows=self.rows,
                labels=self.labels,
            )

    @property
    def accuracy(self) -> float:
        """Share of held-out rows."""
        return self.right / self.rows


@dataclass(frozen=True, kw_only=True)
class LabelMean:
    """All seeds of one start and one number of labels."""

    start: Start
    labels: int
    accuracy: Spread
    """Mean over seeds. Several seeds: Student's t interval over them, within 0 and 1, which no accuracy leaves; one:
    Wilson's over the held-out rows, n is 1."""


def label_counts(total: int) -> tuple[int, ...]:
    """How many labels to train on, up to all there are.

    >>> label_counts(700), label_counts(30)
    ((50, 100, 200, 500, 700), (30,))
    """
    return (*(count for count in COUNTS if count < total), total)


def label_means(points: Sequence[LabelPoint]) -> list[LabelMean]:
    """A mean for each start and number of labels, in this order."""

    def key(point: LabelPoint) -> tuple[Start, int]:
        return point.start, point.labels

    means = []
    for (start, labels), group in groupby(sorted(points, key=key), key):
        means.append(LabelMean(start=start, labels=labels, accuracy=_spread(list(group))))
    return means


@dataclass(frozen=True, kw_only=True)
class LabelBaselines:
    """What needs no transformer, on the same texts."""

    tfidf: tuple[tuple[int, float], ...]
    """Number of labels, and held-out accuracy of TF-IDF with logistic regression; empty for texts without words."""
    majority: float
    """Held-out share of the label that is most frequent in the largest training part."""


def label_baselines(splits: Sequence[SplitRows], on_progress: OnProgress = no_progress) -> LabelBaselines:
    """Learn TF-IDF on the training texts of each split, as the fine-tunings did. Raises UserError for no splits."""
    if not splits:
        raise UserError("There are no rows to learn from.")
    ordered = sorted(splits, key=lambda split: len(split.train))
    tfidf, majority = [], 0.0
    for done, split in enumerate(ordered):
        on_progress(done, len(ordered))
        majority = rows_report(split).majority
        with contextlib.suppress(UserError):  # texts without words
            train, held_out = ((part.texts, part.labels) for part in (split.train, split.held_out))
            answers = baseline_predictions(train, held_out)[TFIDF]
            right = sum(a == b for a, b in zip(answers, split.held_out.labels, strict=True))
            tfidf.append((len(split.train), right / len(split.held_out)))
    return LabelBaselines(tfidf=tuple(tfidf), majority=majority)


def gain_at(points: Sequence[LabelPoint], labels: int = QUESTION) -> Spread | None:
    """Pre-trained less scratch at so many labels; None where one of them was not measured there.

    With several seeds each, Welch's t interval; else the normal interval of two shares of the held-out rows.
    """
    sides = [[p for p in points if p.start == start and p.labels == labels] for start in ("pretrained", "scratch")]
    if not all(sides):
        return None
    means = [float(np.mean([point.accuracy for point in side])) for side in sides]
    reach = _welch(*sides) if min(map(len, sides)) > 1 else Z * math.sqrt(sum(map(_row_variance, sides)))
    gain = means[0] - means[1]
    return Spread(value=gain, low=gain - reach, high=gain + reach, n=min(map(len, sides)))


def _spread(points: list[LabelPoint]) -> Spread:
    found = interval(np.array([point.accuracy for point in points]))
    assert found is not None
    if found.count > 1:
        return Spread(value=found.mean, low=max(0.0, found.low), high=min(1.0, found.high), n=found.count)
    low, high = wilson(points[0].right, points[0].rows)
    return Spread(value=found.mean, low=low, high=high, n=1)


def _row_variance(points: Sequence[LabelPoint]) -> float:
    """Of the mean accuracy, from the held-out rows alone."""
    return sum(point.accuracy * (1 - point.accuracy) / point.rows for point in points) / len(points) ** 2


def _welch(first: Sequence[LabelPoint], second: Sequence[LabelPoint]) -> float:
    """Half of the 95% interval of a difference of means (Welch 1947)."""
    from scipy.special import stdtrit

    variances = [float(np.var([point.accuracy for point in side], ddof=1)) / len(side) for side in (first, second)]
    if not sum(variances):
        return 0.0
    parts = [v**2 / (len(side) - 1) for v, side in zip(variances, (first, second), strict=True)]
    freedom = sum(variances) ** 2 / sum(parts)
    return float(stdtrit(freedom, 0.975)) * math.sqrt(sum(variances))
