"""Which layer, head and query token, and the layer kept whole for them."""

from dataclasses import dataclass

import streamlit as st

from playground.charts.layout import mark_spaces
from playground.lens.capture.site import SiteKind
from playground.lens.inspect.steps.layer import LayerInside
from playground.text import _
from ui.cache import TracedText, layers
from ui.jobs import compute
from ui.sections.attention.heatmaps import choose_kind, head_scores_of, striking_head
from ui.state.address import read_number, write_number
from ui.state.attention import read_head, write_head
from ui.state.parameters import QUERY


@dataclass(frozen=True, kw_only=True)
class SelectedHead:
    """One head of one layer, and one query token."""

    kind: SiteKind
    layer: int
    head: int
    query: int


def select_head(reading: TracedText, *, with_query: bool = True) -> SelectedHead:
    """The widgets of a head; the address names head and query as the attention page does."""
    trace = reading.trace
    kind = choose_kind(trace.kinds) if len(trace.kinds) > 1 else trace.kinds[0]
    sites = trace.layers(kind)
    n_heads = sites[0].n_heads
    striking = striking_head(head_scores_of(reading, kind))
    layer, head = read_head((striking.layer, striking.head), len(sites), n_heads)
    size = f"{kind}.{len(sites)}.{n_heads}"
    columns = st.columns([1, 1, 2] if with_query else 2)
    with columns[0]:
        layer = st.selectbox(_("Layer"), range(len(sites)), index=layer, key=f"inside_layer.{size}")
    with columns[1]:
        head = st.selectbox(_("Head"), range(n_heads), index=head, key=f"inside_head.{size}")
    write_head(layer, head)
    query = 0
    if with_query:
        with columns[2]:
            query = _choose_query_token([token.text for token in trace.query_tokens(kind)])
    return SelectedHead(kind=kind, layer=layer, head=head, query=query)


def _choose_query_token(tokens: list[str]) -> int:
    last = len(tokens) - 1
    query = st.selectbox(
        _("Query token"),
        range(len(tokens)),
        index=read_number(QUERY, last, last),
        key=f"inside_query.{len(tokens)}",
        format_func=lambda index: f"{index} {mark_spaces(tokens[index])}",
    )
    write_number(QUERY, query, last)
    return query


def layer_inside(reading: TracedText, selected: SelectedHead) -> LayerInside:
    """The layer with all its numbers, from one more pass; the server keeps the last few."""
    question = (reading.name, selected.kind, selected.layer)
    message = _("Capturing layer {layer} …").format(layer=selected.layer)
    layer = compute(
        question,
        lambda _on_progress: reading.trace.inside(selected.layer, selected.kind),
        title=message,
        cache=layers(),
    )
    if layer is None:
        st.stop()
    return layer
