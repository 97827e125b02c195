"""Take it apart: what each part of a model does, and what breaks without it."""

from playground.text import _
from ui import shell

shell.guard(
    _("Take it apart"),
    _("Which parts does a prediction rest on? Take them away, exchange them, and follow the numbers."),
)

import streamlit as st

from ui import state
from ui.components.live_chart import load_chart_library
from ui.sections.ablate.ablation import show_ablation
from ui.sections.ablate.attribution import show_writers
from ui.sections.ablate.head_circuits import show_search
from ui.sections.ablate.information_flow import show_flow
from ui.sections.ablate.interaction import show_whole
from ui.sections.ablate.options import choose_text, examine
from ui.sections.ablate.patching import show_patching
from ui.widgets.choice import choose_word
from ui.widgets.model import choose_model, describe_model, obtain_model

PATCH = "patch"
TITLES = {
    "ablate": _("Ablate"),
    "writes": _("Who writes the answer"),
    PATCH: _("Patch"),
    "flow": _("Flow"),
    "whole": _("Whole and parts"),
    "heads": _("Find heads"),
}
SHOW = {
    "ablate": show_ablation,
    "writes": show_writers,
    "flow": show_flow,
    "whole": show_whole,
    "heads": show_search,
}

with st.sidebar:
    load_chart_library()
    choice = choose_model()
model = obtain_model(choice)
with st.sidebar:
    describe_model(model)

section = choose_word(state.SECTION, _("Section"), TITLES, hidden=True)
if section == PATCH:
    show_patching(model)
    st.stop()
subject = examine(model, choose_text(model), key="apart")
if subject is not None:
    SHOW[section](subject)
