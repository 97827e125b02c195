"""Heads of a trace as views of a page: with a budget, since nobody can be asked for another head later."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from playground.lens.capture.attended import Attended
from playground.lens.comparison import align_traces, is_by_token, options_for
from playground.lens.inspect.attention_view import ViewOptions, axes
from playground.lens.inspect.head_scores import score_heads
from playground.provenance import provenance
from playground.text import N_, _
from playground.viewer.attention_view.aligned import aligned_words
from playground.viewer.attention_view.assets import CSS, placed_difference_module
from playground.viewer.attention_view.labels import attention_view_labels
from playground.viewer.attention_view.payload import HeadView, encode_head, encode_scores, entries, grid_payload
from playground.viewer.attention_view.picture import every_head, picture_grid, picture_head, picture_scores, token_ids
from playground.viewer.attention_view.standalone import placed_heads
from playground.viewer.attention_view.view_state import Selected, ViewSettings, ViewState
from playground.viewer.shared.page import PlacedView

if TYPE_CHECKING:
    from playground.lens.capture.site import SiteKind
    from playground.lens.trace import Trace

HEADS_HEIGHT = 720
DIFFERENCE_HEIGHT = 900
EXACT_BYTES = 1_000_000
"""Exact maps of all heads travel along up to this size; of longer texts those of the chosen head."""
KIND_NAMES: "dict[SiteKind, str]" = {
    "encoder": N_("Encoder"),
    "decoder": N_("Decoder"),
    "cross": N_("Cross-attention"),
}


def heads_part(
    trace: Attended,
    options: ViewOptions,
    selected: Selected,
    settings: ViewSettings,
    *,
    title: str,
    origin: Mapping[str, str],
    name: str = "view",
    head_numbers: Sequence[int] = (),
) -> PlacedView:
    """All heads of one kind of attention, exact maps of as many as fit, and their scores."""
    sites = trace.layers(options.kind)
    grid = picture_grid(trace, options, name=f"{name}.{options.kind}", title=title, provenance=origin)
    grid = replace(grid, head_numbers=head_numbers)
    view = f"{name}-{options.kind}"
    scores = score_heads(sites, token_ids(trace, options.kind))
    state = ViewState(selected=selected, settings=settings)
    also = [encode_head(grid.trace, head, view=view) for head in _exact_maps(trace, options, selected)]
    also.append(encode_scores(grid.trace, picture_scores(trace, scores, options.kind, selected), view=view))
    return placed_heads(grid_payload(grid, view=view, state=state), also, title=_(KIND_NAMES[options.kind]))


def _exact_maps(trace: Attended, options: ViewOptions, selected: Selected) -> Sequence[HeadView]:
    """The selected map, and those of all other heads where they fit together."""
    sites = trace.layers(options.kind)
    queries, keys = axes(trace, options)
    lower = all(site.is_causal for site in sites)
    one = 4 * entries(len(queries.tokens), len(keys.tokens), "lower" if lower else "full")
    n_heads = min(site.n_heads for site in sites)
    others = every_head(trace.block_numbers(options.kind), n_heads) if one * len(sites) * n_heads <= EXACT_BYTES else ()
    return [picture_head(trace, options, each) for each in dict.fromkeys([selected, *others])]


def difference_part(left: "Trace", right: "Trace", options: ViewOptions, selected: Selected) -> list[PlacedView]:
    """Left minus right of a head, then both sides."""
    both = options, options_for(right, options)
    traces = left, right
    right.attention(selected.layer, selected.head, both[1].kind)  # refuses a head that the right side lacks
    words = None if is_by_token(traces, both) else aligned_words(align_traces(traces, both)).as_dict()
    names = [f"{side}-{chosen.kind}" for side, chosen in zip(("left", "right"), both, strict=True)]
    data = {"left": names[0], "right": names[1], "labels": attention_view_labels(), "words": words}
    difference = PlacedView(
        module=placed_difference_module(),
        function="differenceView",
        css=CSS,
        data=data,
        title=_("Left minus right"),
    )
    sides = [
        heads_part(
            trace, chosen, selected, ViewSettings(), title=trace.model.name, origin=provenance(trace.model), name=side
        )
        for trace, chosen, side in zip(traces, both, ("left", "right"), strict=True)
    ]
    titled = [
        PlacedView(**{**vars(side), "title": f"{place}: {trace.model.name}"})
        for side, trace, place in zip(sides, traces, (_("left"), _("right")), strict=True)
    ]
    return [difference, *titled]
