"""Predict and generate: next-token distribution, sampling, beam search, fill-mask, surprisal, logit lens."""

from playground.text import _
from ui import shell

shell.guard(
    _("Predict and generate"),
    _("What does the model predict next, how sure is it, and what else could it have generated?"),
)

import streamlit as st

from ui.components.live_chart import load_chart_library
from ui.sections.generate.sections import choose_prediction_section, require_predictions, show_section
from ui.widgets.model import choose_model, describe_model, obtain_model
from ui.widgets.text import choose_texts

with st.sidebar:
    load_chart_library()
    choice = choose_model()
model = obtain_model(choice)
with st.sidebar:
    describe_model(model)

require_predictions(model)
section = choose_prediction_section(model)
texts = choose_texts(model)
show_section(section, model, texts)
