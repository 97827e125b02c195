"""The buttons of a run: pause, resume, step, rewind, checkpoint, stop, change the learning rate."""

from functools import partial

import streamlit as st

from playground.jobs.executor import default_executor
from playground.text import _
from playground.training.run.control import Command
from playground.training.run.runs import Run
from ui.widgets.callbacks import action_button

FACTORS = (0.1, 0.3, 0.5, 1.0, 2.0, 3.0, 10.0)


def show_controls(run: Run) -> None:
    """The buttons that make sense in the run's state."""
    name = run.status.state
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if name == "running":
            _command_button(run, _("Pause"), "pause", Command(action="pause"))
        if name == "paused":
            _command_button(run, _("Resume"), "play_arrow", Command(action="resume"))
            _command_button(run, _("+1 step"), "skip_next", Command(action="step", steps=1))
            _command_button(run, _("+10 steps"), "fast_forward", Command(action="step", steps=10))
        if name in ("running", "paused"):
            _command_button(run, _restart_label(run), "replay", Command(action="rewind"))
            _command_button(run, _("Save checkpoint"), "photo_camera", Command(action="checkpoint"))
            _command_button(run, _("Stop"), "stop", Command(action="stop"))
            _rate_popover(run)
        if name == "queued":
            _command_button(run, _("Cancel"), "close", Command(action="stop"))
        if name in ("interrupted", "stopped", "failed"):
            resume = partial(default_executor().resume, run.id)
            action_button(_("Resume from last checkpoint"), "hand_play_arrow", resume, icon="play_arrow")


def _command_button(run: Run, label: str, icon: str, command: Command) -> None:
    action_button(label, f"hand_{icon}", partial(default_executor().control, run.id, command), icon=icon)


def _restart_label(run: Run) -> str:
    """A fork restarts where it was forked."""
    return _("Restart from step {step}").format(step=run.parent[1] if run.parent else 0)


def _rate_popover(run: Run) -> None:
    with st.popover(_("Learning rate"), icon=":material/speed:"):
        st.caption(_("Multiplies the schedule's learning rate from the next step on."))
        factor = st.select_slider(
            _("Factor"), FACTORS, value=1.0, key=f"factor_{run.id}", format_func=lambda factor: f"× {factor:g}"
        )
        _command_button(run, _("Apply"), "check", Command(action="rate", factor=factor))
