"""By hand: attention over a few words, why scores are divided by √d_k, what residual connections and norms do."""

import streamlit as st

from playground.text import _
from ui.sections.inside.attention_by_hand import choose_example, show_toy_example
from ui.sections.inside.residuals import show_residuals
from ui.sections.inside.root_of_width import show_root_of_width
from ui.state.parameters import BY_HAND
from ui.widgets.choice import choose_option
from ui.widgets.context_bar import ContextBar

ATTENTION, ROOT = "attention", "root"


def show_by_hand(bar: ContextBar) -> None:
    """Choose a part, and show it."""
    titles = {
        ATTENTION: _("Attention over six words"),
        ROOT: _("Why √d_k"),
        "residuals": _("Residual connections and norms"),
    }
    with st.container(horizontal=True, gap="medium"):
        part = choose_option(BY_HAND, _("Part"), titles, hidden=True)
        example = choose_example() if part == ATTENTION else ""
    if part == ATTENTION:
        show_toy_example(example)
    elif part == ROOT:
        show_root_of_width(bar)
    else:
        show_residuals()
