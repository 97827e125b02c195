"""Two texts or two models side by side: their difference by tokens or words, and the heads that differ most."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st
from jaxtyping import Float
from streamlit.delta_generator import DeltaGenerator

from playground.lens.comparison import (
    Alignment,
    align_traces,
    closest_heads,
    compare_heads,
    differing_heads,
    is_by_token,
    options_for,
)
from playground.lens.finding import Finding
from playground.lens.inspect.attention_view import ViewOptions
from playground.text import _
from playground.viewer.attention_view.aligned import aligned_words
from ui.cache import TracedText
from ui.components.attention_view import ViewState, difference_view
from ui.components.token_view import TokenItem, token_view
from ui.jobs import require
from ui.sections.attention.head_doors import show_side_doors
from ui.sections.attention.heatmaps import show_heads
from ui.sections.attention.scores import show_scores
from ui.state.address import write_values
from ui.state.parameters import COMBINE, HEAD, LINK_HEADS, OTHER_COMBINE, OTHER_HEAD
from ui.text import inert
from ui.widgets.callbacks import action_button
from ui.widgets.findings import show_findings

LEFT, RIGHT = "heads_left", "heads_right"
RANKED = 8


def choose_link() -> bool:
    """Whether both sides show the same head in the same way."""
    return st.toggle(
        _("Link heads"),
        value=True,
        key=LINK_HEADS,
        bind="query-params",
        help=_("Both sides show the same head, and the left toolbar sets both."),
    )


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Two traces on show, and the places of what follows: a sentence, and the heads that differ most."""

    traces: tuple[TracedText, TracedText]
    options: tuple[ViewOptions, ViewOptions]
    views: tuple[ViewState, ViewState]
    words: tuple[Alignment, Alignment]
    finding: DeltaGenerator
    ranking: DeltaGenerator


def show_comparison(
    left: TracedText, right: TracedText, options: ViewOptions, *, linked: bool, other: Mapping[str, str]
) -> Sides:
    """The difference of the selected heads, and both views below; `finish_comparison` adds what takes longer.

    other: the right side's text or model, as an address has it.
    """
    both = options, options_for(right.trace, options)
    traces = left.trace, right.trace
    words = align_traces(traces, both)
    by_token = is_by_token(traces, both)
    maps, beside = st.columns([2, 1], gap="large")
    finding, ranking = beside.container(), beside.container()
    with maps:
        difference_view(LEFT, RIGHT, key="difference", words=None if by_token else aligned_words(words))
    columns = st.columns(2, gap="large")
    with columns[0]:
        st.subheader(inert(left.trace.model.name), anchor=False)
        view = show_heads(left, options, key=LEFT)
        show_side_doors(both[0].kind, view.selected, {}, key="left_doors")
    with columns[1]:
        st.subheader(inert(right.trace.model.name), anchor=False)
        second = show_heads(right, both[1], key=RIGHT, is_second=True, follow=view if linked else None)
        show_side_doors(both[1].kind, second.selected, other, key="right_doors")
    return Sides(
        traces=(left, right), options=both, views=(view, second), words=words, finding=finding, ranking=ranking
    )


def finish_comparison(sides: Sides) -> None:
    """The heads that differ most, and the scores of both views: both follow the pictures."""
    if all(axis.pairs for axis in sides.words):
        with sides.ranking:
            divergence = _rank_heads(*sides.traces, sides.options, sides.words)
        with sides.finding:
            _say_difference(sides, divergence)
    for traced, options, view, key in zip(sides.traces, sides.options, sides.views, (LEFT, RIGHT), strict=True):
        show_scores(traced, options, view.selected, view=key)


def _rank_heads(
    left: TracedText,
    right: TracedText,
    options: tuple[ViewOptions, ViewOptions],
    words: tuple[Alignment, Alignment],
) -> Float[np.ndarray, "layer head"]:
    """The heads that differ most; a click opens one on both sides. Returns the divergence of each."""
    table = require(
        ("divergence", right.name, options),
        lambda _on_progress: compare_heads((left.trace, right.trace), options, words),
        title=_("Comparing the heads …"),
        cache=left,
    )
    st.subheader(_("Heads that differ most"), anchor=False)
    st.caption(_("Jensen–Shannon divergence in nats, mean over the queries: 0 is the same, 0.693 nothing in common."))
    if left.trace.model.name != right.trace.model.name:
        st.caption(_("Heads of two models that share a number share nothing else: a large value says little here."))
    order = np.argsort(-table, axis=None, kind="stable")[:RANKED]
    places = [divmod(int(index), table.shape[1]) for index in order]
    layers = [side.trace.block_numbers(one.kind) for side, one in zip((left, right), options, strict=True)]
    items = [_ranked_item(layers[0][row], head, float(table[row, head])) for row, head in places]
    picked = token_view(items, layout="bars", label=_("Heads that differ most"), key="differs")
    if picked is not None:
        row, head = places[picked]
        _open_both(f"{layers[0][row]}.{head}", f"{layers[1][row]}.{head}")
        st.rerun()
    return table


def _say_difference(sides: Sides, divergence: Float[np.ndarray, "layer head"]) -> None:
    """A sentence beside the difference; of two models, whose heads share their numbers only, the two most alike."""
    left, right = sides.traces
    if left.trace.model.name == right.trace.model.name:
        show_findings(differing_heads(divergence, left.trace.block_numbers(sides.options[0].kind)))
        return
    finding = require(
        ("closest heads", right.name, sides.options),
        lambda _on_progress: closest_heads((left.trace, right.trace), sides.options, sides.words),
        title=_("Comparing the heads …"),
        cache=left,
    )
    show_findings(finding)
    if finding is not None:
        action_button(_("Show these two"), "closest", partial(_open_apart, finding), icon="compare")


def _ranked_item(layer: int, head: int, divergence: float) -> TokenItem:
    return TokenItem(
        text=_("Head {layer}.{head}").format(layer=layer, head=head),
        value=min(1.0, divergence / math.log(2)),
        number=f"{divergence:.3f}",
        plain=True,
        clickable=True,
    )


def _open_apart(closest: Finding) -> None:
    """Show a head on each side, which do not follow one another."""
    st.session_state[LINK_HEADS] = False
    _open_both(str(closest.values["left"]), str(closest.values["right"]))


def _open_both(left: str, right: str) -> None:
    write_values({HEAD: left, OTHER_HEAD: right, COMBINE: None, OTHER_COMBINE: None})
