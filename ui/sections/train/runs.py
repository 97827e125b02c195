"""The table of all runs: open one, compare several, rename, delete and undo; a sweep's runs fold into one row."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from playground.errors import UserError
from playground.folders import runs_folder
from playground.jobs.executor import default_executor
from playground.sweeps.folder import SWEEP as SWEEP_FILE
from playground.sweeps.progress import read_progress
from playground.text import _, _n
from playground.training.run import runs as run_folders
from playground.training.run.runs import Run, list_runs, purge, read_run, rename, run_path, runs_aside
from ui.cache import run_log
from ui.sections.train.curves import show_overlay
from ui.sections.train.labels import task_title
from ui.sections.train.summary import state_label
from ui.state.parameters import SWEEP
from ui.state.session import keep_error, take_error
from ui.state.training import fold_sweep, known_runs, read_run_id, unfolded_sweeps, write_run_id
from ui.state.visitor import may_steer
from ui.text import error_sentence
from ui.widgets.doors import SCALING, door
from ui.widgets.model import is_hosted

NAME_LENGTH = 100
TABLE = "runs_table"
DELETED = "deleted_runs"
"""The session's last deletion."""
LOOK_SECONDS = 3.0
"""How often the table is updated while a run is live."""
UNKNOWN = "–"


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """A run, or a sweep with all of its runs."""

    runs: tuple[Run, ...]
    sweep: str | None = None
    """The sweep that this row, or this run, belongs to."""
    is_sweep: bool = False


def show_run_table() -> None:
    """The table and the actions on its selected rows."""
    purge(runs_folder())
    _show_undo()
    runs = visible_runs()
    if not runs:
        st.caption(_("No runs yet. Press Start on one of the cards."))
        return
    rows = run_rows(runs, sweep_ids(), unfolded_sweeps())
    live = any(run.status.is_live for run in runs)
    st.fragment(_update_table, run_every=LOOK_SECONDS if live else None)(_row_ids(rows), _selected(rows))
    chosen = [rows[index] for index in _selected(rows) if index < len(rows)]
    _show_actions(chosen)
    selected = list({run.id: run for row in chosen for run in row.runs}.values())
    if len(selected) > 1:
        show_overlay([(run, run_log(run.folder, run.created).metrics) for run in selected])


def _show_actions(chosen: list[TableRow]) -> None:
    row = chosen[0] if len(chosen) == 1 else None
    run = row.runs[0] if row is not None and not row.is_sweep else None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if row is not None and row.is_sweep and row.sweep is not None:
            is_open = row.sweep in unfolded_sweeps()
            label = _("Hide its runs") if is_open else _("Show its runs")
            icon = ":material/unfold_less:" if is_open else ":material/unfold_more:"
            st.button(label, icon=icon, key="unfold_sweep", on_click=fold_sweep, args=(row.sweep,))
            door(_("Scaling"), SCALING, {"section": "live", str(SWEEP): row.sweep})
        else:
            st.button(
                _("Open"),
                icon=":material/visibility:",
                disabled=run is None,
                key="show_run",
                on_click=write_run_id,
                args=(run.id if run else None,),
            )
        own = run if run is not None and may_steer(run.owner) else None
        with st.popover(_("Rename"), icon=":material/edit:", disabled=own is None):
            if own is not None:
                _offer_name(own)
        st.button(
            _("Delete"),
            icon=":material/delete:",
            disabled=not chosen or not all(may_steer(run.owner) for row in chosen for run in row.runs),
            key="delete_runs",
            on_click=_delete,
            args=([run for row in chosen for run in row.runs],),
        )


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


def sweep_ids() -> set[str]:
    """The sweeps whose runs lie among the others."""
    return {path.parent.name for path in runs_folder().glob(f"*/{SWEEP_FILE}")}


def run_rows(runs: Sequence[Run], sweeps: set[str], unfolded: Sequence[str]) -> list[TableRow]:
    """A row for each run and each sweep, where its newest run stands; an unfolded sweep's runs follow it."""
    owners = {run.id: run.id.partition("-")[0] for run in runs}
    rows: list[TableRow] = []
    shown: set[str] = set()
    for run in runs:
        sweep = owners[run.id]
        if sweep not in sweeps:
            rows.append(TableRow(runs=(run,)))
        elif sweep not in shown:
            shown.add(sweep)
            own = [each for each in runs if owners[each.id] == sweep]
            rows.append(TableRow(runs=tuple(own), sweep=sweep, is_sweep=True))
            rows += [TableRow(runs=(each,), sweep=sweep) for each in own if sweep in unfolded]
    return rows


def _row_ids(rows: Sequence[TableRow]) -> list[str]:
    return [row.sweep or "" if row.is_sweep else row.runs[0].id for row in rows]


def _update_table(known: list[str], selected: list[int]) -> None:
    """The table itself; the page reruns only if its rows or their selection change."""
    rows = run_rows(visible_runs(), sweep_ids(), unfolded_sweeps())
    if _row_ids(rows) != known:
        st.rerun()
    st.dataframe(
        [_table_row(row) for row in rows],
        key=_table_key(rows),
        on_select="rerun",
        selection_mode="multi-row",
        hide_index=True,
        column_config=_columns(),
    )
    if _selected(rows) != selected:
        st.rerun()


