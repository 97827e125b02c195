"""Scaling: curves from small runs, laws fitted to them, and what they foretell."""

from playground.text import _
from ui import shell

shell.guard(
    _("Scaling"),
    _("How does the loss fall with parameters, data and compute, how far can one trust it, and what would it cost?"),
    needs="torch",
)

import streamlit as st

from ui import state
from ui.components.live_chart import load_chart_library
from ui.sections.scaling.data import choose_counting, choose_source, find_study, show_table
from ui.sections.scaling.method_comparison import show_disagreement
from ui.sections.scaling.planner import show_planner
from ui.sections.scaling.sections import show_pictures
from ui.sections.scaling.sweep_progress import show_live
from ui.widgets.choice import choose_word

LIVE = "live"
TITLES = {
    "curves": _("Curves"),
    "data": _("Data"),
    "disagree": _("Why papers disagree"),
    "plan": _("Planner"),
    LIVE: _("Live"),
}
SHOW = {"curves": show_pictures, "data": show_table, "disagree": show_disagreement, "plan": show_planner}

with st.sidebar:
    load_chart_library()
    source = choose_source()
section = choose_word(state.SECTION, _("Section"), TITLES, key="scaling_section", hidden=True)
if section == LIVE:
    show_live()
    st.stop()
study = find_study(source)
if study is not None:
    with st.sidebar:
        study = choose_counting(study)
SHOW[section](study)
