"""Train: watch a tiny transformer learn."""

from playground.text import _
from ui import shell

shell.guard(
    _("Train"),
    _("What does a transformer learn, and when? Train a small one and watch its heads form."),
    needs="torch",
)

import streamlit as st

from ui.components.live_chart import load_chart_library
from ui.sections.train.config_form import choose_config, upload_settings
from ui.sections.train.lr_finder import offer_finder
from ui.sections.train.run import show_run
from ui.sections.train.runs import show_run_table
from ui.sections.train.start import show_start
from ui.sections.train.summary import show_ready
from ui.state.training import read_run_id

with st.sidebar:
    draft = choose_config()
    show_start(draft)
    offer_finder(draft)
    upload_settings()

run_id = read_run_id()
if run_id is not None:
    show_run(run_id)
    st.divider()
elif draft.config is not None:
    show_ready(draft.config.steps)
    st.divider()
st.subheader(_("Runs"), anchor=False)
show_run_table()
load_chart_library()
