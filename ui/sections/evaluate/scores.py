"""A score for each row: the threshold, both curves, the area with its interval, and calibration."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from playground.charts.evaluate import reliability_figure
from playground.errors import UserError
from playground.evaluation.calibration import CalibrationSpreads, calibration_spreads, reliability
from playground.evaluation.thresholds import CurveSpreads, ThresholdCurve, curve_spreads, threshold_curve
from playground.lens.finding import Finding
from playground.snippets import origin
from playground.text import N_, _
from ui.cache import results
from ui.components.threshold_view import threshold_view
from ui.jobs import compute
from ui.sections.evaluate.labels_source import LabelSet
from ui.sections.evaluate.numbers import interval_text
from ui.sections.evaluate.table_source import say
from ui.state.address import read_float, read_text, write_float
from ui.state.parameters import POSITIVE, THRESHOLD
from ui.widgets.chart import draw
from ui.widgets.findings import show_findings
from ui.widgets.mirror import mirrored


def show_row_scores(chosen: LabelSet) -> str | None:
    """The curves of the label that the scores are of; that label. None where the table has no scores."""
    if not chosen.scores:
        return None
    st.subheader(_("Threshold"), anchor=False)
    labels = sorted({*chosen.true})
    default = likely_positive(chosen, labels)
    current = read_text(POSITIVE)
    current = current if current in labels else default
    positive: str = st.selectbox(
        _("The score is of"), labels, index=labels.index(current), width=240, **mirrored(POSITIVE, current, default)
    )
    scores, is_positive = scores_for(chosen, positive), np.array([label == positive for label in chosen.true])
    try:
        _show_curve(chosen, scores, is_positive, positive)
    except UserError as error:
        say(error)
    return positive


def scores_for(chosen: LabelSet, positive: str) -> np.ndarray:
    """The model's probability of that label, or the table's score."""
    return chosen.scores.get(positive, next(iter(chosen.scores.values())))


def likely_positive(chosen: LabelSet, labels: Sequence[str]) -> str:
    """The label whose rows score highest on average: what a table's score is most probably of."""
    true = np.array(chosen.true, dtype=object)
    return max(labels, key=lambda label: float(scores_for(chosen, label)[true == label].mean()))


def _show_curve(chosen: LabelSet, scores: np.ndarray, is_positive: np.ndarray, positive: str) -> None:
    curve = threshold_curve(scores, is_positive)

    spreads = compute(
        (*chosen.key, "curves", positive),
        lambda _progress: curve_spreads(scores, is_positive),
        title=_("Resampling"),
        cache=results(),
    )
    if spreads is None:
        return
    show_findings(_describe_curve(curve, spreads))
    start = read_float(THRESHOLD)
    moved = threshold_view(
        curve,
        positive=positive,
        threshold=start,
        key=f"threshold_{positive}",
        label=_("ROC and precision-recall curve of {label}").format(label=positive),
        provenance=origin(None, details={**chosen.details, "positive": positive}),
    )
    write_float(THRESHOLD, moved)
    _show_calibration(chosen, scores, is_positive, positive)


def _describe_curve(curve: ThresholdCurve, spreads: CurveSpreads) -> Finding:
    template = N_(
        "Area under the ROC curve {area:.3f} ({interval}): a row of this label scores above another one so often, ties "
        "counting half. Average precision {precision:.3f} ({precision_interval}), where guessing gives {base:.3f}."
    )
    values = {
        "area": spreads.area.value,
        "interval": interval_text(spreads.area),
        "precision": spreads.average_precision.value,
        "precision_interval": interval_text(spreads.average_precision),
        "base": curve.positives / (curve.positives + curve.negatives),
    }
    return Finding(template=template, values=values)


def _show_calibration(chosen: LabelSet, scores: np.ndarray, is_positive: np.ndarray, positive: str) -> None:
    """Whether the scores are probabilities that are true."""
    st.subheader(_("Calibration"), anchor=False)
    try:
        binned = reliability(scores, is_positive, lines=chosen.table.rows)
    except UserError as error:
        say(error)
        return
    spreads = compute(
        (*chosen.key, "calibration", positive),
        lambda _progress: calibration_spreads(scores, is_positive),
        title=_("Resampling"),
        cache=results(),
    )
    if spreads is None:
        return
    show_findings(_describe_calibration(spreads))
    draw(
        None,
        reliability_figure(binned),
        key="calibration_chart",
        label=_("Calibration of {label}").format(label=positive),
        details={**chosen.details, "positive": positive},
        height=300,
        revision=positive,
    )


def _describe_calibration(spreads: CalibrationSpreads) -> Finding:
    template = N_(
        "Predicted probabilities are off by {error:.3f} on average (expected calibration error, ten bins; {interval}); "
        "Brier score {brier:.3f} ({brier_interval})."
    )
    values = {
        "error": spreads.error.value,
        "interval": interval_text(spreads.error),
        "brier": spreads.brier.value,
        "brier_interval": interval_text(spreads.brier),
    }
    return Finding(template=template, values=values)
