"""The run that is followed: state, controls, curves, attention over training, samples, files."""

import time
from functools import partial

import streamlit as st

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.text import _
from playground.training.run.control import Command
from playground.training.run.metrics import Metrics
from playground.training.run.milestones import Milestone, learnt_so_far
from playground.training.run.paths import checkpoint_steps
from playground.training.run.runs import Run
from playground.training.run.samples import read_samples
from playground.viewer.film_view.run_film import score_curves
from ui.cache import RunLog, run_log
from ui.components.film_view import FilmView
from ui.components.samples_view import samples_view
from ui.sections.train.curves import show_loss, show_measures, show_rate, show_spectrum
from ui.sections.train.export import show_files
from ui.sections.train.film import events_of, read_film_view, show_film
from ui.sections.train.fork import show_fork_dialog
from ui.sections.train.summary import show_summary
from ui.state.parameters import SECTION
from ui.state.scaling import point_of_run
from ui.state.session import LOG_AXES, LOG_LOSS, LOG_STEPS
from ui.state.training import take_fork_request, write_run_id
from ui.state.visitor import may_steer
from ui.text import error_sentence, inert
from ui.widgets.callbacks import action_button
from ui.widgets.choice import choose_option
from ui.widgets.doors import SCALING, door
from ui.widgets.model import is_hosted

FACTORS = (0.1, 0.3, 0.5, 1.0, 2.0, 3.0, 10.0)


def show_controls(run: Run) -> None:
    """The buttons that make sense in the run's state."""
    name = run.status.state if may_steer(run.owner) else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run_controls"):
        if not name:
            st.caption(_("You watch a run that somebody else started. To change it, fork it: the copy is yours."))
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
            has_begun = bool(checkpoint_steps(run.folder))
            label = _("Resume from last checkpoint") if has_begun else _("Start it again")
            action_button(label, "hand_play_arrow", resume, icon="play_arrow")
        point = point_of_run(run.id) if run.status.state == "finished" else None
        if point is not None:
            door(_("Its point on the scaling curve"), SCALING, point)


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


FOLLOW_SECONDS = 0.7
SHARED_FOLLOW_SECONDS = 1.5
"""On a hosted server, which many follow."""
FIRST_SECONDS = 0.5
"""How long the page waits for the first step of a run that has just started: the worker is that quick."""
JUST_STARTED_SECONDS = 3.0
LOOK_SECONDS = 0.02
FORMING, SAMPLES, RATE, FILES = "attention", "samples", "rate", "files"


def show_run(run_id: str) -> None:
    """Show a run, or say that it is gone."""
    try:
        run = default_executor().read(run_id)
    except UserError as error:
        say_gone(error)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(inert(run.name), anchor=False)
        if run.parent is not None:
            _show_parent(*run.parent)
        st.button(_("Close run"), key="close_run", icon=":material/close:", type="tertiary", on_click=_close)
    show_fork_dialog(run)
    live = run.status.is_live
    every = SHARED_FOLLOW_SECONDS if is_hosted() else FOLLOW_SECONDS
    st.fragment(_follow_run, run_every=every if live else None)(run_id, live)


def say_gone(error: UserError) -> None:
    """Why the run in the address cannot be shown, and a button that goes on without it."""
    st.error(error_sentence(error), icon=":material/error:")
    st.button(_("Close run"), key="close_run", icon=":material/close:", on_click=_close)


def _show_parent(parent: str, step: int) -> None:
    """The run that this one was forked from, which a click opens."""
    try:
        name = default_executor().read(parent).name
    except UserError:
        st.caption(_("forked from {run} at step {step}").format(run=parent[:8], step=step))
        return
    label = _("forked from {run} at step {step}").format(run=inert(name), step=step)
    st.button(label, key="open_parent", icon=":material/fork_right:", type="tertiary", on_click=_open, args=(parent,))


def _open(run_id: str) -> None:
    write_run_id(run_id)


def _close() -> None:
    write_run_id(None)


def _follow_run(run_id: str, was_live: bool) -> None:
    """Everything that changes while a run is live. When it has ended, the page reruns once more and rests."""
    if take_fork_request():
        st.rerun()
    try:
        run, log = _first_step(default_executor().read(run_id))
    except UserError:
        st.rerun()
        return
    if run.status.is_live != was_live:
        st.rerun()
    show_summary(run, log.metrics)
    show_controls(run)
    film = read_film_view(run, log)
    events = events_of(run, log.metrics, film)
    if len(log.metrics):
        _show_learnt(run, log.metrics, film, events)
        _show_charts(run, log, events)
    elif was_live and run.status.state != "queued":
        st.info(_("Starting…"), icon=":material/hourglass_top:")
    _show_section(run, log, film, events)


def _show_learnt(run: Run, metrics: Metrics, film: FilmView | None, events: list[Milestone]) -> None:
    """What has been learnt so far, in a line."""
    sentences = learnt_so_far(run.task, run.config.get("model", {}), metrics, score_curves(film), events)
    if sentences:
        texts = [str(sentence) for sentence in sentences]
        st.text(". ".join(text[:1].upper() + text[1:] for text in texts) + ".")


def _first_step(run: Run) -> tuple[Run, RunLog]:
    """The run and its log; of a run that was started a moment ago, with its first step if it comes soon."""
    log = run_log(run.folder, run.created)
    end = min(time.time() + FIRST_SECONDS, run.created + JUST_STARTED_SECONDS)
    while not len(log.metrics) and run.status.is_live and time.time() < end:
        time.sleep(LOOK_SECONDS)
        log = run_log(run.folder, run.created)
        run = default_executor().read(run.id)
    return run, log


def _show_charts(run: Run, log: RunLog, events: list[Milestone]) -> None:
    st.pills(
        _("Logarithmic axes"),
        [LOG_STEPS, LOG_LOSS],
        selection_mode="multi",
        key=LOG_AXES,
        format_func={LOG_STEPS: _("Log steps"), LOG_LOSS: _("Log loss")}.__getitem__,
        label_visibility="collapsed",
    )
    left, right = st.columns(2)
    with left:
        show_loss(run, log.metrics, events)
    with right:
        show_measures(run, log.metrics, events)


def _show_section(run: Run, log: RunLog, film: FilmView | None, events: list[Milestone]) -> None:
    titles = {
        FORMING: _("Attention over training"),
        SAMPLES: _("Samples"),
        RATE: _("Learning rate and gradient norm"),
        FILES: _("Settings and files"),
    }
    section = choose_option(SECTION, _("Section"), titles, key=SECTION, hidden=True)
    if section == SAMPLES:
        _show_samples(run)
    elif section == RATE and len(log.metrics):
        show_rate(run, log.metrics)
    elif section == FILES:
        show_files(run)
    elif section == FORMING and film is not None:
        show_film(run, film, events)
    elif section == FORMING:
        _say_no_film(run)


def _say_no_film(run: Run) -> None:
    """Why there is no timeline, and where a run's checkpoints are looked at without one."""
    if run.status.state in ("running", "paused"):
        st.caption(_("The timeline begins with the first step."))
    elif run.status.state != "queued":
        st.caption(
            _("This run kept no frames of its attention. “Settings and files” opens its checkpoints on every page.")
        )


def _show_samples(run: Run) -> None:
    samples = read_samples(run.folder)
    if not samples:
        st.caption(_("The first samples come with the first evaluation."))
        return
    show_spectrum(run, samples)
    samples_view(samples, key="samples", run=run.id)
