"""Which layer, head and query token, and the layer kept whole for them."""

from dataclasses import dataclass

import streamlit as st

from playground.charts.inside import visible
from playground.lens.capture.site import SiteKind
from playground.lens.inspect.steps.layer import LayerInside
from playground.text import _
from ui import state
from ui.cache import Reading
from ui.jobs import ask
from ui.sections.attention.heatmaps import head_facts, striking_head


@dataclass(frozen=True, kw_only=True)
class Place:
    """One head of one layer, and one query token."""

    kind: SiteKind
    layer: int
    head: int
    query: int


def choose_place(reading: Reading, *, with_query: bool = True) -> Place:
    """The widgets of a place; the address names head and query as the attention page does."""
    trace = reading.trace
    kind = _choose_kind(trace.kinds)
    sites = trace.layers(kind)
    heads = sites[0].n_heads
    striking = striking_head(head_facts(reading, kind))
    layer, head = state.read_head((striking.layer, striking.head), len(sites), heads)
    size = f"{kind}.{len(sites)}.{heads}"
    columns = st.columns([1, 1, 2] if with_query else 2)
    with columns[0]:
        layer = st.selectbox(_("Layer"), range(len(sites)), index=layer, key=f"inside_layer.{size}")
    with columns[1]:
        head = st.selectbox(_("Head"), range(heads), index=head, key=f"inside_head.{size}")
    state.write_head(layer, head)
    query = 0
    if with_query:
        with columns[2]:
            query = _choose_query([token.text for token in trace.query_tokens(kind)])
    return Place(kind=kind, layer=layer, head=head, query=query)


def _choose_kind(kinds: tuple[SiteKind, ...]) -> SiteKind:
    if len(kinds) == 1:
        return kinds[0]
    titles: dict[str, str] = {"encoder": _("encoder"), "decoder": _("decoder"), "cross": _("cross")}
    chosen = st.segmented_control(
        _("Attention"),
        kinds,
        default=kinds[-1],
        key=state.KIND,
        bind="query-params",
        format_func=titles.__getitem__,
        label_visibility="collapsed",
    )
    return chosen if chosen in kinds else kinds[-1]


def _choose_query(tokens: list[str]) -> int:
    last = len(tokens) - 1
    query = st.selectbox(
        _("Query token"),
        range(len(tokens)),
        index=state.read_number(state.QUERY, last, last),
        key=f"inside_query.{len(tokens)}",
        format_func=lambda index: f"{index} {visible(tokens[index])}",
    )
    state.write_number(state.QUERY, query, last)
    return query


def layer_inside(reading: Reading, place: Place) -> LayerInside:
    """The layer with all its numbers, from one more pass; a session keeps the last one it looked at."""
    question = (reading.name, place.kind, place.layer)
    words = _("Looking into layer {layer} …").format(layer=place.layer)
    kept = state.findings(state.INSIDE, most=1)
    found = ask(kept, question, words, lambda _on_run: reading.trace.inside(place.layer, place.kind))
    if found is None:
        st.stop()
    return found
