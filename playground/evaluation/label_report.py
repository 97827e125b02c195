"""Everything about the labels of a table, as JSON takes it."""

from typing import Any

import numpy as np

from playground.errors import UserError
from playground.evaluation.calibration import calibration_spreads
from playground.evaluation.confusion import AVERAGES, SCORE_NAMES, Confusion, average_score, confusion
from playground.evaluation.label_spreads import label_spreads
from playground.evaluation.resampling import Spread
from playground.evaluation.slices import slice_scores
from playground.evaluation.text_table import TextTable
from playground.evaluation.thresholds import curve_spreads, numbers_of


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
    spreads = label_spreads(counted)
    return {
        "n": counted.n,
        "accuracy": _spread_report(spreads.accuracy),
        "macro_f1": _spread_report(spreads.macro_f1),
        "averages": {
            average: {name: float(average_score(counted.counts, name, average)) for name in SCORE_NAMES}
            for average in AVERAGES
        },
        "labels": {
            label: {
                **{name: spreads.labels[name][row].value for name in SCORE_NAMES},
                **{f"{name}_interval": _interval_report(spreads.labels[name][row]) for name in SCORE_NAMES},
                "support": int(counted.support[row]),
            }
            for row, label in enumerate(counted.labels)
        },
        "confusion": {
            label: dict(zip(counted.labels, counted.counts[row].tolist(), strict=True))
            for row, label in enumerate(counted.labels)
        },
    }


def _interval_report(value: Spread) -> list[float]:
    return [value.low, value.high]


def _spread_report(value: Spread) -> dict[str, Any]:
    return {"value": value.value, "interval": _interval_report(value)}


def _score_report(table: TextTable, true: tuple[str, ...], column: str, positive: str | None) -> dict[str, Any]:
    labels = sorted(set(true))
    if positive is None or positive not in labels:
        raise UserError("Say which label the score is of: one of {labels}.", labels=", ".join(labels[:20]))
    scores = numbers_of(table.column(column), table.rows)
    is_positive = np.array([one == positive for one in true])
    spreads = curve_spreads(scores, is_positive)
    report: dict[str, Any] = {
        "positive": positive,
        "area": _spread_report(spreads.area),
        "average_precision": _spread_report(spreads.average_precision),
    }
    try:
        binned = calibration_spreads(scores, is_positive, lines=table.rows)
    except UserError as error:
        return report | {"calibration": str(error)}
    return report | {"calibration_error": _spread_report(binned.error), "brier": _spread_report(binned.brier)}
