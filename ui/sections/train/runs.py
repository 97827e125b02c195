"""The table of all runs: open one, compare several, rename, delete."""

import datetime
from typing import Any

import streamlit as st

from playground.errors import UserError
from playground.folders import runs_folder
from playground.jobs.executor import default_executor
from playground.text import _
from playground.training.run.runs import Run, list_runs, read_run, rename, run_path
from ui.cache import run_log
from ui.sections.train.curves import show_overlay
from ui.sections.train.labels import preset_title
from ui.sections.train.summary import state_label
from ui.state.training import known_runs, read_run_id, write_run_id
from ui.widgets.model import is_hosted

NAME_LENGTH = 100
TABLE = "runs_table"
LOOK_SECONDS = 3.0
"""How often the table is updated while a run is live."""


def show_run_table() -> None:
    """The table and the actions on its selected rows."""
    runs = visible_runs()
    if not runs:
        st.caption(_("No runs yet. Choose a task in the sidebar and press Start."))
        return
    live = any(run.status.is_live for run in runs)
    st.fragment(_update_table, run_every=LOOK_SECONDS if live else None)([run.id for run in runs], _selected())
    chosen = [runs[index] for index in _selected() if index < len(runs)]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        is_single = len(chosen) == 1
        if st.button(_("Open"), icon=":material/visibility:", disabled=not is_single, key="show_run"):
            write_run_id(chosen[0].id)
            st.rerun()
        if st.button(_("Rename"), icon=":material/edit:", disabled=not is_single, key="rename_run"):
            st.dialog(_("Rename run"))(_rename_run)(chosen[0])
        if st.button(_("Delete"), icon=":material/delete:", disabled=not chosen, key="delete_runs"):
            st.dialog(_("Delete permanently?"))(_delete_runs)(chosen)
    if len(chosen) > 1:
        show_overlay([(run, run_log(run.folder, run.created).metrics) for run in chosen])


def visible_runs() -> list[Run]:
    """All runs; on a shared server those whose ids stand in the address."""
    if not is_hosted():
        return list_runs(runs_folder())
    runs = []
    for run_id in known_runs():
        try:
            runs.append(read_run(run_path(runs_folder(), run_id)))
        except UserError:
            continue
    return runs


def _update_table(known: list[str], selected: list[int]) -> None:
    """The table itself; the page reruns only if its rows or their selection change."""
    runs = visible_runs()
    if [run.id for run in runs] != known:
        st.rerun()
    st.dataframe(
        [_table_row(run) for run in runs], key=TABLE, on_select="rerun", selection_mode="multi-row", hide_index=True
    )
    if _selected() != selected:
        st.rerun()


def _selected() -> list[int]:
    """The indices of the selected rows."""
    table: Any = st.session_state.get(TABLE)
    return [] if table is None else list(table.selection.rows)


def _table_row(run: Run) -> dict[str, Any]:
    log = run_log(run.folder, run.created)
    losses = log.metrics.evaluations.get("held_out_loss")
    when = datetime.datetime.fromtimestamp(run.created).astimezone()
    model = run.config.get("model", {})
    return {
        _("Name"): run.name,
        _("Task"): preset_title(run.task),
        _("State"): state_label(run.status.state),
        _("Step"): f"{run.status.step:,} / {run.steps:,}",
        _("Held-out loss"): None if losses is None or not len(losses) else round(float(losses[-1]), 4),
        _("Model"): f"{model.get('layers')} × {model.get('n_heads')}, {model.get('width')}",
        _("Learning rate"): run.config.get("learning_rate"),
        _("Seed"): run.config.get("seed"),
        _("Started"): when.strftime("%Y-%m-%d %H:%M"),
    }


def _rename_run(run: Run) -> None:
    name = st.text_input(_("New name"), value=run.name, max_chars=NAME_LENGTH)
    if st.button(_("Rename"), type="primary"):
        try:
            rename(runs_folder(), run.id, name or "")
        except UserError as error:
            st.error(str(error))
            return
        st.rerun()


def _delete_runs(runs: list[Run]) -> None:
    st.write(_("These runs and all their files will be deleted:"))
    for run in runs:
        st.text(f"• {run.name}")
    if st.button(_("Delete"), type="primary", icon=":material/delete:"):
        try:
            for run in runs:
                default_executor().delete(run.id)
        except UserError as error:
            st.error(str(error))
            return
        if read_run_id() in [run.id for run in runs]:
            write_run_id(None)
        st.rerun()
