"""Labels of the threshold view; {names} in braces are filled in by the browser."""

from playground.text import _


def threshold_labels() -> dict[str, str]:
    """Labels of the threshold view, by the names that its JavaScript uses."""
    return {
        "threshold": _("Threshold"),
        "rule": _("Predicted “{positive}” where the score is at least {threshold}"),
        "none": _("Predicted “{positive}” nowhere"),
        "predicted": _("predicted {positive}"),
        "notPredicted": _("predicted other"),
        "is": _("is {positive}"),
        "isNot": _("is other"),
        "accuracy": _("Accuracy"),
        "precision": _("Precision"),
        "recall": _("Recall"),
        "f1": _("F1"),
        "falsePositiveRate": _("False positive rate"),
        "roc": _("ROC curve"),
        "pr": _("Precision-recall curve"),
        "saveCsv": _("Download CSV: curves"),
        "saveSvg": _("Download SVG"),
    }
