"""One of the runs, trained now: its beginning, how far it is, and its checkpoints as they are measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from playground.emergence.records import Checkpoint
from playground.emergence.studies import Study, study_for
from playground.emergence.tracker import Follower
from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.text import _
from playground.training import TrainConfig
from playground.training.run.control import Command
from playground.training.run.runs import Run
from ui import state
from ui.sections.train.summary import state_word
from ui.widgets.callbacks import deed_button

FOLLOW_SECONDS = 0.7
MEASURE_SECONDS = 0.25


@dataclass(frozen=True, kw_only=True)
class LiveRun:
    """The run that the address shows, and what has been measured of it."""

    run: Run
    follower: Follower | None

    @property
    def rows(self) -> Sequence[Checkpoint]:
        """The measured checkpoints, in the order of their steps."""
        return self.follower.rows() if self.follower is not None else []

    @property
    def is_busy(self) -> bool:
        """Whether more is to come."""
        return self.run.status.is_live or (self.follower is not None and self.follower.pending() > 0)


def live_run(study: Study) -> LiveRun | None:
    """The run that the address shows, if it is of this study. A run that is gone is said to be."""
    run_id = state.read_run()
    if run_id is None:
        return None
    try:
        run = default_executor().read(run_id)
        if study_for(TrainConfig.from_dict(run.config).task) != study.name:
            return None
    except UserError as error:
        st.warning(str(error), icon=":material/warning:")
        state.write_run(None)
        return None
    return LiveRun(run=run, follower=_follower(run))


def _follower(run: Run) -> Follower | None:
    """Who measures the run; nobody before its task is prepared."""
    if run.status.state in ("queued", "starting", "preparing"):
        return None
    try:
        return state.followers().of(run.folder, run.created, run.name)
    except UserError:
        return None


def measure_more(live: LiveRun) -> None:
    """Measure waiting snapshots for a moment; one that cannot be read is said to be."""
    if live.follower is None or not live.follower.pending():
        return
    try:
        with state.turns().turn():
            live.follower.measure_for(MEASURE_SECONDS)
    except UserError as error:
        st.warning(str(error), icon=":material/warning:")


def show_live(study: Study, live: LiveRun | None) -> None:
    """Choose and start a run, or see how far it is and end it."""
    with st.container(border=True):
        if live is None:
            _offer_start(study)
        else:
            _show_progress(live)


def _offer_start(study: Study) -> None:
    names = [cell.name for cell in study.cells]
    usual = [study.live, *(name for name in names if name != study.live)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.selectbox(
            _("Train one of these runs now"),
            names,
            index=names.index(state.read_word(state.ABILITY_CELL, usual)),
            key=f"cell_{study.name}",
            width=260,
        )
        state.write_word(state.ABILITY_CELL, name, study.live)
        config = study.cell(name).config
        if st.button(_("Start"), type="primary", icon=":material/play_arrow:", key="start_live"):
            _start(config, name)
        words = _("{steps:,} steps; every snapshot is measured as it comes.").format(steps=config.steps)
        st.caption(words, width="content")


def _start(config: TrainConfig, name: str) -> None:
    try:
        state.write_run(default_executor().submit(config, name=name))
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.rerun()


def _show_progress(live: LiveRun) -> None:
    run, status = live.run, live.run.status
    words = _("{name}: {state}, step {step:,} of {steps:,} · {measured:,} checkpoints measured").format(
        name=run.name,
        state=state_word(status.state).lower(),
        step=status.step,
        steps=run.steps,
        measured=len(live.rows),
    )
    st.progress(min(1.0, status.step / max(1, run.steps)), text=words)
    if status.message:
        st.caption(status.message)
    with st.container(horizontal=True, gap="small"):
        if status.is_live:
            stop = Command(action="stop")
            deed_button(_("Cancel"), "cancel_live", lambda: default_executor().control(run.id, stop), icon="close")
        if not status.is_live:
            deed_button(_("Train another"), "another_live", lambda: state.write_run(None), icon="refresh")
        st.link_button(
            _("Open on the train page"), f"train?run={run.id}", icon=":material/open_in_new:", type="tertiary"
        )
