"""Predict and generate: what a model expects next, what it writes, and how it takes a text."""

from playground.text import _
from ui import shell

shell.guard(
    _("Predict and generate"),
    _("What does the model expect next, how sure is it, and what else could it have written?"),
)

import streamlit as st

from ui.components.live_chart import load_chart_library
from ui.sections.generate.sections import choose_section, require_predictions, show_section
from ui.widgets.model import choose_model, describe_model, obtain_model
from ui.widgets.text import choose_texts

with st.sidebar:
    load_chart_library()
    choice = choose_model()
model = obtain_model(choice)
with st.sidebar:
    describe_model(model)

require_predictions(model)
section = choose_section(model)
texts = choose_texts(model)
show_section(section, model, texts)
