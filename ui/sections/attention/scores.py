"""The scores of all heads, and what the selected one shows: sent to a picture that is painted already."""

from collections.abc import Callable, Mapping

import numpy as np
import streamlit as st

from playground.lens.capture.site import SiteKind
from playground.lens.inspect.attention_view import ViewOptions
from playground.lens.inspect.head_kind import TextShape, count_repeats, describe_head
from playground.lens.inspect.head_scores import HeadScores
from playground.text import _
from ui.cache import TracedText
from ui.components.attention_view import ScoresView, Selected, attention_scores
from ui.jobs import follow, require
from ui.sections.attention.heatmaps import picture_name


def show_scores(traced: TracedText, options: ViewOptions, selected: Selected, *, view: str) -> None:
    """Send the scores to the attention view of that key; until they are there it keeps their places."""
    place = st.empty()
    make = _computed(traced, options.kind)
    scores = follow(("head scores", options.kind), make, cache=traced, waiting=place.empty)
    attention_scores(picture_name(traced, options), scores_view(traced, scores, options.kind, selected), view=view)


def head_scores_of(traced: TracedText, kind: SiteKind) -> HeadScores:
    """Scores of every head, cached with the trace."""
    return require(("head scores", kind), _computed(traced, kind), title=_("Comparing the heads …"), cache=traced)


def _computed(traced: TracedText, kind: SiteKind) -> Callable[[object], HeadScores]:
    return lambda _on_progress: traced.trace.head_scores(kind)


def scores_view(traced: TracedText, scores: HeadScores, kind: SiteKind, selected: Selected) -> ScoresView:
    """What is sent of the scores."""
    finding = _finding(traced, scores.scores, kind, selected)
    return ScoresView(tables=scores.scores, selected=selected, finding=finding)


def _finding(traced: TracedText, tables: Mapping[str, np.ndarray], kind: SiteKind, selected: Selected) -> str:
    """What kind of head it is, in a sentence; empty where nothing fits, or for a mean or maximum."""
    if selected.combine != "head":
        return ""
    trace = traced.trace
    queries, keys = trace.query_tokens(kind), trace.key_tokens(kind)
    shape = TextShape(
        queries=len(queries),
        keys=len(keys),
        is_causal=trace.site(selected.layer, kind).is_causal,
        repeats=count_repeats([token.id for token in queries]),
    )
    scores = {name: float(table[selected.layer, selected.head]) for name, table in tables.items()}
    finding = describe_head(scores, shape)
    return "" if finding is None else str(finding)
