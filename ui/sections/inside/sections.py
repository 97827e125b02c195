"""The sections of the page inside a head, and the trace that some of them need."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.text import _
from ui.cache import TracedText
from ui.jobs import trace_of
from ui.state.address import read_choice
from ui.state.parameters import SECTION
from ui.widgets.choice import choose_segment
from ui.widgets.context_bar import ContextBar, bar_model, bar_texts
from ui.widgets.mirror import mirrored
from ui.widgets.text import Texts

STYLE = """<style>
@media (max-width: 40rem) { .st-key-inside_row [role="radiogroup"] { flex-wrap: wrap; } }
[class*="st-key-step_"] pre { overflow-x: auto !important; }
[class*="st-key-step_"] pre code, [class*="st-key-step_"] pre code * {
    overflow-wrap: normal !important;
    word-break: normal !important;
}
[data-testid="stMain"] .katex-display { overflow: auto hidden; padding: 0.2rem 2px; }
</style>"""
"""On a telephone the sections take two lines and a wide formula scrolls; lines of code break between words."""
STEPS, TOY, POSITIONS, COMPARISON = "steps", "hand", "positions", "many"
ARCHITECTURE = "architecture"
"""As they stand in addresses."""


def choose_section() -> tuple[str, DeltaGenerator]:
    """The section of the address, and the row that it is chosen in, which has room for more."""
    titles = {
        STEPS: _("Step by step"),
        TOY: _("Toy example"),
        POSITIONS: _("Positions"),
        ARCHITECTURE: _("Architecture"),
        COMPARISON: _("Multi-head vs. single-head"),
    }
    row = st.container(horizontal=True, vertical_alignment="center", gap="small", key="inside_row")
    st.html(STYLE)
    with row:
        section: str = choose_segment(
            _("Section"),
            list(titles),
            read_choice(SECTION, list(titles)),
            **mirrored(SECTION, read_choice(SECTION, list(titles)), STEPS),
            format_func=titles.__getitem__,
            label_visibility="collapsed",
            width="content",
        )
    return section, row


def obtain_trace(bar: ContextBar) -> tuple[TracedText, Texts]:
    """The chosen model's trace of the chosen text, and the text; ends the run with a sentence where there is none."""
    _choice, model = bar_model(bar)
    texts = bar_texts(bar, model)
    traced_text = trace_of(model, texts, key="inside")
    if not traced_text.trace.sites:
        st.info(_("The text has no tokens yet. Type something above."), icon=":material/keyboard:")
        st.stop()
    return traced_text, texts
