"""The run that is followed: state, controls, curves, attention over training, samples, files."""

import time

import streamlit as st

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.text import _
from playground.training.run.runs import Run
from playground.training.run.samples import read_samples
from ui.cache import RunLog, run_log
from ui.components.samples_view import samples_view
from ui.sections.train.curves import show_loss, show_measures, show_rate, show_spectrum
from ui.sections.train.export import show_files
from ui.sections.train.film import show_film
from ui.sections.train.run_controls import show_controls
from ui.sections.train.summary import show_summary
from ui.state.parameters import SECTION
from ui.state.session import LOG_AXES, LOG_LOSS, LOG_STEPS
from ui.state.training import write_run_id
from ui.widgets.choice import choose_option

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
