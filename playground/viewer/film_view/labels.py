"""Labels of the film; {names} in braces are filled in by the browser."""

from playground.text import _
from playground.viewer.shared.labels import head_map_labels


def film_view_labels() -> dict[str, str]:
    """Labels of the film, by the names that its JavaScript uses."""
    return head_map_labels() | _maps() | _controls() | _scores()


def _maps() -> dict[str, str]:
    return {
        "encoder": _("Encoder"),
        "decoder": _("Decoder"),
        "cross": _("Cross-attention"),
        "kinds": _("Kind of attention"),
        "heatmapHelp": _("Heatmap of attention weights. Arrow keys move over the cells."),
        "gold": _("Outlined: the gold alignment"),
        "empty": _("The first frame appears after the first steps."),
    }


def _controls() -> dict[str, str]:
    return {
        "play": _("Play"),
        "pause": _("Pause"),
        "loop": _("Loop"),
        "newest": _("Follow the newest"),
        "timeline": _("Training step"),
        "step": _("step {step}"),
        "curvesCaption": _("{score} of every head; bold: {title}"),
        "stepOf": _("step {step} of {last}"),
        "export": _("Download"),
        "savePng": _("Download PNG"),
    }


def _scores() -> dict[str, str]:
    return {
        "score": _("Score"),
        "now": _("now"),
        "first": _("first"),
        "last": _("last"),
        "best": _("best head now"),
        "bestHead": _("{layer}.{head}, {value}"),
        "scoresOf": _("Scores of {title} at step {step}"),
        "noScores": _("No head scores were recorded."),
        "score_alignment": _("gold alignment"),
        "score_entropy": _("entropy (nats)"),
        "score_distance": _("mean distance (tokens)"),
    }
