"""Emergence: abilities that seem to appear all at once, under discontinuous and continuous metrics."""

from playground.text import _
from ui import shell

shell.guard(
    _("Emergence"),
    _("Does an ability appear all at once, or does the metric make it seem so? Switch the metric and see."),
    needs="torch",
)

import streamlit as st

from playground.emergence.studies import study_of
from playground.emergence.tables import read_study
from playground.errors import UserError
from ui.sections.emergence.answer_metrics import show_answer_metrics
from ui.sections.emergence.progress_measures import show_progress_measures
from ui.state.parameters import SECTION
from ui.text import error_sentence
from ui.widgets.choice import choose_option

TITLES = {
    "addition": _("Addition"),
    "translation": _("Translation"),
    "induction": _("Induction heads"),
    "grokking": _("Grokking"),
}
SHOW = {
    "addition": show_answer_metrics,
    "translation": show_answer_metrics,
    "induction": show_progress_measures,
    "grokking": show_progress_measures,
}

section = choose_option(SECTION, _("Section"), TITLES, hidden=True)
try:
    checkpoints = read_study(section)
except UserError as error:
    st.error(error_sentence(error), icon=":material/error:")
    st.stop()
SHOW[section](study_of(section), checkpoints)
