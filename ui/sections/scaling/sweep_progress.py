"""A small sweep, started here and watched: points arrive, the fit tightens. Another session finds it in the list."""

import contextlib
from functools import partial
from pathlib import Path

import streamlit as st

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.sweeps.dial import read_prediction
from playground.sweeps.progress import WORKING, SweepProgress, SweepView, read_progress, read_sweep
from playground.sweeps.sweep import delete_sweep, ray_address, resume_sweep, start_sweep, stop_sweep, sweep_folder
from playground.text import _, _n
from playground.training.run.runs import owner_of
from playground.units import duration
from ui.sections.scaling.budget import currency
from ui.sections.scaling.data import started, visible_sweeps
from ui.sections.scaling.landing import show_landing
from ui.sections.scaling.live_fit import runs_done, show_live_fit
from ui.sections.scaling.sweep_form import choose_sweep, read_price, show_sweep_cost
from ui.sections.train.summary import COLOURS, state_label
from ui.state.address import write_values
from ui.state.parameters import FIGURE, POINT, RUN, SECTION
from ui.state.scaling import (
    FIT_SECTION,
    SECTION_WIDGET,
    adopt_source,
    await_sweep,
    has_come,
    is_awaited,
    read_sweep_id,
    write_sweep_id,
)
from ui.state.visitor import may_steer, visitor
from ui.text import error_sentence, page_link
from ui.widgets.callbacks import action_button

FOLLOW_SECONDS = 1.0
SHOWN_SWEEPS = 20
RESUME_SECONDS = 15.0
"""How long a resumed sweep may take to say that it runs."""


def show_sweep_section() -> None:
    """The sweep of the address, or a form for a new one."""
    sweep_id = read_sweep_id()
    if sweep_id is None:
        _offer_sweep()
    else:
        follow_sweep(sweep_id)


def follow_sweep(sweep_id: str) -> None:
    """A sweep of this machine, followed while it runs."""
    try:
        view = read_sweep(sweep_folder(default_executor(), sweep_id))
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        st.button(_("New sweep"), icon=":material/add:", on_click=write_sweep_id, args=(None,), key="no_sweep")
        return
    if _is_live(sweep_id, view):
        st.fragment(_follow, run_every=FOLLOW_SECONDS)(sweep_id)
    else:
        # No fragment: what is pressed here concerns the whole page.
        _show(sweep_id, view)


def _is_live(sweep_id: str, view: SweepView) -> bool:
    """Whether it is running, or will be in a moment."""
    if view.progress.state == "running":
        has_come(sweep_id)
        return True
    return is_awaited(sweep_id) or (view.progress.state == "new" and not view.progress.done)


def _offer_sweep() -> None:
    """The sweeps that are there; what to train, what it will take, and the button."""
    _offer_known()
    st.caption(
        _(
            "Small models learn in worker processes of this machine, or on a Ray cluster where the server was given "
            "one. Every run is an ordinary run that the Train page opens."
        )
    )
    config = choose_sweep()
    if config is None:
        return
    show_sweep_cost(config)
    if st.button(_("Run the sweep"), type="primary", icon=":material/play_arrow:", key="start_sweep"):
        try:
            with st.spinner(_("Starting…")):
                sweep_id = start_sweep(config, default_executor(), ray=ray_address(), owner=visitor())
        except UserError as error:
            st.error(error_sentence(error), icon=":material/error:")
            return
        write_sweep_id(sweep_id)
        st.rerun()


def _offer_known() -> None:
    """The sweeps of this machine, running and ended, so that another session finds them."""
    titles = {folder.name: _known_title(folder) for folder in visible_sweeps()[:SHOWN_SWEEPS]}
    if not titles:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.selectbox(
            _("Sweeps on this machine"), list(titles), format_func=titles.__getitem__, key="known_sweep", width=440
        )
        action_button(_("Open"), "open_sweep", partial(write_sweep_id, chosen), icon="visibility")


def _known_title(folder: Path) -> str:
    progress = read_progress(folder)
    state = _state_of(progress)
    if progress.state in ("new", "running"):  # of the others the progress alone says everything
        with contextlib.suppress(UserError):
            view = read_sweep(folder)
            progress, state = view.progress, shown_state_of(view)
    runs = runs_done(progress.done, progress.total)
    return f"{started(folder)} · {state_label(state)} · {runs}"


def _follow(sweep_id: str) -> None:
    """Show a running sweep again and again. When it has ended, the page runs once more and rests."""
    try:
        view = read_sweep(sweep_folder(default_executor(), sweep_id))
    except UserError:
        st.rerun()
        return
    if not _is_live(sweep_id, view):
        st.rerun()
    _show(sweep_id, view)


def _show(sweep_id: str, view: SweepView) -> None:
    _show_progress(view, is_awaited=is_awaited(sweep_id))
    _show_actions(sweep_id, view)
    prediction = read_prediction(view.folder)
    if prediction is None:
        show_live_fit(sweep_id, view)
    else:
        show_landing(sweep_id, view, prediction)
    _show_cells(view)


