"""Scaling: curves from small runs, laws fitted to them, and what they predict."""

from playground.text import _
from ui import shell

shell.guard(
    _("Scaling"),
    _("How does the loss fall with parameters, data and compute, how far can one trust it, and what would it cost?"),
    needs="torch",
)

import streamlit as st

from ui.components.live_chart import load_chart_library
from ui.sections.scaling.data import (
    choose_counting,
    choose_source,
    choose_source_on_telephones,
    find_study,
    show_data_section,
    source_titles,
)
from ui.sections.scaling.dial import show_dial_section
from ui.sections.scaling.method_comparison import show_method_comparison
from ui.sections.scaling.planner import show_planner
from ui.sections.scaling.published import show_published_section
from ui.sections.scaling.sections import show_allocation_section, show_diagnostics_section, show_fit_section
from ui.sections.scaling.sweep_progress import show_sweep_section
from ui.sections.scaling.zipf import show_zipf_section
from ui.state.address import write_values
from ui.state.parameters import FIGURE, SECTION
from ui.state.scaling import FIT_SECTION, SECTION_WIDGET
from ui.widgets.choice import choose_option

LIVE = "live"
TITLES = {
    FIT_SECTION: _("Fit"),
    "diagnostics": _("Diagnostics"),
    "allocation": _("Compute-optimal allocation"),
    "disagree": _("Why papers disagree"),
    "plan": _("Planner"),
    LIVE: _("Run a sweep"),
    "dial": _("One dial"),
    "published-runs": _("Published"),
    "zipf": _("Zipf"),
    "data": _("Upload data"),
}
SECTIONS = {
    FIT_SECTION: show_fit_section,
    "diagnostics": show_diagnostics_section,
    "allocation": show_allocation_section,
    "disagree": show_method_comparison,
    "plan": show_planner,
    "dial": show_dial_section,
    "published-runs": show_published_section,
    "zipf": show_zipf_section,
    "data": show_data_section,
}

titles = source_titles()
with st.sidebar:
    load_chart_library()
    source = choose_source(titles)
with st.container(key="on_telephones"):
    choose_source_on_telephones(titles, source)
section = choose_option(SECTION, _("Section"), TITLES, key=SECTION_WIDGET, hidden=True)
if section == FIT_SECTION:
    # An address with a figure and no section is a link from when all figures stood in one section.
    write_values({FIGURE: None})
if section == LIVE:
    show_sweep_section()
    st.stop()
study = find_study(source)
if study is not None:
    with st.sidebar:
        study = choose_counting(study)
SECTIONS[section](study)
