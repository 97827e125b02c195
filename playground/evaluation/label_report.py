"""Everything about the labels of a table, as JSON takes it."""

from typing import Any

import numpy as np

from playground.errors import UserError
from playground.evaluation.calibration import reliability
from playground.evaluation.confusion import (
    AVERAGES,
    SCORE_NAMES,
    Confusion,
    accuracies,
    average_score,
    confusion,
    label_scores,
)
from playground.evaluation.resampling import RESAMPLES, Spread, bootstrap_spread
from playground.evaluation.slices import confusion_spread, macro_f1_scores, slice_scores
from playground.evaluation.text_table import TextTable
from playground.evaluation.thresholds import numbers_of, resampled_areas, threshold_curve


def label_report(
    table: TextTable,
    *,
    label: str = "label",
    prediction: str = "prediction",
    score: str | None = None,
    positive: str | None = None,
    sliced_by: str | None = None,
) -> dict[str, Any]:
    """Accuracy, F1 and their intervals; with a column of scores the curves, with a column of groups the slices.

    positive: the label that the score is of. Raises UserError that names the line that is wrong.
    """
    true, predicted = table.filled(label), table.filled(prediction)
    counted = confusion(true, predicted)
    report = _counts_report(counted)
    if score is not None:
        report["scores"] = _score_report(table, true, score, positive)
    if sliced_by is not None:
        report["slices"] = {
            row.value: {"accuracy": vars(row.accuracy), "macro_f1": vars(row.macro_f1)}
            for row in slice_scores(true, predicted, table.column(sliced_by))
        }
    return report


def _counts_report(counted: Confusion) -> dict[str, Any]:
    scores = label_scores(counted.counts)
    return {
        "n": counted.n,
        "accuracy": _spread_report(confusion_spread(counted, accuracies)),
        "macro_f1": _spread_report(confusion_spread(counted, macro_f1_scores)),
        "averages": {
            average: {name: float(average_score(counted.counts, name, average)) for name in SCORE_NAMES}
            for average in AVERAGES
        },
        "labels": {
            label: {
                **{name: float(scores[name][row]) for name in SCORE_NAMES},
                "support": int(counted.support[row]),
            }
            for row, label in enumerate(counted.labels)
        },
        "confusion": {
            label: dict(zip(counted.labels, counted.counts[row].tolist(), strict=True))
            for row, label in enumerate(counted.labels)
        },
    }


def _spread_report(value: Spread) -> dict[str, Any]:
    return {"value": value.value, "interval": [value.low, value.high]}


def _score_report(table: TextTable, true: tuple[str, ...], column: str, positive: str | None) -> dict[str, Any]:
    labels = sorted(set(true))
    if positive is None or positive not in labels:
        raise UserError("Say which label the score is of: one of {labels}.", labels=", ".join(labels[:20]))
    scores = numbers_of(table.column(column), table.rows)
    is_positive = np.array([one == positive for one in true])
    curve = threshold_curve(scores, is_positive)
    areas = resampled_areas(scores, is_positive, RESAMPLES)
    area = bootstrap_spread(curve.area, areas, len(scores))
    report: dict[str, Any] = {
        "positive": positive,
        "area": _spread_report(area),
        "average_precision": curve.average_precision,
    }
    try:
        binned = reliability(scores, is_positive)
    except UserError as error:
        return report | {"calibration": str(error)}
    return report | {"calibration_error": binned.error, "brier": binned.brier}
