"""Which layer, head and query token, and the layer kept whole for them."""

from dataclasses import dataclass

import streamlit as st

from playground.lens.capture.site import SiteKind
from playground.lens.inspect.steps.layer import LayerInside
from playground.text import _
from ui.cache import TracedText, layers
from ui.jobs import compute
from ui.sections.attention.heatmaps import choose_kind, head_scores_of, striking_head
from ui.widgets.context_bar import ContextBar, bar_head, bar_token


@dataclass(frozen=True, kw_only=True)
class SelectedHead:
    """One head of one layer, and one query token."""

    kind: SiteKind
    layer: int
    head: int
    query: int


def select_head(traced_text: TracedText, bar: ContextBar) -> SelectedHead:
    """The head and the query token of the bar; without a choice the most striking head, and the last token."""
    trace = traced_text.trace
    kind = choose_kind(trace.kinds) if len(trace.kinds) > 1 else trace.kinds[0]
    sites = trace.layers(kind)
    striking = striking_head(head_scores_of(traced_text, kind))
    chosen = bar_head(bar, (striking.layer, striking.head), layers=len(sites), heads=sites[0].n_heads)
    layer, head = chosen or (0, 0)
    query = bar_token(bar, [token.text for token in trace.query_tokens(kind)])
    return SelectedHead(kind=kind, layer=layer, head=head, query=query)


def layer_inside(traced_text: TracedText, selected: SelectedHead) -> LayerInside:
    """The layer with all its numbers, from one more pass; the server keeps the last few."""
    question = (traced_text.name, selected.kind, selected.layer)
    message = _("Capturing layer {layer} …").format(layer=selected.layer)
    layer = compute(
        question,
        lambda _on_progress: traced_text.trace.inside(selected.layer, selected.kind),
        title=message,
        cache=layers(),
    )
    if layer is None:
        st.stop()
    return layer
