"""Take it apart: ablation, attribution and activation patching."""

from playground.text import _
from ui import shell

shell.guard(
    _("Take it apart"),
    _("Ablation, attribution, activation patching: which components does a prediction depend on?"),
)

import streamlit as st

from ui.components.live_chart import load_chart_library
from ui.sections.ablate.ablation import show_ablation
from ui.sections.ablate.attribution import show_logit_attribution
from ui.sections.ablate.head_search import show_head_search
from ui.sections.ablate.interaction import show_interaction
from ui.sections.ablate.options import examine, show_subject_bar
from ui.sections.ablate.patching import show_patching
from ui.sections.ablate.token_attribution import show_token_attribution
from ui.state.address import read_choice
from ui.state.parameters import SECTION
from ui.widgets.choice import choose_segment
from ui.widgets.context_bar import bar_model, bar_texts, open_bar
from ui.widgets.mirror import mirrored

PATCH = "patch"
TITLES = {
    "ablate": _("Ablation"),
    "writes": _("Direct logit attribution"),
    PATCH: _("Activation patching"),
    "flow": _("Token attribution"),
    "whole": _("Interaction effects"),
    "heads": _("Find heads"),
}
SHOW = {
    "ablate": show_ablation,
    "writes": show_logit_attribution,
    "flow": show_token_attribution,
    "whole": show_interaction,
    "heads": show_head_search,
}

with st.sidebar:
    load_chart_library()
bar = open_bar()
_choice, model = bar_model(bar)
section = read_choice(SECTION, list(TITLES))
choose_segment(
    _("Section"),
    list(TITLES),
    section,
    **mirrored(SECTION, section, "ablate"),
    format_func=TITLES.__getitem__,
    label_visibility="collapsed",
)
if section == PATCH:
    show_patching(bar, model)
    st.stop()
subject = examine(model, bar_texts(bar, model), key="ablate")
if subject is not None:
    show_subject_bar(bar, subject)
    SHOW[section](subject)
