"""The runs of a series: started from one click, followed, cancelled, and what they have reached."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import streamlit as st

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.progress import OnProgress
from playground.tasks.finetune.labels import LabelsConfig
from playground.text import _, _n
from playground.training.finetune.finetune_config import FinetuneConfig
from playground.training.finetune.result import before_and_after
from playground.training.finetune.sweeps import SweepCell, finished_cells
from playground.training.run.runs import Run
from ui.cache import results
from ui.jobs import AT_ONCE, compute
from ui.state.address import read_text, write_text
from ui.state.parameters import LABEL_RUNS, Text
from ui.state.session import ask_for, ask_no_more, asked_for, keep_error, keep_ids, kept_ids, take_error
from ui.state.visitor import visitor
from ui.text import error_sentence
from ui.widgets.callbacks import action_button

FOLLOW_SECONDS = 2.0
IDS = 64
Draw = Callable[[Sequence[Path], Sequence[SweepCell]], None]
"""Draws finished runs: their folders, and what they reached."""


def offer_start(configs: Sequence[FinetuneConfig], parameter: Text, names: Sequence[str]) -> None:
    """Start, except while runs of the series are at work: their numbers in the address would be overwritten."""
    if asked_for(str(parameter))[0] != repr(configs):
        ask_no_more(str(parameter))
    _write_queued(parameter)
    label = _n("Start {n} run", "Start {n} runs", len(configs))
    if any(run.status.is_live for run in _runs_of(parameter)):
        st.button(label, icon=":material/play_arrow:", key=f"wait_{parameter}", disabled=True)
        if message := take_error(f"start_{parameter}"):  # a limit ended the series in its middle
            st.error(message, icon=":material/error:")
        return
    ask = partial(ask_for, str(parameter), repr(configs))
    action_button(label, f"start_{parameter}", ask, icon="play_arrow")
    if asked_for(str(parameter))[0]:
        _start(configs, parameter, names)


def _start(configs: Sequence[FinetuneConfig], parameter: Text, names: Sequence[str]) -> None:
    """Check every run, which takes a while and shows how far it is; then queue all of them."""
    checked = compute(
        ("series", *asked_for(str(parameter))),
        lambda on_progress: _check(configs, on_progress),
        title=_("Checking what each run needs:"),
        cache=results(),
        patience=AT_ONCE,
    )
    if checked is None:  # refused or cancelled, which is said there
        return
    try:
        _queue(configs, parameter, names)
    except UserError as error:
        keep_error(f"start_{parameter}", error_sentence(error))
    ask_no_more(str(parameter))
    st.rerun()


def _check(configs: Sequence[FinetuneConfig], on_progress: OnProgress) -> bool:
    """The first one is timed, which the others share: until then the bar counts seconds."""
    for done, config in enumerate(configs, start=1):
        default_executor().check(config)
        on_progress(done, len(configs))
    return True


def _queue(configs: Sequence[FinetuneConfig], parameter: Text, names: Sequence[str]) -> None:
    """Queue the runs that are not queued yet: a click may have ended the run of the script that began with it.

    What could be queued is kept where a limit ends it.
    """
    ids, slot = kept_ids(str(parameter)), st.empty()
    for config, name in list(zip(configs, names, strict=True))[len(ids) :]:
        text = _("Queueing runs: {done} / {all}").format(done=len(ids), all=len(configs))
        slot.progress(len(ids) / len(configs), text=text)
        ids.append(default_executor().submit(config, name=f"{config.base} · {name}"[:100], owner=visitor()))
        keep_ids(str(parameter), ids)


def _write_queued(parameter: Text) -> None:
    """Put what was queued into the address, once all is."""
    if (ids := kept_ids(str(parameter))) and not asked_for(str(parameter))[0]:
        write_text(parameter, ",".join(ids))
        keep_ids(str(parameter), [])


def series_runs(parameter: Text) -> list[Path]:
    """The folders of a series' runs that are there."""
    return [run.folder for run in _runs_of(parameter)]


def scratch_model(config: FinetuneConfig | None) -> str | None:
    """The model from scratch that a series has trained on all labels of the same task."""
    best: tuple[int, str] | None = None
    for folder in series_runs(LABEL_RUNS):
        for cell in finished_cells([folder]):
            task = cell.config.task
            is_same = config is not None and cell.config.base == config.base and isinstance(task, LabelsConfig)
            if cell.config.from_scratch and is_same and _same_source(task, config):
                _before, after = before_and_after(folder)
                best = max(best or (0, ""), (task.labels, after))  # type: ignore[union-attr]
    return best[1] if best else None


def _same_source(task: object, config: FinetuneConfig | None) -> bool:
    own = None if config is None else config.task
    if not isinstance(task, LabelsConfig) or not isinstance(own, LabelsConfig):
        return False
    return (task.source, task.sources, task.text) == (own.source, own.sources, own.text)


def follow_series(parameter: Text, show: Draw) -> None:
    """The state of the runs and what has finished; again every moment while one is live."""
    is_live = any(run.status.is_live for run in _runs_of(parameter))
    st.fragment(_follow_once, run_every=FOLLOW_SECONDS if is_live else None)(parameter, show, is_live)


def _follow_once(parameter: Text, show: Draw, was_live: bool) -> None:
    runs = _runs_of(parameter)
    if not runs:
        st.caption(_("No runs yet. Each is queued like any other, and listed on the page Train."))
        return
    if any(run.status.is_live for run in runs) != was_live:
        st.rerun()
    _show_progress(runs, parameter, is_live=was_live)
    failed = [run for run in runs if run.status.state == "failed"]
    for run in failed[:3]:
        st.text(f"{run.name}: {run.status.sentence or run.status.state}")
    finished = [run.folder for run in runs if run.status.state == "finished"]
    cells = finished_cells(finished)
    if cells:
        show(finished, cells)


def _show_progress(runs: Sequence[Run], parameter: Text, *, is_live: bool) -> None:
    """How many runs have finished; with a bar and a way out while one is at work."""
    done = sum(run.status.state == "finished" for run in runs)
    said = _("{done} of {all} runs finished").format(done=done, all=len(runs))
    if is_live:
        steps, total = sum(run.status.step for run in runs), max(1, sum(run.steps for run in runs))
        st.progress(min(1.0, steps / total), text=said)
        action_button(_("Cancel the rest"), f"cancel_{parameter}", partial(_cancel, parameter), icon="close")
    elif done == len(runs):
        st.caption(said)
    else:
        st.caption(_("{said}; the others have ended before. The page Train can resume them.").format(said=said))


def _runs_of(parameter: Text) -> list[Run]:
    runs = []
    for run_id in read_text(parameter).split(",")[:IDS]:
        try:
            if run_id:
                runs.append(default_executor().read(run_id))
        except UserError:
            continue
    return runs


def _cancel(parameter: Text) -> None:
    for run in _runs_of(parameter):
        if run.status.is_live:
            default_executor().cancel(run.id)
