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
from ui.sections.train.new_run import show_costs, show_new_run
from ui.sections.train.run import show_run
from ui.sections.train.runs import show_run_table
from ui.state.training import read_run_id

new_run = show_new_run(is_folded=read_run_id() is not None)
run_id = read_run_id()
if run_id is not None:
    show_run(run_id)
st.divider()
st.subheader(_("Runs"), anchor=False)
show_run_table()
show_costs(new_run)
load_chart_library()
