"""Emergence: abilities that seem to appear all at once, under measures that are steep and under others."""

from playground.text import _
from ui import shell

shell.guard(
    _("Emergence"),
    _("Does an ability appear all at once, or does the measure make it seem so? Exchange the measure and see."),
    needs="torch",
)

import streamlit as st

from playground.emergence.shipped import read_study
from playground.emergence.studies import study_of
from playground.errors import UserError
from ui import state
from ui.sections.emergence.hidden_progress import show_hidden
from ui.sections.emergence.metrics import show_answers
from ui.widgets.choice import choose_word

TITLES = {
    "addition": _("Addition"),
    "translation": _("Translation"),
    "induction": _("Induction heads"),
    "grokking": _("Grokking"),
}
SHOW = {
    "addition": show_answers,
    "translation": show_answers,
    "induction": show_hidden,
    "grokking": show_hidden,
}

section = choose_word(state.SECTION, _("Section"), TITLES, hidden=True)
try:
    rows = read_study(section)
except UserError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()
SHOW[section](study_of(section), rows)
