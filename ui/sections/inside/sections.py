"""The sections of the page inside a head, and the trace that some of them need."""

import streamlit as st

from playground.text import _
from ui.cache import TracedText
from ui.jobs import trace_of
from ui.state.parameters import SECTION
from ui.widgets.choice import choose_option
from ui.widgets.context_bar import ContextBar, bar_model, bar_texts
from ui.widgets.text import Texts

STEPS, TOY, POSITIONS, COMPARISON = "steps", "hand", "positions", "many"
"""As they stand in addresses."""


def choose_section() -> str:
    """The section of the address."""
    titles = {
        STEPS: _("Step by step"),
        TOY: _("Toy example (edit the numbers)"),
        POSITIONS: _("Positions"),
        COMPARISON: _("Multi-head vs. single-head"),
    }
    return choose_option(SECTION, _("Section"), titles, key="inside_section", hidden=True)


def obtain_trace(bar: ContextBar) -> tuple[TracedText, Texts]:
    """The chosen model's trace of the chosen text, and the text; ends the run with a sentence where there is none."""
    _choice, model = bar_model(bar)
    texts = bar_texts(bar, model)
    traced_text = trace_of(model, texts, key="inside")
    if not traced_text.trace.sites:
        st.info(_("The text has no tokens yet. Type something above."), icon=":material/keyboard:")
        st.stop()
    return traced_text, texts
