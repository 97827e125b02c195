"""The sections of the page inside a head, and the reading that some of them need."""

import streamlit as st

from playground.text import _
from ui import state
from ui.cache import Reading
from ui.jobs import read
from ui.widgets.choice import choose_word
from ui.widgets.model import ModelChoice, describe_model, obtain_model
from ui.widgets.text import Texts, choose_texts

STEPS, HAND, POSITIONS, MANY = "steps", "hand", "positions", "many"


def choose_section() -> str:
    """The section of the address, in a word that no language changes."""
    titles = {
        STEPS: _("Step by step"),
        HAND: _("By hand"),
        POSITIONS: _("Positions"),
        MANY: _("Many heads or one"),
    }
    return choose_word(state.SECTION, _("Section"), titles, key="inside_section", hidden=True)


def obtain_reading(choice: ModelChoice) -> tuple[Reading, Texts]:
    """The chosen model's reading of the chosen text, and the text; ends the run with a sentence where there is none."""
    model = obtain_model(choice)
    with st.sidebar:
        describe_model(model)
    texts = choose_texts(model)
    reading = read(model, texts, key="inside")
    if not reading.trace.sites:
        st.info(_("The text has no tokens yet. Type something above."), icon=":material/keyboard:")
        st.stop()
    return reading, texts