def _table_key(rows: Sequence[TableRow]) -> str:
    """Other rows are another table: a selection is a list of row numbers."""
    return f"{TABLE}_{hash(tuple(_row_ids(rows)))}"


def _selected(rows: Sequence[TableRow]) -> list[int]:
    """The indices of the selected rows."""
    table: Any = st.session_state.get(_table_key(rows))
    return [] if table is None else list(table.selection.rows)


def _columns() -> dict[str, Any]:
    """The columns' widths, which fit beside each other on a laptop, and what their values are."""
    column = st.column_config.TextColumn
    return {
        _("Name"): column(width=205),
        _("Task"): column(width=125),
        _("State"): column(width=95),
        _("Step"): column(width=105),
        _("Loss"): column(width=65, help=_("The last validation loss, in nats.")),
        _("Model"): column(width=110, help=_("Layers × heads × d_model, or what was fine-tuned.")),
        _("Rate"): column(width=60, help=_("The peak learning rate.")),
        _("Seed"): column(width=50),
        _("Started"): column(width=85),
    }


def _table_row(row: TableRow) -> dict[str, Any]:
    values = _sweep_values(row) if row.is_sweep else _run_values(row)
    return dict(zip(_columns(), values, strict=True))


def _run_values(row: TableRow) -> list[str]:
    run = row.runs[0]
    losses = run_log(run.folder, run.created).metrics.evaluations.get("held_out_loss")
    return [
        f"↳ {run.name}" if row.sweep else run.name,
        task_title(run.task),
        state_label(run.status.state),
        f"{run.status.step:,} / {run.steps:,}",
        UNKNOWN if losses is None or not len(losses) else f"{float(losses[-1]):.4f}",
        _model(run),
        _number(run.config.get("learning_rate")),
        _number(run.config.get("seed")),
        _when(run.created),
    ]


def _model(run: Run) -> str:
    """Its size, or what a fine-tuning began with."""
    model = run.config.get("model", {})
    return run.base or " × ".join(str(model.get(name, UNKNOWN)) for name in ("layers", "n_heads", "width"))


def _sweep_values(row: TableRow) -> list[str]:
    done = sum(run.status.state == "finished" for run in row.runs)
    sweep = row.sweep or ""
    # Some of its runs may not have been started yet.
    total = max(len(row.runs), read_progress(runs_folder() / sweep).total)
    return [
        _("Sweep {id}: {count}").format(id=sweep[:6], count=_n("{n} run", "{n} runs", total)),
        ", ".join(dict.fromkeys(task_title(run.task) for run in row.runs)),
        _("{done} / {total} done").format(done=done, total=total),
        *([UNKNOWN] * 5),
        _when(min(run.created for run in row.runs)),
    ]


def _number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value) if isinstance(value, int) else UNKNOWN


def _when(seconds: float) -> str:
    """The time of a run of today, the date of an older one."""
    when, now = datetime.datetime.fromtimestamp(seconds).astimezone(), datetime.datetime.now().astimezone()
    return when.strftime("%H:%M" if when.date() == now.date() else "%Y-%m-%d")


def _offer_name(run: Run) -> None:
    key = f"name_{run.id}"

    def on_click() -> None:
        name = str(st.session_state.get(key) or "")
        try:
            if name in [other.name for other in visible_runs() if other.id != run.id]:
                raise UserError("Another run has this name.")
            rename(runs_folder(), run.id, name)
        except UserError as error:
            keep_error(key, error_sentence(error))

    st.text_input(_("New name"), value=run.name, max_chars=NAME_LENGTH, key=key)
    st.button(_("Rename"), type="primary", key="rename_now", on_click=on_click)
    if message := take_error(key):
        st.error(message, icon=":material/error:")


def _delete(runs: list[Run]) -> None:
    """Set the runs aside; the next run of the page offers to bring them back."""
    deleted: list[str] = []
    try:
        for run in runs:
            default_executor().set_aside(run.id)
            deleted.append(run.id)
    except UserError as error:
        keep_error(DELETED, error_sentence(error))
    st.session_state[DELETED] = deleted
    if read_run_id() in deleted:
        write_run_id(None)


def _show_undo() -> None:
    """What was deleted in the last minutes, and the button that brings it back."""
    if message := take_error(DELETED):
        st.error(message, icon=":material/error:")
    aside = runs_aside(runs_folder())
    if is_hosted():
        aside = {run_id: name for run_id, name in aside.items() if run_id in known_runs()}
    last = [run_id for run_id in st.session_state.get(DELETED, []) if run_id in aside] or list(aside)
    if not last:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        count = _n("{n} run deleted", "{n} runs deleted", len(last))
        names = ", ".join(aside[run_id] for run_id in last[:3]) + (", …" if len(last) > 3 else "")
        st.text(f"{count}: {names}", width="content")
        _undo_button(_("Undo"), "undo", "undo_delete", run_folders.restore, last)
        _undo_button(_("Delete for good"), "delete_forever", "purge_runs", run_folders.delete_aside, last)


def _undo_button(label: str, icon: str, key: str, action: Callable[..., None], ids: list[str]) -> None:
    def on_click() -> None:
        try:
            for run_id in ids:
                action(runs_folder(), run_id)
        except UserError as error:
            keep_error(DELETED, error_sentence(error))

    st.button(label, icon=f":material/{icon}:", key=key, type="tertiary", on_click=on_click)
