"""The run that is followed: state, controls, curves, attention over training, samples, files."""

import time
from functools import partial

import numpy as np
import streamlit as st

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.text import _
from playground.training.run.control import Command
from playground.training.run.film import FilmProbe, Frame, read_probe
from playground.training.run.runs import Run
from playground.training.run.samples import read_samples
from ui.cache import RunLog, run_log
from ui.components.film_view import FilmView, film_view
from ui.components.samples_view import samples_view
from ui.sections.train.curves import show_loss, show_measures, show_rate, show_spectrum
from ui.sections.train.export import show_files
from ui.sections.train.summary import show_summary
from ui.state.parameters import SECTION
from ui.state.session import LOG_AXES, LOG_LOSS, LOG_STEPS
from ui.state.training import read_film, write_film, write_run_id
from ui.widgets.callbacks import action_button
from ui.widgets.choice import choose_option

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


KEPT_BYTES = 48 << 20
"""At most so much of a long film is assembled; the component thins it further for the browser."""


def show_film(run: Run, log: RunLog) -> bool:
    """Show the film; returns whether there is one."""
    log.read_film()
    probe = read_probe(run.folder)
    if probe is None or not log.frames:
        return False
    film = film_of(run, log, probe)
    chosen = film_view(film, key="film", start=read_film())
    write_film(chosen)
    return True


def film_of(run: Run, log: RunLog, probe: FilmProbe) -> FilmView:
    """All frames as arrays [frame, layer, head, query, key]."""
    frames = _thinned(log.frames)
    kinds = list(frames[-1].maps)
    return FilmView(
        run=f"{run.id}:{log.generation}",
        tokens=probe.tokens,
        target_tokens=probe.target_tokens or (),
        alignment=probe.alignment,
        steps=[frame.step for frame in frames],
        maps={kind: np.stack([frame.maps[kind] for frame in frames]) for kind in kinds},  # type: ignore[misc]
        scores={kind: _defined_scores(frames, kind) for kind in kinds},  # type: ignore[misc]
        live=run.status.is_live,
        last_step=run.steps or None,
        title=run.name,
        provenance=[f"run: {run.id}", f"task: {run.task}", f"seed: {run.config.get('seed')}"],
    )


def _defined_scores(frames: list[Frame], kind: str) -> dict[str, np.ndarray]:
    """The scores over the frames, without those that are NaN for all heads."""
    names = list(frames[-1].scores.get(kind, {}))
    tables = {name: np.stack([frame.scores[kind][name] for frame in frames]) for name in names}
    return {name: table for name, table in tables.items() if np.isfinite(table).any()}


def _thinned(frames: list[Frame]) -> list[Frame]:
    """As many frames as fit, evenly spaced, with the first and the last."""
    size = sum(array.nbytes for array in frames[-1].maps.values())
    most = max(2, KEPT_BYTES // max(1, size))
    if len(frames) <= most:
        return frames
    return [frames[index] for index in np.linspace(0, len(frames) - 1, most).round().astype(int)]


FOLLOW_SECONDS = 0.7
FIRST_SECONDS = 0.5
"""How long the page waits for the first step of a run that has just started: the worker is that quick."""
JUST_STARTED_SECONDS = 3.0
LOOK_SECONDS = 0.02
FORMING, SAMPLES, RATE, FILES = "attention", "samples", "rate", "files"


def show_run(run_id: str) -> None:
    """Show a run, or that it is gone."""
    try:
        run = default_executor().read(run_id)
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        st.button(_("Close run"), on_click=write_run_id, args=(None,))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(run.name, anchor=False)
        if run.parent is not None:
            st.caption(_("forked from {run} at step {step}").format(run=run.parent[0][:8], step=run.parent[1]))
    live = run.status.is_live
    st.fragment(_follow_run, run_every=FOLLOW_SECONDS if live else None)(run_id, live)


def _follow_run(run_id: str, was_live: bool) -> None:
    """Everything that changes while a run is live. When it has ended, the page reruns once more and rests."""
    try:
        run, log = _first_step(default_executor().read(run_id))
    except UserError:
        st.rerun()
        return
    if run.status.is_live != was_live:
        st.rerun()
    show_summary(run, log.metrics)
    show_controls(run)
    if len(log.metrics):
        _show_charts(run, log)
    elif was_live:
        st.info(_("Starting…"), icon=":material/hourglass_top:")
    _show_section(run, log)


def _first_step(run: Run) -> tuple[Run, RunLog]:
    """The run and its log; of a run that was started a moment ago, with its first step if it comes soon."""
    log = run_log(run.folder, run.created)
    end = min(time.time() + FIRST_SECONDS, run.created + JUST_STARTED_SECONDS)
    while not len(log.metrics) and run.status.is_live and time.time() < end:
        time.sleep(LOOK_SECONDS)
        log = run_log(run.folder, run.created)
        run = default_executor().read(run.id)
    return run, log


def _show_charts(run: Run, log: RunLog) -> None:
    st.pills(
        _("Logarithmic axes"),
        [LOG_STEPS, LOG_LOSS],
        selection_mode="multi",
        key=LOG_AXES,
        format_func={LOG_STEPS: _("log steps"), LOG_LOSS: _("log loss")}.__getitem__,
        label_visibility="collapsed",
    )
    left, right = st.columns(2)
    with left:
        show_loss(run, log.metrics)
    with right:
        show_measures(run, log.metrics)


def _show_section(run: Run, log: RunLog) -> None:
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
    elif section == FORMING and not show_film(run, log):
        st.caption(_("The timeline begins with the first step."))


def _show_samples(run: Run) -> None:
    samples = read_samples(run.folder)
    if not samples:
        st.caption(_("The first samples come with the first evaluation."))
        return
    show_spectrum(run, samples)
    samples_view(samples, key="samples", run=run.id)
