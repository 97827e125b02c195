"""Labels of the film; {names} in braces are filled in by the browser."""

from playground.text import _


def film_view_labels() -> dict[str, str]:
    """Labels of the film, by the names that its JavaScript uses."""
    return _maps() | _controls() | _scores()


def _maps() -> dict[str, str]:
    return {
        "grid": _("All heads: layers from top to bottom, heads from left to right"),
        "layer": _("layer"),
        "head": _("head"),
        "layerHead": _("layer {layer}, head {head}"),
        "encoder": _("Encoder"),
        "decoder": _("Decoder"),
        "cross": _("Cross-attention"),
        "kinds": _("Kind of attention"),
        "query": _("query"),
        "key": _("key"),
        "queryAxis": _("query token (attends)"),
        "keyAxis": _("key token (is attended to)"),
        "weight": _("weight"),
        "legend": _("Attention weight"),
        "legendRow": _("Share of the row's maximum"),
        "cell": _("from {query} to {key}: {value}"),
        "tokens": _("tokens {first}–{last}"),
        "heatmapHelp": _("Heatmap of attention weights. Arrow keys move over the cells."),
        "gold": _("Outlined: the gold alignment"),
        "pooled": _("Each cell shows the largest weight among {count} × {count} tokens."),
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
        "chosen": _("{title} chosen"),
        "export": _("Save picture"),
        "curvesHelp": _("Select a point of the curves to go to that step."),
    }


def _scores() -> dict[str, str]:
    return {
        "score": _("Score"),
        "now": _("now"),
        "first": _("first"),
        "last": _("last"),
        "best": _("best head now"),
        "bestHead": _("L{layer} H{head}, {value}"),
        "scoresOf": _("Scores of {title} at step {step}"),
        "noScores": _("No head scores were recorded."),
        "score_previous": _("previous token"),
        "score_first": _("first token"),
        "score_duplicate": _("duplicate token"),
        "score_induction": _("induction"),
        "score_local": _("local"),
        "score_alignment": _("gold alignment"),
        "score_entropy": _("entropy (nats)"),
        "score_distance": _("mean distance (tokens)"),
    }
