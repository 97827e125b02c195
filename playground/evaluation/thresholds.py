"""A classifier of two classes at every threshold of its score: ROC and precision-recall curves; equal to scikit-learn.

Fawcett 2006, "An introduction to ROC analysis"; Davis and Goadrich 2006, "The Relationship Between Precision-Recall and
ROC Curves".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from playground.errors import UserError
from playground.evaluation.resampling import RESAMPLES, Spread, bootstrap_spread


@dataclass(frozen=True, kw_only=True, eq=False)
class ThresholdCurve:
    """Counts at every threshold, falling: a row is predicted positive where its score is at least the threshold."""

    thresholds: Float[np.ndarray, "threshold"]
    """Infinity first, where nothing is predicted positive; then each score that occurs."""
    true_positives: Int[np.ndarray, "threshold"]
    false_positives: Int[np.ndarray, "threshold"]

    @property
    def positives(self) -> int:
        """Rows of the positive class."""
        return int(self.true_positives[-1])

    @property
    def negatives(self) -> int:
        """Rows of the other class."""
        return int(self.false_positives[-1])

    @property
    def recall(self) -> Float[np.ndarray, "threshold"]:
        """True positive rate: TP / P."""
        return self.true_positives / self.positives

    @property
    def false_positive_rate(self) -> Float[np.ndarray, "threshold"]:
        """FP / N."""
        return self.false_positives / self.negatives

    @property
    def precision(self) -> Float[np.ndarray, "threshold"]:
        """TP / (TP + FP); 1 where nothing is predicted positive, as the curve is usually begun."""
        predicted = self.true_positives + self.false_positives
        shares: np.ndarray = np.where(predicted > 0, self.true_positives / np.maximum(predicted, 1), 1.0)
        return shares

    @property
    def area(self) -> float:
        """Area under the ROC curve: the chance that a positive row scores above a negative one, ties half."""
        return float(np.trapezoid(self.recall, self.false_positive_rate))

    @property
    def average_precision(self) -> float:
        """Precision, weighted by the recall that each threshold adds (no interpolation)."""
        return float((np.diff(self.recall) * self.precision[1:]).sum())


def threshold_curve(scores: Float[np.ndarray, "row"], is_positive: Bool[np.ndarray, "row"]) -> ThresholdCurve:
    """Count at every threshold. Raises UserError where all rows are of one class, or a score is not finite.

    >>> curve = threshold_curve(np.array([0.9, 0.8, 0.3, 0.1]), np.array([True, False, True, False]))
    >>> curve.area, curve.true_positives.tolist()
    (0.75, [0, 1, 1, 2, 2])
    """
    check_scores(scores, is_positive)
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], is_positive[order]
    last = np.r_[np.flatnonzero(np.diff(ranked)), len(ranked) - 1]
    positives = np.cumsum(hits)[last]
    return ThresholdCurve(
        thresholds=np.r_[np.inf, ranked[last]],
        true_positives=np.r_[0, positives],
        false_positives=np.r_[0, last + 1 - positives],
    )


def check_scores(scores: Float[np.ndarray, "row"], is_positive: Bool[np.ndarray, "row"]) -> None:
    """Raise UserError where there is not one score for each row, or only one class occurs."""
    if len(scores) != len(is_positive):
        raise UserError(
            "There are {n_scores} scores for {n_labels} labels; give one for each.",
            n_scores=len(scores),
            n_labels=len(is_positive),
        )
    if not is_positive.any() or is_positive.all():
        raise UserError(
            "A curve needs rows of both classes; this table has only one (rows: {n:,}).", n=len(is_positive)
        )


@dataclass(frozen=True, kw_only=True)
class CurveSpreads:
    """Both summaries of the curves with their intervals."""

    area: Spread
    average_precision: Spread


def curve_spreads(
    scores: Float[np.ndarray, "row"], is_positive: Bool[np.ndarray, "row"], n_resamples: int = RESAMPLES, seed: int = 0
) -> CurveSpreads:
    """Area under the ROC curve and average precision of the rows and of bootstrap resamples of them.

    Resamples of one class have neither and are left out.
    """
    curve, n = threshold_curve(scores, is_positive), len(scores)
    generator = np.random.default_rng(seed)
    values, ranks = np.unique(-scores, return_inverse=True)  # the highest score first
    codes = ranks * 2 + is_positive
    areas, precisions = [], []
    for _ in range(n_resamples):
        drawn = np.bincount(codes[generator.integers(0, n, n)], minlength=2 * len(values))
        false, true = np.cumsum(drawn[0::2]), np.cumsum(drawn[1::2])
        if not (pairs := int(false[-1]) * int(true[-1])):
            continue
        areas.append(float(drawn[0::2] @ (true - drawn[1::2] / 2)) / pairs)
        precisions.append(float(drawn[1::2] @ (true / np.maximum(true + false, 1))) / int(true[-1]))
    return CurveSpreads(
        area=bootstrap_spread(curve.area, np.array(areas or [curve.area]), n),
        average_precision=bootstrap_spread(
            curve.average_precision, np.array(precisions or [curve.average_precision]), n
        ),
    )


def numbers_of(column: Sequence[str], lines: Sequence[int] | None = None) -> Float[np.ndarray, "row"]:
    """A column of scores. Raises UserError that names the first line, or row, without a finite number.

    >>> numbers_of(["0.5", " 1e-3 "]).tolist()
    [0.5, 0.001]
    """
    try:
        numbers = np.array(column, dtype=np.float64)
    except ValueError:
        numbers = np.array([_number_or_nan(text) for text in column])
    bad = np.flatnonzero(~np.isfinite(numbers))
    if len(bad):
        row = int(bad[0])
        line = row + 1 if lines is None else lines[row]
        raise UserError("The score in line {row} is {text!r}, which is no finite number.", row=line, text=column[row])
    return numbers


def _number_or_nan(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
