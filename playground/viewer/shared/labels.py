"""Labels of the maps, heads and scores that several components show; {names} in braces are filled in by the browser."""

from playground.text import _


def head_map_labels() -> dict[str, str]:
    """Labels that `shared/js` uses for a map of weights, and those of heads and their scores."""
    return {
        "grid": _("All heads: layers from top to bottom, heads from left to right"),
        "layer": _("layer"),
        "head": _("head"),
        "layerHead": _("head {layer}.{head}"),
        "query": _("query"),
        "key": _("key"),
        "queryAxis": _("query token (attends)"),
        "keyAxis": _("key token (is attended to)"),
        "weight": _("weight"),
        "cell": _("from {query} to {key}: {value}"),
        "tokens": _("tokens {first}–{last}"),
        "pooled": _("Each cell shows the largest weight among {count} × {count} tokens."),
        "legend": _("Attention weight"),
        "legendRow": _("Share of the row's maximum"),
        "linear": _("Linear"),
        "sqrt": _("Square root"),
        "log": _("Logarithm"),
        "chosen": _("{title} chosen"),
        "score_previous": _("previous token"),
        "score_first": _("first token"),
        "score_duplicate": _("duplicate token"),
        "score_induction": _("induction"),
        "score_local": _("local"),
    }
