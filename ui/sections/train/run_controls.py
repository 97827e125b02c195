"""What a person can do with a run while it lives and after: pause, step, change the rate, rewind, stop, go on, fork."""

from functools import partial

import streamlit as st

from playground.jobs.executor import default_executor
from playground.text import _
from playground.training.run.control import Command
from playground.training.run.runs import Run
from ui.widgets.callbacks import deed_button

FACTORS = (0.1, 0.3, 0.5, 1.0, 2.0, 3.0, 10.0)


def show_hand(run: Run) -> None:
    """The buttons that make sense in the run's state."""
    name = run.status.state
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if name == "running":
            _button(run, _("Pause"), "pause", Command(action="pause"))
        if name == "paused":
            _button(run, _("Go on"), "play_arrow", Command(action="resume"))
            _button(run, _("One step"), "skip_next", Command(action="step", steps=1))
            _button(run, _("Ten steps"), "fast_forward", Command(action="step", steps=10))
        if name in ("running", "paused"):
            _button(run, _("Back to the start"), "replay", Command(action="rewind"))
            _button(run, _("Keep a snapshot"), "photo_camera", Command(action="snapshot"))
            _button(run, _("Stop"), "stop", Command(action="stop"))
            _show_rate(run)
        if name == "queued":
            _button(run, _("Leave the queue"), "close", Command(action="stop"))
        if name in ("interrupted", "stopped", "failed"):
            resume = partial(default_executor().resume, run.id)
            deed_button(_("Go on from the last snapshot"), "hand_play_arrow", resume, icon="play_arrow")


def _button(run: Run, label: str, icon: str, command: Command) -> None:
    deed_button(label, f"hand_{icon}", partial(default_executor().control, run.id, command), icon=icon)


def _show_rate(run: Run) -> None:
    with st.popover(_("Learning rate"), icon=":material/speed:"):
        st.caption(_("Multiplies the schedule's learning rate from the next step on."))
        factor = st.select_slider(
            _("Factor"), FACTORS, value=1.0, key=f"factor_{run.id}", format_func=lambda factor: f"× {factor:g}"
        )
        _button(run, _("Apply"), "check", Command(action="rate", factor=factor))
