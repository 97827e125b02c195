"""Every word that the live chart shows, translated; {names} in braces are filled in by the browser."""

from playground.text import _


def default_labels() -> dict[str, str]:
    """Return the words of the live chart by the names its code uses."""
    return {
        "loading": _("Loading the chart …"),
        "missing": _(
            "The chart library could not be loaded, so here are the last values. "
            "The folder static/ of the app must be writable for the server, and readable for the browser."
        ),
        "empty": _("Nothing has been measured yet."),
        "savePng": _("Save as PNG"),
        "saveSvg": _("Save as SVG"),
        "saveCsv": _("Save the visible values as CSV"),
        "curve": _("curve"),
        "first": _("first"),
        "last": _("last"),
        "lowest": _("lowest"),
        "highest": _("highest"),
        "at": _("{y} at {x}"),
    }
