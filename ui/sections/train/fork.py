"""Fork a run as one act: a dialog with the run's own settings, what the weights decide greyed."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.text import _
from playground.training import TrainConfig
from playground.training.config import RunSettings
from playground.training.run.folder import read_run_config
from playground.training.run.lineage import FIXED_IN_FINETUNING, FIXED_IN_TASK, FREE_IN_MODEL, fork_steps
from playground.training.run.paths import CONFIG, checkpoint_steps
from playground.training.run.runs import LONGEST_NAME, Run, free_name
from ui.sections.train.config_form import FROM_TASK, MODEL_FIRST, TRAIN_FIRST, build
from ui.sections.train.runs import visible_runs
from ui.state.training import close_fork, read_fork, write_run_id
from ui.state.visitor import visitor
from ui.text import error_sentence, inert
from ui.widgets.fields import FIELD_WIDTH, edit, editable

NAME = "fork_name"


def show_fork_dialog(run: Run) -> None:
    """The dialog, where the person has asked for a fork of this run."""
    step = read_fork(run.id)
    if step is None:
        return
    if step not in checkpoint_steps(run.folder):
        close_fork()
        return
    title = _("Fork from step {step}").format(step=f"{step:,}")
    # Decorated when it is opened: a title at import time would be in the language of whoever came first.
    st.dialog(title, width="large", on_dismiss=close_fork)(_show_settings)(run, step)


def _show_settings(run: Run, step: int) -> None:
    try:
        config = read_run_config(run.folder / CONFIG)
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        return
    steps = fork_steps(config.steps, step)
    st.caption(
        _("A new run that continues from this checkpoint of “{run}”. Greyed: what its weights decide.").format(
            run=inert(run.name)
        )
    )
    if steps != config.steps:
        sentence = _("The run ends at step {old:,}; this fork is given {new:,} steps.")
        st.caption(sentence.format(old=config.steps, new=steps))
    act = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    make_config = _edit_config(config, steps, f"fork.{run.id}.{step}")
    default = free_name(
        _("{run}, fork at {step}").format(run=run.name, step=step)[:LONGEST_NAME], _names(), is_typed=True
    )
    with act:
        name = st.text_input(_("Run name"), key=NAME, max_chars=LONGEST_NAME, placeholder=default, width=FIELD_WIDTH)
        is_started = st.button(_("Start fork"), type="primary", icon=":material/fork_right:", key="start_fork")
    if is_started:
        typed = free_name(name, _names(), is_typed=True) if (name or "").strip() else default
        _start(run, step, make_config, typed)


def _edit_config(config: RunSettings, steps: int, key: str) -> Callable[[], RunSettings]:
    """The fields, and what makes the fork's settings of them: of a fine-tuning all but what its weights mean."""
    if isinstance(config, TrainConfig):
        return partial(build, config, _edit_records(dataclasses.replace(config, steps=steps), key))
    fixed = (*FIXED_IN_FINETUNING, "task", "length")
    first = [name for name in TRAIN_FIRST if name not in fixed]
    names = (*first, *editable(config, (*fixed, *first)))
    return partial(
        dataclasses.replace, config, **edit(dataclasses.replace(config, steps=steps), names, key=f"{key}.train")
    )


def _start(run: Run, step: int, make_config: Callable[[], RunSettings], name: str) -> None:
    try:
        new = default_executor().fork(run.id, step, make_config(), name=name, owner=visitor())
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        return
    close_fork()
    write_run_id(new)
    st.rerun()


def _names() -> list[str]:
    return [run.name for run in visible_runs()]


def _edit_records(start: TrainConfig, key: str) -> dict[str, dict[str, Any]]:
    """The fields of training, then the task's and the model's, of which most are greyed."""
    shape = _("Decides the shape of the weights, which a fork keeps.")
    data = _("Decides the vocabulary or the context of the weights, which a fork keeps.")
    model_names = (*MODEL_FIRST, *editable(start.model, (*FROM_TASK, *MODEL_FIRST)))
    task_names = editable(start.task)
    train_rest = editable(start, ("task", "model", *TRAIN_FIRST))
    st.markdown(f"**{_('Training')}**")
    train = edit(start, (*TRAIN_FIRST, *train_rest), key=f"{key}.train")
    st.markdown(f"**{_('Task')}**")
    locked = {name: data for name in task_names if name in FIXED_IN_TASK}
    task = edit(start.task, task_names, key=f"{key}.task", locked=locked)
    st.markdown(f"**{_('Model')}**")
    locked = {name: shape for name in model_names if name not in FREE_IN_MODEL}
    model = edit(start.model, model_names, key=f"{key}.model", locked=locked)
    return {
        "train": train,
        "task": {name: value for name, value in task.items() if name not in FIXED_IN_TASK},
        "model": {name: value for name, value in model.items() if name in FREE_IN_MODEL},
    }
