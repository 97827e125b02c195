"""Labels of the attention view; {names} in braces are filled in by the browser."""

from playground.text import _
from playground.viewer.shared.labels import head_map_labels


def attention_view_labels() -> dict[str, str]:
    """Labels of the attention view and of the difference view, by the names that their JavaScript uses."""
    return head_map_labels() | _maps() | _toolbar() | _tables() | _messages() | _scores()


def _maps() -> dict[str, str]:
    return {
        "layerMean": _("layer {layer}, mean of heads"),
        "layerMax": _("layer {layer}, maximum of heads"),
        "allMean": _("mean of all heads"),
        "allMax": _("maximum of all heads"),
        "encoder": _("encoder self-attention"),
        "decoder": _("decoder self-attention"),
        "cross": _("cross-attention"),
        "heatmapHelp": _(
            "Heatmap of attention weights. Arrow keys move over the cells, Enter pins a query, with Shift one more; "
            "Shift and an arrow key choose a run of queries or keys; plus and minus zoom, 0 shows everything, "
            "Escape unpins."
        ),
        "arcsHelp": _(
            "Queries on the left, keys on the right. Arrow keys move over the queries, Enter pins, with Shift one "
            "more; Shift and an arrow key choose a run."
        ),
        "arcsMore": _("The {count} largest weights of each token are drawn; point at a token to see all."),
    }


def _toolbar() -> dict[str, str]:
    return {
        "toolbar": _("How the attention is drawn"),
        "view": _("View"),
        "heatmap": _("Heatmap"),
        "arcs": _("Arcs"),
        "combine": _("Show"),
        "combineHead": _("Single head"),
        "combineLayerMean": _("Layer mean"),
        "combineLayerMax": _("Layer maximum"),
        "combineAllMean": _("Mean of all"),
        "combineAllMax": _("Maximum of all"),
        "scale": _("Scale"),
        "range": _("Range"),
        "global": _("0 to 1"),
        "row": _("Per-row maximum"),
        "palette": _("Colours"),
        "ink": _("Blue"),
        "cividis": _("Colour-blind safe (cividis)"),
        "pairs": _("From, to"),
        "pairs_all": _("All"),
        "pairs_a-b": _("A to B"),
        "pairs_b-a": _("B to A"),
        "pairs_a-a": _("A to A"),
        "pairs_b-b": _("B to B"),
        "units": _("Rows and columns"),
        "units_tokens": _("Tokens"),
        "units_words": _("Words"),
        "several": _("Choose several"),
        "severalHelp": _(
            "Each click chooses one more token, or lets it go. With a mouse also: Ctrl and click, Shift and click for "
            "a run, or a drag along the labels."
        ),
        "gather": _("Their weights"),
        "gather_sum": _("Sum"),
        "gather_mean": _("Mean"),
        "sum": _("sum"),
        "mean": _("mean"),
        "clearChosen": _("Clear"),
        "settings": _("Settings"),
        "export": _("Download"),
        "savePng": _("Download PNG"),
        "saveSvg": _("Download SVG"),
        "zoomIn": _("Zoom in"),
        "zoomOut": _("Zoom out"),
        "zoomReset": _("Show everything"),
    }


def _tables() -> dict[str, str]:
    return {
        "headScores": _("Head scores"),
        "showLargest": _("Show the head with the largest value: {score}"),
        "links": _("Largest attention weights"),
        "linksOfQuery": _("Attention from {token}"),
        "linksOfKey": _("Attention to {token}"),
        "linksOfQueries": _("Attention from {count} tokens, {how}"),
        "linksOfKeys": _("Attention to {count} tokens, {how}"),
        "chosenCount": _("{count} chosen"),
        "allHeads": _("All heads"),
        "layersShown": _("Layers {first} to {last} of {total}: scroll for the others."),
        "scoresWaiting": _("The head scores are being computed …"),
        "sortHint": _("Click a column to sort by it, a row to show that head."),
        "noLinks": _("No weight is above zero here."),
    }


def _messages() -> dict[str, str]:
    return {
        "filter": _("Find heads"),
        "filterExample": _("induction > 0.5 and entropy < 2"),
        "filterMatches": _("{count} of {total} heads match"),
        "filterName": _("There is no score called “{name}”; use one of {names}."),
        "filterNumber": _("Write a number after “{operator}”."),
        "filterOperator": _("Write <, <=, >, >=, = or != after “{name}”."),
        "filterMore": _("The filter ends too early: write a comparison such as {example}."),
        "filterUnexpected": _("“{text}” does not belong there."),
        "filterBracket": _("A closing bracket is missing."),
        "pinnedQuery": _("query {token} pinned"),
        "pinnedKey": _("key {token} pinned"),
        "chosenQueries": _("{count} queries chosen: the {how} of their weights."),
        "chosenKeys": _("{count} keys chosen: the {how} of their weights."),
        "byWord": _(
            "By word: attention to a word is the sum over its tokens, attention from it their mean (Clark et al. "
            "2019), so that each row sums to what it did."
        ),
        "firstExcluded": _("First token excluded; each row is renormalised to sum to 1."),
        "specialHidden": _("Special tokens are hidden; the other weights are unchanged."),
        "approximate": _("≈ marks values read from the overview, which are rounded."),
        "verified": _("Verified: the output recomputed from these weights has a maximum error of {value}."),
        "empty": _("There is nothing to show for an empty text."),
        "differs": _("The token counts differ ({left} and {right}), so the maps cannot be subtracted."),
        "noWords": _("The texts have no words in common, so there is nothing to subtract."),
        "marks": _("How to read the picture"),
        "markHead": _("Each small square is a head: layers from top to bottom."),
        "markClick": _("Click a square to see its head in full."),
        "markAxes": _("Rows look, columns are looked at: the stronger the colour, the more attention."),
        "marksClose": _("Got it"),
        "waiting": _("The difference appears when both maps are there."),
        "difference": _("{left} − {right}"),
        "left": _("left"),
        "right": _("right"),
        "minus": _("difference"),
    }


def _scores() -> dict[str, str]:
    return {
        "score_entropy": _("entropy"),
        "score_distance": _("mean distance"),
        "unit_entropy": _("nats"),
        "unit_distance": _("tokens"),
    }
