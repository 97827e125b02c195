"""Live run: start one of a study's runs, follow its progress, measure its checkpoints as they arrive."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from playground.emergence.studies import Study, study_for
from playground.emergence.tables import MeasuredCheckpoint
from playground.emergence.tracker import RunTracker
from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.text import _, _n
from playground.training import TrainConfig
from playground.training.run.control import Command
from playground.training.run.runs import Run
from ui.cache import forward_queue, run_tracker
from ui.sections.train.runs import visible_runs
from ui.sections.train.summary import state_label
from ui.state.address import read_choice, write_choice
from ui.state.parameters import ABILITY_CELL, RUN
from ui.state.revisions import widget_key
from ui.state.training import read_run_id, write_run_id
from ui.state.visitor import may_steer, visitor
from ui.text import error_sentence
from ui.widgets.callbacks import action_button
from ui.widgets.doors import TRAIN, door

REFRESH_SECONDS = 0.7
MEASURE_SECONDS = 0.25
SHOWN_RUNS = 20


@dataclass(frozen=True, kw_only=True)
class LiveRun:
    """The run in the address, and its measured checkpoints."""

    run: Run
    tracker: RunTracker | None
    """None while the task is being prepared."""

    @property
    def checkpoints(self) -> Sequence[MeasuredCheckpoint]:
        """Measured checkpoints in the order of their steps."""
        return self.tracker.checkpoints() if self.tracker is not None else []

    @property
    def is_busy(self) -> bool:
        """Whether more checkpoints are to come."""
        return self.run.status.is_live or (self.tracker is not None and self.tracker.pending() > 0)


def live_run(study: Study) -> LiveRun | None:
    """The run in the address if it belongs to this study; warns where it is gone."""
    run_id = read_run_id()
    if run_id is None:
        return None
    try:
        run = default_executor().read(run_id)
        if study_for(TrainConfig.from_dict(run.config).task) != study.name:
            return None
    except UserError as error:
        st.warning(error_sentence(error), icon=":material/warning:")
        write_run_id(None)
        return None
    return LiveRun(run=run, tracker=_tracker(run))


def _tracker(run: Run) -> RunTracker | None:
    """The run's tracker; None before its task is prepared."""
    if run.status.state in ("queued", "starting", "preparing"):
        return None
    try:
        return run_tracker(run.folder, run.created, run.name)
    except UserError:
        return None


def measured_live_run(study: Study, was_busy: bool) -> LiveRun | None:
    """The live run with more of its checkpoints measured. Reruns the page when the run has started or ended."""
    live = live_run(study)
    if live is not None:
        _measure_more(live)
    if (live is not None and live.is_busy) != was_busy:
        st.rerun()
    return live


def _measure_more(live: LiveRun) -> None:
    """Measure waiting checkpoints for MEASURE_SECONDS; warns where one cannot be read."""
    if live.tracker is None or not live.tracker.pending():
        return
    try:
        with forward_queue().slot():
            live.tracker.measure_for(MEASURE_SECONDS)
    except UserError as error:
        st.warning(error_sentence(error), icon=":material/warning:")


def show_live(study: Study, live: LiveRun | None) -> None:
    """A form that starts a run, or the progress of the one that is live."""
    with st.container(border=True):
        if live is None:
            _offer_start(study)
        else:
            _show_progress(live)


def _offer_start(study: Study) -> None:
    _offer_known(study)
    names = [study_run.name for study_run in study.runs]
    default_first = [study.live, *(name for name in names if name != study.live)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.selectbox(
            _("Train one of these runs live"),
            names,
            index=names.index(read_choice(ABILITY_CELL, default_first)),
            key=widget_key(ABILITY_CELL, f"cell_{study.name}"),
            width=260,
        )
        write_choice(ABILITY_CELL, name, study.live)
        config = study.run(name).config
        if st.button(_("Start"), type="primary", icon=":material/play_arrow:", key="start_live"):
            _start(config, name)
        caption = _("{steps:,} steps; every checkpoint is measured as it arrives.").format(steps=config.steps)
        st.caption(caption, width="content")


def _offer_known(study: Study) -> None:
    """The study's runs that are there, running and ended, so that another session finds them."""
    runs = {run.id: run for run in visible_runs() if _belongs(run, study)}
    if not runs:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.selectbox(
            _("Runs on this machine"),
            list(runs)[:SHOWN_RUNS],
            format_func=lambda run_id: _known_title(runs[run_id]),
            key=f"known_{study.name}",
            width=440,
        )
        action_button(_("Open"), "open_live", partial(write_run_id, chosen), icon="visibility")


def _belongs(run: Run, study: Study) -> bool:
    try:
        return study_for(TrainConfig.from_dict(run.config).task) == study.name
    except UserError:
        return False


def _known_title(run: Run) -> str:
    when = datetime.datetime.fromtimestamp(run.created).astimezone().strftime("%Y-%m-%d %H:%M")
    step = _("step {step:,} of {steps:,}").format(step=run.status.step, steps=run.steps)
    return f"{when} · {run.name} · {state_label(run.status.state)} · {step}"


def _start(config: TrainConfig, name: str) -> None:
    try:
        write_run_id(default_executor().submit(config, name=name, owner=visitor()))
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        return
    st.rerun()


def _show_progress(live: LiveRun) -> None:
    run, status = live.run, live.run.status
    # A name is a person's: never markup.
    st.text(run.name)
    progress = _("{state}, step {step:,} of {steps:,} · {measured}").format(
        state=state_label(status.state),
        step=status.step,
        steps=run.steps,
        measured=_n("{n} checkpoint measured", "{n} checkpoints measured", len(live.checkpoints)),
    )
    st.progress(min(1.0, status.step / max(1, run.steps)), text=progress)
    if status.message:
        st.caption(status.message)
    with st.container(horizontal=True, gap="small"):
        if status.is_live and may_steer(run.owner):
            stop = Command(action="stop")
            action_button(_("Cancel"), "cancel_live", lambda: default_executor().control(run.id, stop), icon="close")
        if not status.is_live:
            action_button(_("Train another"), "another_live", lambda: write_run_id(None), icon="refresh")
        door(_("Open in Train"), TRAIN, {str(RUN): run.id})
