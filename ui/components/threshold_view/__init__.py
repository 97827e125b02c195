"""A classifier's threshold, moved in the browser: the four counts, the scores, and its place on both curves.

js          the browser's side
labels.py   labels, translated
"""

from collections.abc import Sequence

import numpy as np

from playground.evaluation.thresholds import ThresholdCurve
from playground.viewer.shared.payload import encode_payload
from ui.components.shared.registration import keep_report, module, register, report_of, style
from ui.components.threshold_view.labels import threshold_labels

__all__ = ["encode_thresholds", "threshold_labels", "threshold_module", "threshold_view"]

MOST_POINTS = 1_000
"""More thresholds than a slider has pixels are thinned evenly; the counts of those that stay are exact."""


def threshold_module() -> str:
    """The view as one ES module."""
    return module("threshold_view", "scores plots threshold_view", shared="decode connection dom mount files")


_component = register("threshold_view", threshold_module(), css=style("attention_view", "threshold_view"))


def threshold_view(
    curve: ThresholdCurve, *, positive: str, threshold: float, key: str, label: str, provenance: Sequence[str] = ()
) -> float:
    """Show the slider at a threshold, and return the one where it was let go last.

    positive: the name of the positive class.
    """
    data = encode_thresholds(curve, positive=positive, threshold=threshold, label=label, provenance=provenance)
    reported = report_of(_component(key=key, data=data, on_threshold_change=keep_report), "threshold")
    is_number = isinstance(reported, int | float) and not isinstance(reported, bool) and np.isfinite(reported)
    return float(reported) if is_number else threshold


def encode_thresholds(
    curve: ThresholdCurve, *, positive: str, threshold: float, label: str, provenance: Sequence[str] = ()
) -> bytes:
    """The counts at each threshold; the infinite one, where nothing is predicted positive, is null."""
    n = len(curve.thresholds)
    kept = np.unique(np.linspace(0, n - 1, min(n, MOST_POINTS)).round().astype(int))
    values = curve.thresholds[kept]
    header = {
        "thresholds": [float(value) if np.isfinite(value) else None for value in values],
        "truePositives": curve.true_positives[kept].tolist(),
        "falsePositives": curve.false_positives[kept].tolist(),
        "positive": positive,
        "start": int(np.flatnonzero(values >= threshold)[-1]),
        "label": label,
        "labels": threshold_labels(),
        "provenance": list(provenance),
    }
    return encode_payload(header)
