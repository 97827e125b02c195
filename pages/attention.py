"""Attention: type a text and see every head at once."""

from playground.text import _
from ui import shell

shell.guard(_("Attention"), _("Where does each token look? Type a text and see every head of the model at once."))

import streamlit as st

from ui import state
from ui.jobs import read
from ui.sections.attention.bertviz import show_bertviz_views
from ui.sections.attention.compare import show_side_by_side
from ui.sections.attention.export import offer_exports
from ui.sections.attention.heatmaps import choose_options, show_heads
from ui.widgets.model import choose_model, choose_other_model, describe_model, obtain_model
from ui.widgets.text import choose_other_text, choose_texts

ONE, TEXTS, MODELS, BERTVIZ = _("One text"), _("Two texts"), _("Two models"), _("BertViz")

with st.sidebar:
    choice = choose_model()
model = obtain_model(choice)
with st.sidebar:
    describe_model(model)

mode = st.segmented_control(
    _("What to show"),
    [ONE, TEXTS, MODELS, BERTVIZ],
    default=ONE,
    key=state.MODE,
    bind="query-params",
    label_visibility="collapsed",
    required=True,
)
texts = choose_texts(model)
other_texts = choose_other_text(texts) if mode == TEXTS else texts
other_model = obtain_model(choose_other_model()) if mode == MODELS else model

reading = read(model, texts, key="left")
other = read(other_model, other_texts, key="right") if mode in (TEXTS, MODELS) else reading
if not (reading.trace.sites and other.trace.sites):
    st.info(_("The text has no tokens yet. Type something above."), icon=":material/keyboard:")
    st.stop()
options = choose_options(reading)

if mode == ONE:
    view = show_heads(reading, options, key="heads")
    with st.expander(_("Take it home: numbers, a stand-alone page, Python"), icon=":material/download:"):
        offer_exports(reading, options, view, choice=choice, texts=texts)
elif mode == BERTVIZ:
    show_bertviz_views(reading, options.kind)
else:
    show_side_by_side(reading, other, options)
