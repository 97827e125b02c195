"""The scores of all heads, and what the selected one shows: sent to a picture that is painted already."""

from collections.abc import Callable

import streamlit as st

from playground.lens.capture.site import SiteKind
from playground.lens.inspect.attention_view import ViewOptions
from playground.lens.inspect.head_scores import HeadScores
from playground.text import _
from playground.viewer.attention_view.picture import picture_scores
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
    return picture_scores(traced.trace, scores, kind, selected)
