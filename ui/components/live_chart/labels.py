"""Labels of the live chart; {names} in braces are filled in by the browser."""

from playground.text import _


def live_chart_labels() -> dict[str, str]:
    """Labels of the live chart, by the names that its JavaScript uses."""
    return {
        "loading": _("Loading the chart …"),
        "missing": _(
            "The chart library could not be loaded, so here are the last values. "
            "The folder static/ of the app must be writable for the server, and readable for the browser."
        ),
        "empty": _("Nothing has been measured yet."),
        "savePng": _("Download PNG"),
        "saveSvg": _("Download SVG"),
        "saveCsv": _("Download CSV: visible values"),
        "curve": _("curve"),
        "first": _("first"),
        "last": _("last"),
        "lowest": _("lowest"),
        "highest": _("highest"),
        "at": _("{y} at {x}"),
    }
