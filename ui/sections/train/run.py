"""One run: how it does, what one can do with it, its curves, film and samples; followed while it lives."""

import time

import streamlit as st

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.text import _
from playground.training.run.metrics import read_samples
from playground.training.run.runs import Run
from ui import state
from ui.cache import RunLog
from ui.components.samples_view import samples_view
from ui.sections.train.curves import show_loss, show_measures, show_rate, show_spectrum
from ui.sections.train.export import show_files
from ui.sections.train.film import show_film
from ui.sections.train.run_controls import show_hand
from ui.sections.train.summary import show_numbers
from ui.widgets.choice import choose_word

FOLLOW_SECONDS = 0.7
FIRST_SECONDS = 0.5
"""How long the page waits for the first step of a run that has just begun: the worker is that quick."""
JUST_BEGUN_SECONDS = 3.0
LOOK_SECONDS = 0.02
FORMING, SAMPLES, RATE, FILES = "attention", "samples", "rate", "files"


def show_run(run_id: str) -> None:
    """Show a run; a run that is gone is said to be."""
    try:
        run = default_executor().read(run_id)
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        st.button(_("Show no run"), on_click=state.write_run, args=(None,))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(run.name, anchor=False)
        if run.parent is not None:
            st.caption(_("forked from {run} at step {step}").format(run=run.parent[0][:8], step=run.parent[1]))
    live = run.status.is_live
    st.fragment(_follow, run_every=FOLLOW_SECONDS if live else None)(run_id, live)


def _follow(run_id: str, was_live: bool) -> None:
    """Everything that changes while a run lives. When it has ended, the page runs once more and rests."""
    try:
        run, log = _first_step(default_executor().read(run_id))
    except UserError:
        st.rerun()
        return
    if run.status.is_live != was_live:
        st.rerun()
    show_numbers(run, log.metrics)
    show_hand(run)
    if len(log.metrics):
        _show_charts(run, log)
    elif was_live:
        st.info(_("The first step is on its way."), icon=":material/hourglass_top:")
    _show_section(run, log)


def _first_step(run: Run) -> tuple[Run, RunLog]:
    """The run and what it has written; of a run that was started a moment ago, with its first step if it comes soon."""
    log = state.run_logs().of(run.folder, run.created)
    end = min(time.time() + FIRST_SECONDS, run.created + JUST_BEGUN_SECONDS)
    while not len(log.metrics) and run.status.is_live and time.time() < end:
        time.sleep(LOOK_SECONDS)
        log = state.run_logs().of(run.folder, run.created)
        run = default_executor().read(run.id)
    return run, log


def _show_charts(run: Run, log: RunLog) -> None:
    st.pills(
        _("Logarithmic axes"),
        [state.LOG_STEPS, state.LOG_LOSS],
        selection_mode="multi",
        key=state.LOG_AXES,
        format_func={state.LOG_STEPS: _("log steps"), state.LOG_LOSS: _("log loss")}.__getitem__,
        label_visibility="collapsed",
    )
    left, right = st.columns(2)
    with left:
        show_loss(run, log.metrics)
    with right:
        show_measures(run, log.metrics)


def _show_section(run: Run, log: RunLog) -> None:
    titles = {
        FORMING: _("Attention forming"),
        SAMPLES: _("What it does now"),
        RATE: _("Learning rate and gradient"),
        FILES: _("Settings and files"),
    }
    section = choose_word(state.SECTION, _("Section"), titles, key=state.SECTION, hidden=True)
    if section == SAMPLES:
        _show_samples(run)
    elif section == RATE and len(log.metrics):
        show_rate(run, log.metrics)
    elif section == FILES:
        show_files(run)
    elif section == FORMING and not show_film(run, log):
        st.caption(_("The film begins with the first step."))


def _show_samples(run: Run) -> None:
    samples = read_samples(run.folder)
    if not samples:
        st.caption(_("The first samples come with the first evaluation."))
        return
    show_spectrum(run, samples)
    samples_view(samples, key="samples", run=run.id)
