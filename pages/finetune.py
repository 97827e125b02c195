"""Fine-tune: let a model learn on, and see what it did to the model."""

from playground.text import _
from ui import shell

shell.guard(
    _("Fine-tune"),
    _("What does fine-tuning change, and where in the model?"),
    needs="torch",
)

import streamlit as st

from playground.errors import UserError
from ui.components.live_chart import load_chart_library
from ui.sections.finetune.before_after import show_effects
from ui.sections.finetune.files import show_result
from ui.sections.finetune.labels import view_titles
from ui.sections.finetune.new_run import show_new_finetuning
from ui.sections.finetune.series import show_label_curve, show_rank_sweep
from ui.sections.train.run import show_run
from ui.state.parameters import FINETUNE_VIEW
from ui.state.training import read_run_id
from ui.text import error_sentence
from ui.widgets.choice import choose_option


def _show_training() -> None:
    run_id = read_run_id()
    if run_id is None:
        raise UserError("No run is open. Start a new fine-tuning, or open one from the table of the page Train.")
    show_run(run_id)


SHOW = {
    "effects": show_effects,
    "new": show_new_finetuning,
    "run": _show_training,
    "labels": show_label_curve,
    "ranks": show_rank_sweep,
    "files": show_result,
}

with st.sidebar:
    load_chart_library()
view = choose_option(FINETUNE_VIEW, _("Section"), view_titles(), hidden=True)
try:
    SHOW[view]()
except UserError as error:
    st.info(error_sentence(error), icon=":material/info:")
