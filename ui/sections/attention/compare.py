"""Two readings side by side, and their difference."""

import streamlit as st

from playground.lens.inspect.attention_view import ViewOptions
from playground.text import _
from ui import state
from ui.cache import Reading
from ui.components.attention_view import difference_view
from ui.sections.attention.heatmaps import show_heads

LEFT, RIGHT = "heads_left", "heads_right"


def show_side_by_side(left: Reading, right: Reading, options: ViewOptions) -> None:
    """The difference of the chosen heads, and below it both pictures."""
    same = st.toggle(_("Show the same head on both sides"), value=True, key=state.SAME_HEAD, bind="query-params")
    st.subheader(_("Left minus right"), anchor=False)
    difference_view(LEFT, RIGHT, key="difference")
    columns = st.columns(2, gap="large")
    with columns[0]:
        st.subheader(left.trace.model.name, anchor=False)
        view = show_heads(left, options, key=LEFT)
    with columns[1]:
        st.subheader(right.trace.model.name, anchor=False)
        other = _options_for(right, options)
        show_heads(right, other, key=RIGHT, prefix="other_", follow=view.selected if same else None)


def _options_for(reading: Reading, options: ViewOptions) -> ViewOptions:
    """The same options, with a kind of attention that this model has."""
    kinds = reading.trace.kinds
    kind = options.kind if options.kind in kinds else kinds[0]
    return ViewOptions(kind=kind, hide_special=options.hide_special, set_aside_first=options.set_aside_first)
