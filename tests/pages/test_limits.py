"""Each limit of the settings, met on the page: whoever meets it is told the limit and what to do."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground.jobs.limits import limits_of
from playground.settings import Settings, settings
from playground.training.run.folder import run as train_into
from playground.training.run.limits import LimitReachedError, RunLimits
from playground.training.run.runs import write_about
from tests.helpers.page_script import run_page, words
from tests.helpers.quiet_runs import RUN, QuietExecutor, press, put, root, trained
from tests.pages.test_train import tiny

__all__ = ["root", "trained"]


@pytest.fixture
def start(root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Press Start so often on a server with these settings; the page."""
    made: list[QuietExecutor] = []

    def pressed(*, presses: int = 1, **limits: str) -> AppTest:
        for name, value in limits.items():
            monkeypatch.setenv(f"PLAYGROUND_{name.upper()}", value)
        executor = QuietExecutor(root, slots=1, limits=limits_of(settings()))
        executor._update = lambda: None  # type: ignore[method-assign]  # what was queued stays in the queue
        made.append(executor)
        monkeypatch.setattr("ui.sections.train.new_run.visitor", lambda: "the same visitor")
        for module in ("new_run", "run", "runs", "fork", "lr_finder"):
            monkeypatch.setattr(f"ui.sections.train.{module}.default_executor", lambda: executor)
        app = run_page("train")
        for _press in range(presses):
            app = press(app, "start")
        return app

    yield pressed  # type: ignore[misc]
    for executor in made:
        executor.close()


@pytest.mark.parametrize(
    ("limits", "presses", "sentence"),
    [
        ({"steps": "10"}, 1, "at most 10 are allowed here; choose fewer steps."),
        ({"parameters": "1000"}, 1, "at most 1,000 are allowed here; choose a smaller model."),
        ({"queued": "1"}, 2, "The queue is full, of length 1; try again when some have finished."),
        ({"hosted": "yes", "runs_each": "1"}, 2, "wait or train already: 1, as many as allowed."),
    ],
)
def test_a_run_beyond_the_limits(start, limits, presses, sentence):
    assert sentence in words(start(presses=presses, **limits))


def test_a_folder_of_runs_that_is_full(start, root):
    (root / "kept.bin").write_bytes(b"x" * (2 << 20))
    assert "no room for more runs; delete one of yours, or try again tomorrow" in words(start(all_megabytes="1"))


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (RunLimits(seconds=1e-9), "minutes are over. Open its last checkpoint, or start a smaller model."),
        (RunLimits(disk_bytes=1), "may not grow beyond 0 MB. Start it with fewer checkpoints and frames."),
    ],
)
def test_a_run_that_was_stopped(root, limits, sentence):
    with contextlib.suppress(LimitReachedError):
        for _step in train_into(tiny(), root / RUN, limits=limits):
            pass
    write_about(root / RUN, "a run")
    assert sentence in words(run_page("train", run=RUN))


def test_how_long_a_run_is_kept(root, trained, monkeypatch):
    put(root, trained, "finished")
    sentence = "deletes a run that nobody has continued for 3 days: download what is to stay."
    assert sentence not in words(run_page("train", run=RUN, section="files"))
    monkeypatch.setenv("PLAYGROUND_RETENTION_DAYS", "3")
    assert sentence in words(run_page("train", run=RUN, section="files"))


@pytest.mark.parametrize("downloads", ["none", "catalogue"])
def test_a_model_that_is_not_fetched(monkeypatch, downloads):
    monkeypatch.setenv("PLAYGROUND_HOSTED", "1")
    monkeypatch.setenv("PLAYGROUND_DOWNLOADS", downloads)
    said = words(run_page("attention", model="somebody/some-model"))
    assert "fetches only models of the list; run the app on your own machine" in said


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("evaluate", {"section": "classification"}),
        ("tokens", {"section": "sentences", "model": "books-encoder"}),
        ("scaling", {"section": "data"}),
    ],
)
def test_a_file_that_is_not_taken(monkeypatch, page, query):
    monkeypatch.setenv("PLAYGROUND_UPLOADS", "no")
    assert "This server takes no files. Paste what is in them" in words(run_page(page, **query))


ELSEWHERE = {
    "hosted": "a switch of all limits",
    "slots": "test_train_buttons: a run's place in the queue",
    "minutes": "here, as a run that was stopped",
    "run_megabytes": "here, as a run that was stopped",
    "paused_minutes": "training/run/test_session: a pause that gives its slot back",
    "download_megabytes": "ui/test_downloads",
    "cache_megabytes": "nobody meets it: what was let go is fetched again",
    "loaded_models": "nobody meets it: what was let go is loaded again",
    "loaded_megabytes": "nobody meets it",
    "pages": "test_shown",
    "frame_ancestors": "the embedding page's own",
    "status_token": "ui/test_server_status",
}
HERE = {"steps", "parameters", "queued", "runs_each", "all_megabytes", "retention_days", "downloads", "uploads"}


def test_every_setting_is_met_somewhere():
    assert set(Settings.__dataclass_fields__) == HERE | set(ELSEWHERE)
