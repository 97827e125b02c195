"""A sweep's buttons on the scaling page: what they do, what is shown meanwhile, and why something cannot be done."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground.errors import UserError
from playground.jobs import executor
from tests.helpers.page_script import run_page
from tests.helpers.tables import plant_sweep
from ui.sections.scaling import sweep_progress

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
