"""What a person can do with a run while it lives and after: pause, step, change the rate, rewind, stop, go on, fork."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.training.control import Command
from playground.training.runs import Run
from ui.text import _

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
            _act(_("Leave the queue"), "close", partial(default_executor().control, run.id, Command(action="stop")))
        if name in ("interrupted", "stopped", "failed"):
            _act(_("Go on from the last snapshot"), "play_arrow", partial(default_executor().resume, run.id))


def _button(run: Run, label: str, icon: str, command: Command) -> None:
    _act(label, icon, partial(default_executor().control, run.id, command))


def _act(label: str, icon: str, deed: Callable[[], object]) -> None:
    """A button whose deed may be refused with a sentence."""
    if st.button(label, icon=f":material/{icon}:", key=f"hand_{icon}"):
        try:
            deed()
        except UserError as error:
            st.toast(str(error), icon=":material/error:")
            return
        st.rerun()


def _show_rate(run: Run) -> None:
    with st.popover(_("Learning rate"), icon=":material/speed:"):
        st.caption(_("Multiplies the schedule's learning rate from the next step on."))
        factor = st.select_slider(
            _("Factor"), FACTORS, value=1.0, key=f"factor_{run.id}", format_func=lambda factor: f"× {factor:g}"
        )
        _button(run, _("Apply"), "check", Command(action="rate", factor=factor))
