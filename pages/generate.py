"""Predict and generate: next-token distribution, sampling, beam search, fill-mask, surprisal, logit lens."""

from playground.text import _
from ui import shell

shell.guard(
    _("Predict and generate"),
    _("What does the model predict next, how sure is it, and what else could it have generated?"),
)

import streamlit as st

from ui.components.live_chart import load_chart_library
from ui.sections.generate.sections import (
    choose_prediction_section,
    require_predictions,
    show_prediction_bar,
    show_section,
)
from ui.widgets.context_bar import bar_model, bar_texts, open_bar

with st.sidebar:
    load_chart_library()
bar = open_bar()
_choice, model = bar_model(bar)
texts = bar_texts(bar, model)
require_predictions(model)
section = choose_prediction_section(model)
show_prediction_bar(bar, section, model, texts)
show_section(section, model, texts)