def _show_progress(view: SweepView, *, is_awaited: bool) -> None:
    progress = view.progress
    shown_state = "starting" if is_awaited else shown_state_of(view)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(state_label(shown_state), color=COLOURS.get(shown_state, "gray"))  # type: ignore[arg-type]
        if shown_state == "queued":
            st.caption(_("No run is being trained: all wait for a free worker."))
        st.caption(_elapsed(view) + (f" · {progress.price_text(read_price())} {currency()}" if read_price() else ""))
    total = max(1, progress.total or len(view.cells))
    if progress.done < total:
        text = runs_done(progress.done, total)
        if progress.seconds_left is not None:
            text += " · " + _("about {time} left").format(time=duration(progress.seconds_left))
        steps = sum(min(each.step, each.cell.config.steps) for each in view.cells)
        share = steps / max(1, sum(each.cell.config.steps for each in view.cells))
        st.progress(min(1.0, share), text=text)
    messages = {each.cell.name: each.message for each in view.cells}
    for name, reason in progress.failed.items():
        # The cell's own message is in the reader's language; the progress keeps it in English.
        st.warning(f"{name}: {messages.get(name) or reason}", icon=":material/error:")


def _elapsed(view: SweepView) -> str:
    """The time that it has taken so far; of one that has finished, how many runs that was the time of."""
    progress, time = view.progress, duration(view.progress.seconds)
    if _state_of(progress) == "finished":
        return _("{runs} in {time}").format(runs=runs_done(progress.done, progress.total), time=time)
    return _("{seconds} so far").format(seconds=time)


def shown_state_of(view: SweepView) -> str:
    """The sweep's state as it is shown: running only while one of its runs is at work."""
    state = _state_of(view.progress)
    return "queued" if state == "running" and not any(each.state in WORKING for each in view.cells) else state


def _state_of(progress: SweepProgress) -> str:
    """A collected sweep has no state of its own: it has finished where all of its cells have."""
    if progress.state != "new":
        return progress.state
    return "finished" if 0 < progress.total <= progress.done else "starting"


def _show_actions(sweep_id: str, view: SweepView) -> None:
    """Stop, resume, open under Curves, start another, delete."""
    ended = _state_of(view.progress) in ("stopped", "interrupted", "finished") and not is_awaited(sweep_id)
    is_own = may_steer(owner_of(view.folder.parent, sweep_id))
    with st.container(horizontal=True, gap="small"):
        if not ended and is_own:
            action_button(_("Stop"), "stop_sweep", lambda: stop_sweep(view.folder), icon="stop")
        if ended and is_own and view.progress.done < len(view.cells):
            action_button(_("Resume"), "resume_sweep", lambda: _resume(sweep_id, view.folder), icon="play_arrow")
        if view.points:
            action_button(_("Open its fit"), "open_fit", partial(_open_fit, sweep_id), icon="query_stats")
        if ended:
            action_button(_("New sweep"), "another_sweep", lambda: write_sweep_id(None), icon="add")
        if ended and is_own:
            with st.popover(_("Delete"), icon=":material/delete:"):
                count = _n("{n} run", "{n} runs", len(view.cells))
                st.write(_("The sweep will be gone for good, and with it {count}.").format(count=count))
                action_button(_("Delete it and its runs"), "delete_sweep", lambda: _delete(view.folder), icon="delete")


def _open_fit(sweep_id: str) -> None:
    """Show the section of the fit with this sweep's points."""
    adopt_source(sweep_id)
    write_values({SECTION: None, FIGURE: None, POINT: None})
    st.session_state[SECTION_WIDGET] = FIT_SECTION


def _resume(sweep_id: str, folder: Path) -> None:
    resume_sweep(folder, default_executor(), ray=ray_address())
    await_sweep(sweep_id, RESUME_SECONDS)


def _delete(folder: Path) -> None:
    delete_sweep(folder)
    write_sweep_id(None)


def _show_cells(view: SweepView) -> None:
    with st.expander(_n("{n} run", "All {n} runs", len(view.cells)), icon=":material/table_rows:"):
        losses = {point.run: point.loss for point in view.points}
        table = [
            {
                _("Run"): each.cell.name,
                _("State"): state_label(each.state) if each.state != "unknown" else _("Not started"),
                _("Step"): f"{each.step:,} / {each.cell.config.steps:,}",
                _("Loss"): losses.get(each.cell.name),
                _("Open"): page_link("train", (RUN, each.run_id)) if each.state != "unknown" else None,
            }
            for each in view.cells
        ]
        open_link = st.column_config.LinkColumn(display_text=_("open in Train"))
        st.dataframe(table, hide_index=True, key="cell_rows", column_config={_("Open"): open_link})
