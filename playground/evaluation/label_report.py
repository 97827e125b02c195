"""Everything about the labels of a table, as JSON takes it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from playground.errors import UserError
from playground.evaluation.baselines import baselines, train_rows
from playground.evaluation.calibration import calibration_spreads
from playground.evaluation.confusion import SCORE_NAMES, Confusion, confusion
from playground.evaluation.duplicates import both_parts, leaked_texts, repeated_texts
from playground.evaluation.label_spreads import label_spreads
from playground.evaluation.resampling import Spread, spreads_report
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
    text: str | None = None,
    part: str | None = None,
) -> dict[str, Any]:
    """Accuracy, F1 and their intervals; what other columns allow is added.

    score: a column of scores, for curves and calibration, with the label (positive) that they are of. sliced_by: a
    column of groups. text: a column of texts, for the baselines and for texts that repeat. part: a column that says
    train or test, which both keep apart. Raises UserError that names the line that is wrong.
    """
    true, predicted = table.filled(label), table.filled(prediction)
    report = _counts_report(confusion(true, predicted))
    if score is not None:
        report["scores"] = _score_report(table, true, score, positive)
    if sliced_by is not None:
        report["slices"] = {
            row.value: {"accuracy": row.accuracy.report(), "macro_f1": row.macro_f1.report()}
            for row in slice_scores(true, predicted, table.column(sliced_by))
        }
    if text is not None:
        report |= _texts_report(table.column(text), true, predicted, table.column(part) if part is not None else ())
    return report


def _counts_report(counted: Confusion) -> dict[str, Any]:
    spreads = label_spreads(counted)
    return {
        "n": counted.n,
        "accuracy": _spread_report(spreads.accuracy),
        "macro_f1": _spread_report(spreads.macro_f1),
        "averages": {average: spreads_report(scores) for average, scores in spreads.averages.items()},
        "labels": {
            label: {
                **spreads_report({name: spreads.labels[name][row] for name in SCORE_NAMES}),
                "support": int(counted.support[row]),
            }
            for row, label in enumerate(counted.labels)
        },
        "confusion": {
            label: dict(zip(counted.labels, counted.counts[row].tolist(), strict=True))
            for row, label in enumerate(counted.labels)
        },
    }


def _spread_report(spread: Spread) -> dict[str, Any]:
    return {"value": spread.value, "interval": spread.interval}


def _score_report(table: TextTable, true: Sequence[str], column: str, positive: str | None) -> dict[str, Any]:
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


def _texts_report(
    texts: Sequence[str], true: Sequence[str], predicted: Sequence[str], parts: Sequence[str]
) -> dict[str, Any]:
    """The baselines on the same rows, and the texts that stand in both parts, or more than once."""
    is_train = train_rows(parts)
    report: dict[str, Any] = {}
    try:
        learned = baselines(texts, true, is_train)
        report["baselines"] = {
            name: {"accuracy": spreads.accuracy.report(), "macro_f1": spreads.macro_f1.report()}
            for name, spreads in learned.spreads(true, predicted).items()
        }
    except UserError as error:
        report["baselines"] = str(error)
    if is_train is None:
        return report | {"repeated_texts": repeated_texts(texts)}
    return report | {"leaked_texts": len(leaked_texts(*both_parts(texts, is_train)))}
