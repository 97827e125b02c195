"""A sweep's buttons on the scaling page: what they do, what is shown meanwhile, and why something cannot be done."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground.errors import UserError
from playground.jobs import executor
from playground.sweeps.progress import SweepProgress, write_progress
from tests.helpers.page_script import ROOT, run_page, words
from tests.helpers.tables import noisy_table, plant_sweep
from ui.sections.scaling import data, sweep_progress
from ui.state import scaling as scaling_state

SWEEP = "Zx81-kqV_w7TfA2bGm9cHe"


@pytest.fixture(autouse=True)
def no_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """No run lies there until a test plants one."""
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path))
    executor.default_executor.cache_clear()
    yield tmp_path
    executor.default_executor().close()
    executor.default_executor.cache_clear()


def followed() -> AppTest:
    app = run_page("scaling", section="live", sweep=SWEEP)
    assert not app.exception
    return app


def stopped_sweep(folder):
    """A sweep that was stopped when all its runs but one were done."""
    plant_sweep(folder)
    lines = (folder / "points.csv").read_text().splitlines()
    (folder / "points.csv").write_text("\n".join(lines[:-1]) + "\n")
    (folder / "progress.json").write_text(json.dumps({"state": "stopped", "done": len(lines) - 2, "total": 16}))


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_a_resumed_sweep_is_watched_though_it_still_says_that_it_is_stopped(no_runs, monkeypatch):
    stopped_sweep(no_runs / SWEEP)
    asked = []
    monkeypatch.setattr(sweep_progress, "resume_sweep", lambda folder, *_rest, **_more: asked.append(folder.name))
    app = followed()
    assert {"Resume", "New sweep", "Delete it and its runs"} <= set(labels(app))
    app.button(key="resume_sweep").click().run()
    assert not app.exception
    assert asked == [SWEEP]
    assert "Stop" in labels(app)
    assert not {"Resume", "New sweep"} & set(labels(app))


def test_why_a_sweep_cannot_be_resumed_is_said_once_at_its_button(no_runs, monkeypatch):
    stopped_sweep(no_runs / SWEEP)

    def refuse(*_rest, **_more):
        raise UserError("Too many sweeps are running.")

    monkeypatch.setattr(sweep_progress, "resume_sweep", refuse)
    app = followed()
    app.button(key="resume_sweep").click().run()
    assert [error.value for error in app.error] == ["Too many sweeps are running."]
    app.run()
    assert not app.error


def test_a_sweep_is_deleted_with_its_runs_and_the_address_forgets_it(no_runs):
    stopped_sweep(no_runs / SWEEP)
    app = followed()
    app.button(key="delete_sweep").click().run()
    assert not app.exception
    assert not (no_runs / SWEEP).exists()
    assert "sweep" not in app.query_params


def test_another_session_finds_the_sweeps_of_this_machine_and_opens_one(no_runs):
    stopped_sweep(no_runs / SWEEP)
    app = run_page("scaling", section="live")
    known = app.selectbox(key="known_sweep")
    assert known.value == SWEEP
    assert "Stopped · 15 of 16 runs" in known.format_func(SWEEP)
    app.button(key="open_sweep").click().run()
    assert not app.exception
    assert app.query_params["sweep"] == SWEEP
    assert "Resume" in labels(app)


def test_a_sweeps_fit_is_opened_in_its_place(no_runs):
    stopped_sweep(no_runs / SWEEP)
    app = followed()
    app.button(key="open_fit").click().run()
    assert not app.exception
    assert app.segmented_control(key="scaling_section").value == "curves"
    assert app.query_params["source"] == SWEEP
    assert "section" not in app.query_params
    assert "Beyond the largest run" in words(app)


def test_a_collected_sweep_has_finished(no_runs):
    plant_sweep(no_runs / SWEEP)
    known = run_page("scaling", section="live").selectbox(key="known_sweep")
    assert known.options[0].endswith("Finished · 16 of 16 runs")
    assert "Stop" not in labels(followed())


def test_on_a_shared_server_only_sweeps_whose_id_is_known_are_listed(no_runs, monkeypatch):
    stopped_sweep(no_runs / SWEEP)
    monkeypatch.setattr(data, "is_hosted", lambda: True)
    hosted = run_page("scaling", section="live")
    assert "known_sweep" not in [box.key for box in hosted.selectbox]
    known = run_page("scaling", section="live", sweeps=SWEEP)
    assert known.selectbox(key="known_sweep").value == SWEEP


def test_a_sweep_is_known_once_however_often_it_is_followed():
    def page() -> None:
        from ui.state.scaling import write_sweep_id

        write_sweep_id("abc")

    app = AppTest.from_function(page)
    app.query_params["sweep"] = "abc"
    for _ in range(2):
        app.run()
        assert app.query_params["sweeps"] in ("abc", ["abc"])


def test_a_sweep_none_of_whose_runs_is_at_work_is_not_called_running(no_runs):
    stopped_sweep(no_runs / SWEEP)
    write_progress(no_runs / SWEEP, SweepProgress(state="running", done=15, total=16))
    app = followed()
    said = words(app)
    assert "all wait for a free worker" in said
    assert "Running" not in said
    known = run_page("scaling", section="live").selectbox(key="known_sweep")
    assert known.options[0].endswith("Queued · 15 of 16 runs")


WALK = """
import runpy
import streamlit as st
from ui import shell
name = st.session_state.get("page_of_walk", "scaling")
with shell.opened(name):
    runpy.run_path(f"{root}/pages/{name}.py")
"""


def visit(app: AppTest, name: str, **parameters: str) -> AppTest:
    """Open a page from the menu, with an empty address, or by a link within the session."""
    app.query_params.clear()
    for parameter, value in parameters.items():
        app.query_params[parameter] = value
    app.session_state["page_of_walk"] = name
    app.run()
    assert not app.exception
    return app


def test_a_table_survives_another_page_and_a_link_with_another_table_wins(monkeypatch):
    monkeypatch.setattr(scaling_state, "POINTS_IN_ADDRESS", 10)
    app = AppTest.from_string(WALK.replace("{root}", str(ROOT)), default_timeout=120)
    visit(app, "scaling", section="data")
    app.text_area[0].input(noisy_table())
    next(button for button in app.button if button.label == "Use this table").click().run()
    assert "40 runs" in words(app)
    assert "points" not in app.query_params
    visit(app, "emergence")
    visit(app, "scaling")
    assert app.query_params["source"] == "table"
    assert "40 runs" in words(app)
    linked = visit(app, "scaling", section="data", points=noisy_table(12), source="table")
    assert "12 runs" in words(linked)
