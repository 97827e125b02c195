"""BertViz's views on a page: as much as the budget allows, with a caption about the rest."""

from collections.abc import Callable, Sequence

import streamlit as st

from playground.text import _
from playground.viewer.bertviz_views.budget import Budget, View, within_budget
from playground.viewer.bertviz_views.document import bertviz_document, neuron_document
from playground.viewer.bertviz_views.source import Source

TALLEST = 720
DocumentMaker = Callable[[View, Sequence[Source], Sequence[int], int, bool], str]


def budget_of(view: View, sources: Sequence[Source]) -> Budget:
    """How many tokens and layers of these sources one document may hold."""
    pair = sources[0].sentence_b_start is not None and view != "neuron"
    return within_budget(
        view,
        min(source.layers for source in sources),
        max(source.heads for source in sources),
        max(max(len(source.query_tokens), len(source.key_tokens)) for source in sources),
        maps=2 if pair else len(sources),
        causal=all(source.causal for source in sources),
        width=sources[0].width if view == "neuron" else 0,
    )


def document_of(view: View, sources: Sequence[Source], layers: Sequence[int], tokens: int, dark: bool) -> str:
    """Make the document of some layers and the first tokens."""
    by_kind = {source.kind: source for source in sources}
    first = sources[0]
    queries = by_kind.get("cross", by_kind.get("decoder", first)).query_tokens[:tokens]
    keys = by_kind.get("cross", by_kind.get("encoder", first)).key_tokens[:tokens]
    numbers = [first.numbers[layer] for layer in layers]
    if view == "neuron":
        assert first.vectors is not None, "ask neuron_supported first"
        vectors = first.vectors(layers, tokens)
        maps = first.maps(layers, tokens)
        return neuron_document(maps, *vectors, tokens=queries, causal=first.causal, layers=numbers, dark=dark)
    start = first.sentence_b_start
    return bertviz_document(
        view,
        {kind: source.maps(layers, tokens) for kind, source in by_kind.items()},
        query_tokens=queries,
        key_tokens=keys,
        sentence_b_start=start if start is not None and start < tokens else None,
        layers=numbers,
        dark=dark,
    )


def show_bertviz(
    view: View,
    sources: Sequence[Source],
    *,
    key: str,
    dark: bool | None = None,
    document: DocumentMaker = document_of,
) -> Budget:
    """Show one of BertViz's views, with a choice of layers where they do not all fit.

    Args:
        view: which of BertViz's views.
        sources: one kind of attention, or several of an encoder-decoder with equally many layers; the neuron view
            takes the first.
        key: of the choice of layers.
        dark: defaults to the reader's theme.
        document: `document_of`, or a cached version of it.
    """
    budget = budget_of(view, sources)
    first = _first_layer(budget, sources[0].numbers, key)
    layers = tuple(range(first, min(first + budget.layers, budget.all_layers)))
    if budget.sentence:
        st.caption(budget.sentence)
    if dark is None:
        dark = st.context.theme.type == "dark"
    page = document(view, tuple(sources), layers, budget.tokens, dark)
    st.iframe(page, height=_document_height(budget, sources[0].heads), alt=_view_title(view))
    return budget


def _first_layer(budget: Budget, numbers: Sequence[int], key: str) -> int:
    """Select a range of layers, as many as the budget allows; return its first."""
    if budget.layers == budget.all_layers:
        return 0
    starts = range(0, budget.all_layers, budget.layers)
    return st.selectbox(_("Layers"), starts, format_func=lambda start: _layer_range(start, budget, numbers), key=key)


def _layer_range(start: int, budget: Budget, numbers: Sequence[int]) -> str:
    first, last = numbers[start], numbers[min(start + budget.layers, budget.all_layers) - 1]
    return str(first) if first == last else _("{first} to {last}").format(first=first, last=last)


def _view_title(view: View) -> str:
    names = {"head": _("BertViz's head view"), "model": _("BertViz's model view"), "neuron": _("BertViz's neuron view")}
    return names[view]


def _document_height(budget: Budget, heads: int) -> int:
    """The height of BertViz's figure in pixels, from the sizes in its code, up to where it should scroll."""
    tokens = budget.tokens
    heights = {
        "head": 22.5 * tokens + 30,
        "model": max(budget.layers * (84 / heads * tokens + 10) + 38, 18 * tokens + 55),
        "neuron": 26 * tokens + 110,
    }
    return min(TALLEST, round(heights[budget.view]) + 70)
