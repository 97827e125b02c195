"""Inside a head: how the numbers of one head come about, step by step."""

from ui import shell
from ui.text import _

shell.guard(
    _("Inside a head"), _("How do the numbers of a head come about? Follow one token through every product and sum.")
)

import streamlit as st

from ui.controls.inside.story import show_story
from ui.controls.model import choose_model, describe_model, obtain_model
from ui.controls.reading import read
from ui.controls.texts import choose_texts

with st.sidebar:
    choice = choose_model()
model = obtain_model(choice)
with st.sidebar:
    describe_model(model)
texts = choose_texts(model)
reading = read(model, texts, key="inside")
if not reading.trace.sites:
    st.info(_("The text has no tokens yet. Type something above."), icon=":material/keyboard:")
    st.stop()
show_story(reading)
