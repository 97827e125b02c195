"""A run's checkpoints to open or fork, its settings to copy, and its downloads."""

import json
from functools import partial

import streamlit as st

from playground.text import _
from playground.training import TrainConfig
from playground.training.finetune import FinetuneConfig
from playground.training.run.archive import FINETUNING_SCRIPT, SCRIPT, zip_run
from playground.training.run.paths import checkpoint_steps
from playground.training.run.runs import Run
from ui.sections.finetune.draft import settings_of
from ui.sections.train.checkpoint import show_checkpoint_doors
from ui.sections.train.config_form import copy_settings
from ui.state.address import read_choice, write_text, write_values
from ui.state.parameters import FINETUNE_VIEW, FINETUNING
from ui.state.revisions import renew
from ui.widgets.callbacks import action_button
from ui.widgets.doors import FINETUNE, doors
from ui.widgets.retention import say_retention


def show_files(run: Run) -> None:
    """Checkpoints on the left, downloads on the right."""
    left, right = st.columns(2)
    with left:
        _show_checkpoints(run)
    with right:
        _show_downloads(run)
    with st.expander(_("Settings"), icon=":material/data_object:"):
        st.json(run.config, expanded=2)


def _show_checkpoints(run: Run) -> None:
    steps = checkpoint_steps(run.folder)
    if not steps:
        st.caption(_("No checkpoint yet."))
        return
    step = st.select_slider(_("Checkpoint at step"), steps, value=steps[-1], key=f"snapshot_{run.id}")
    show_checkpoint_doors(run, step)
    st.caption(_("Model name, here and in Python: {name}").format(name=f"`run/{run.id}/{step}`"))
    if run.base:
        _show_form_door(run)
        return
    action_button(_("Copy settings"), "copy_settings", partial(_copy_settings, run), icon="arrow_upward")
    st.caption(_("Fills the fields of a new run with this run's settings."))


def _show_form_door(run: Run) -> None:
    """The form of a fine-tuning stands on a page of its own, which may be this one: a link to it keeps the address."""
    settings = settings_of(FinetuneConfig.from_dict(run.config))
    if read_choice(FINETUNE_VIEW, ["effects", "run"]) == "run":
        action_button(_("Copy settings"), "copy_settings", partial(_fill_form, settings), icon="arrow_upward")
    else:
        doors({_("Copy settings"): (FINETUNE, {str(FINETUNE_VIEW): "new", str(FINETUNING): settings})})
    st.caption(_("Fills the fields of a new fine-tuning with this run's settings."))


def _fill_form(settings: str) -> None:
    write_text(FINETUNING, settings)
    write_values({FINETUNE_VIEW: "new"})
    for parameter in (FINETUNING, FINETUNE_VIEW):
        renew(parameter)


def _copy_settings(run: Run) -> None:
    copy_settings(TrainConfig.from_dict(run.config))


def _show_downloads(run: Run) -> None:
    stem = f"run-{run.id[:8]}"
    st.download_button(
        _("Download ZIP: run"),
        partial(zip_run, run.folder),
        file_name=f"{stem}.zip",
        mime="application/zip",
        icon=":material/download:",
        on_click="ignore",
    )
    st.caption(_("Weights, settings, metrics, samples, and a script that repeats the run."))
    say_retention()
    st.download_button(
        _("Download JSON: settings"),
        json.dumps(run.config, indent=2, ensure_ascii=False),
        file_name=f"{stem}.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
    )
    with st.expander(_("Script")):
        st.code(FINETUNING_SCRIPT if run.base else SCRIPT, language="python")
