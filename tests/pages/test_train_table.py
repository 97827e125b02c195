"""The table of runs: open, rename, delete and undo, a sweep in one row, and which losses are overlaid."""

import json
import shutil
from pathlib import Path

import pytest

from playground.sweeps.progress import SweepProgress, write_progress
from playground.training.run.runs import list_runs, read_run, runs_aside, write_about
from tests.helpers.page_script import charts, run_page
from tests.helpers.quiet_runs import RUN, buttons, press, put, root, trained
from ui.sections.train import runs as run_table

__all__ = ["root", "trained"]
TABLE = {"show_run", "delete_runs"}


def select(monkeypatch: pytest.MonkeyPatch, *rows: int) -> None:
    monkeypatch.setattr(run_table, "_selected", lambda _rows: list(rows))


def test_without_a_selection_nothing_can_be_done_to_a_run(root, trained):
    put(root, trained, "finished")
    app = run_page("train")
    assert all(app.button(key=key).disabled for key in TABLE)


def test_a_selected_run_is_opened(root, trained, monkeypatch):
    put(root, trained, "finished")
    select(monkeypatch, 0)
    app = press(run_page("train"), "show_run")
    assert RUN in app.query_params["run"]


def test_a_selected_run_gets_another_name_but_not_one_that_is_taken(root, trained, monkeypatch):
    put(root, trained, "finished")
    write_about(put(root, trained, "finished", run_id="Other"), "taken")
    row = [run.id for run in list_runs(root)].index(RUN)
    select(monkeypatch, row)
    app = run_page("train")
    app.text_input(key=f"name_{RUN}").set_value("taken")
    press(app, "rename_now")
    assert [error.value for error in app.error] == ["Another run has this name."]
    app.text_input(key=f"name_{RUN}").set_value("new name")
    press(app, "rename_now")
    assert not app.error
    assert read_run(root / RUN).name == "new name"


@pytest.mark.parametrize("state", ["finished", "running", "stopped"])
def test_a_deleted_run_comes_back_with_undo(root, trained, monkeypatch, state):
    put(root, trained, state)
    select(monkeypatch, 0)
    app = press(run_page("train", run=RUN), "delete_runs")
    assert list_runs(root) == []
    assert "run" not in app.query_params
    assert "1 run deleted: a run" in [text.value for text in app.text]
    press(app, "undo_delete")
    assert [run.id for run in list_runs(root)] == [RUN]
    assert "undo_delete" not in buttons(app)


def test_a_deleted_run_is_gone_for_good_when_asked(root, trained, monkeypatch):
    put(root, trained, "finished")
    select(monkeypatch, 0)
    app = press(press(run_page("train"), "delete_runs"), "purge_runs")
    assert runs_aside(root) == {}
    assert "undo_delete" not in buttons(app)


def test_a_sweeps_runs_are_one_row_that_unfolds(root, trained, monkeypatch):
    put(root, trained, "finished")
    for cell in ("w16", "w24"):
        put(root, trained, "finished", run_id=f"Sweep-{cell}")
    (root / "Sweep").mkdir()
    (root / "Sweep" / "sweep.json").write_text("{}")
    row = next(index for index, row in enumerate(rows(root)) if row.is_sweep)
    select(monkeypatch, row)
    app = run_page("train")
    assert list(app.dataframe[0].value["Name"])[row] == "Sweep Sweep: 2 runs"
    assert len(app.dataframe[0].value) == 2
    press(app, "unfold_sweep")
    assert app.query_params["unfolded"] in ("Sweep", ["Sweep"])
    assert len(app.dataframe[0].value) == 4
    write_progress(root / "Sweep", SweepProgress(state="running", done=2, total=6))
    unfinished = run_page("train", unfolded="Sweep").dataframe[0].value
    assert list(unfinished["Name"])[row] == "Sweep Sweep: 6 runs"
    assert list(unfinished["State"])[row] == "2 / 6 done"
    press(app, "unfold_sweep")
    assert len(app.dataframe[0].value) == 2


def rows(root: Path) -> list[run_table.TableRow]:
    return run_table.run_rows(list_runs(root), {"Sweep"}, [])


def test_the_table_names_tasks_and_has_no_empty_value(root, trained):
    put(root, trained, "queued")
    (root / RUN / "metrics.jsonl").unlink()
    (values,) = run_page("train").dataframe[0].value.to_dict("records")
    assert (values["Task"], values["Loss"], values["Model"]) == ("Induction", "–", "2 × 2 × 16")
    assert all(isinstance(value, str) and value for value in values.values())


def test_runs_of_different_tasks_are_not_overlaid(root, trained, monkeypatch):
    put(root, trained, "finished")
    other = put(root, trained, "finished", run_id="Other")
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "task": {**config["task"], "symbols": 60}}))
    select(monkeypatch, 0, 1)
    app = run_page("train")
    assert any("different tasks" in warning.value for warning in app.warning)
    shutil.rmtree(other)
    put(root, trained, "finished", run_id="Other")
    app = run_page("train")
    assert not app.warning
    assert len(charts(app)) == 1


def test_an_overlaid_run_is_opened_from_its_curve_and_by_a_button(root, trained, monkeypatch):
    for run_id in (RUN, "Other"):
        put(root, trained, "finished", run_id=run_id)
    select(monkeypatch, 0, 1)
    app = run_page("train")
    (curves,) = [chart["figure"]["data"] for chart in charts(app) if chart["figure"]["data"]]
    assert {curve["customdata"][-1][-1] for curve in curves} == {f"train?run={name}" for name in (RUN, "Other")}
    press(app, "open_overlaid_Other")
    assert app.query_params["run"] in ("Other", ["Other"])
