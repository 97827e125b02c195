"""Two texts or two models side by side: their difference by tokens or words, and the heads that differ most."""

import math
from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.lens.capture.words import Word
from playground.lens.comparison import Alignment, align_tokens, align_words, compare_heads
from playground.lens.inspect.attention_view import ViewOptions
from playground.text import _
from ui.cache import TracedText
from ui.components.attention_view import AlignedWords, ViewState, difference_view
from ui.components.token_view import TokenItem, token_view
from ui.jobs import require
from ui.sections.attention.heatmaps import show_heads
from ui.sections.attention.scores import show_scores
from ui.state.address import write_values
from ui.state.parameters import COMBINE, HEAD, LINK_HEADS, OTHER_COMBINE, OTHER_HEAD
from ui.text import inert

LEFT, RIGHT = "heads_left", "heads_right"
RANKED = 8
NAMED = 12
"""How many of the words left out are named."""


def choose_link() -> bool:
    """Whether both sides show the same head."""
    return st.toggle(
        _("Link heads"), value=True, key=LINK_HEADS, bind="query-params", help=_("Both sides show the same head.")
    )


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Two traces on show, and the place of the heads that differ most."""

    traces: tuple[TracedText, TracedText]
    options: tuple[ViewOptions, ViewOptions]
    views: tuple[ViewState, ViewState]
    words: tuple[Alignment, Alignment]
    ranking: DeltaGenerator


def show_comparison(left: TracedText, right: TracedText, options: ViewOptions, *, linked: bool) -> Sides:
    """The difference of the selected heads, and both views below; `finish_comparison` adds what takes longer."""
    both = options, options_for(right, options)
    words = aligned(left, right, both)
    by_token = is_by_token(left, right, both)
    maps, ranking = st.columns([2, 1], gap="large")
    with maps:
        st.subheader(_("Left minus right"), anchor=False)
        difference_view(LEFT, RIGHT, key="difference", words=None if by_token else _sent(words))
    columns = st.columns(2, gap="large")
    with columns[0]:
        st.subheader(inert(left.trace.model.name), anchor=False)
        view = show_heads(left, options, key=LEFT)
    with columns[1]:
        st.subheader(inert(right.trace.model.name), anchor=False)
        other = show_heads(right, both[1], key=RIGHT, is_second=True, follow=view.selected if linked else None)
    return Sides(traces=(left, right), options=both, views=(view, other), words=words, ranking=ranking)


def finish_comparison(sides: Sides) -> None:
    """The heads that differ most, and the scores of both views: both follow the pictures."""
    with sides.ranking:
        if all(axis.pairs for axis in sides.words):
            _rank_heads(*sides.traces, sides.options, sides.words)
    for traced, options, view, key in zip(sides.traces, sides.options, sides.views, (LEFT, RIGHT), strict=True):
        show_scores(traced, options, view.selected, view=key)


def options_for(traced: TracedText, options: ViewOptions) -> ViewOptions:
    """The same options, with a kind of attention that this model has."""
    kinds = traced.trace.kinds
    kind = options.kind if options.kind in kinds else kinds[0]
    return ViewOptions(kind=kind, hide_special=options.hide_special, exclude_first=options.exclude_first)


def is_by_token(left: TracedText, right: TracedText, options: tuple[ViewOptions, ViewOptions]) -> bool:
    """Whether the maps can be subtracted token by token: one vocabulary and equal counts, or the same tokens."""
    same_model = left.trace.model.name == right.trace.model.name
    for name in ("query_tokens", "key_tokens"):
        tokens = [getattr(side.trace, name)(chosen.kind) for side, chosen in zip((left, right), options, strict=True)]
        texts = [[token.text for token in side] for side in tokens]
        special = [[token.special for token in side] for side in tokens]
        if special[0] != special[1] or not (same_model or texts[0] == texts[1]):
            return False
    return True


def aligned(
    left: TracedText, right: TracedText, options: tuple[ViewOptions, ViewOptions]
) -> tuple[Alignment, Alignment]:
    """The queries and keys that are compared: tokens, or words where the tokens differ."""
    align = align_tokens if is_by_token(left, right, options) else align_words
    traces = left.trace, right.trace
    queries = [trace.query_tokens(chosen.kind) for trace, chosen in zip(traces, options, strict=True)]
    keys = [trace.key_tokens(chosen.kind) for trace, chosen in zip(traces, options, strict=True)]
    return align(*queries), align(*keys)


def _sent(words: tuple[Alignment, Alignment]) -> AlignedWords:
    """The aligned words as the difference view takes them."""
    titles = [[_title(*pair) for pair in axis.pairs] for axis in words]
    sides = [tuple([pair[side].positions for pair in axis.pairs] for axis in words) for side in (0, 1)]
    return AlignedWords(
        queries=titles[0],
        keys=titles[1],
        left=(sides[0][0], sides[0][1]),
        right=(sides[1][0], sides[1][1]),
        notes=_notes(words[1]),
    )


def _title(left: Word, right: Word) -> str:
    """Both words where they differ."""
    return left.text if left.text.casefold() == right.text.casefold() else f"{left.text} / {right.text}"


def _notes(keys: Alignment) -> list[str]:
    """How words are compared, and which have no counterpart."""
    notes = [
        _(
            "The tokens differ, so words are compared: attention to a word is the sum over its tokens, "
            "attention from it their mean (Clark et al. 2019)."
        )
    ]
    sides = (_("Left out on the left: {words}"), _("Left out on the right: {words}"))
    for title, alone in zip(sides, keys.left_out, strict=True):
        if alone:
            listed = " ".join(word.text for word in alone[:NAMED]) + (" …" if len(alone) > NAMED else "")
            notes.append(title.format(words=listed))
    return notes


def _rank_heads(
    left: TracedText,
    right: TracedText,
    options: tuple[ViewOptions, ViewOptions],
    words: tuple[Alignment, Alignment],
) -> None:
    """The heads that differ most; a click opens one on both sides."""
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
    ranked = [divmod(int(index), table.shape[1]) for index in np.argsort(-table, axis=None, kind="stable")[:RANKED]]
    items = [_ranked_item(layer, head, float(table[layer, head])) for layer, head in ranked]
    picked = token_view(items, layout="bars", label=_("Heads that differ most"), key="differs")
    if picked is not None:
        _open_both(*ranked[picked])
        st.rerun()


def _ranked_item(layer: int, head: int, divergence: float) -> TokenItem:
    return TokenItem(
        text=_("Head {layer}.{head}").format(layer=layer, head=head),
        value=min(1.0, divergence / math.log(2)),
        number=f"{divergence:.3f}",
        plain=True,
        clickable=True,
    )


def _open_both(layer: int, head: int) -> None:
    chosen = f"{layer}.{head}"
    write_values({HEAD: chosen, OTHER_HEAD: chosen, COMBINE: None, OTHER_COMBINE: None})
