"""A run in every state of the training page, on an executor that starts no worker."""

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground.jobs import executor
from playground.training.run.control import open_control
from playground.training.run.folder import run as train_into
from playground.training.run.runs import write_about
from playground.training.run.status import State, by_this_process, read_status, write_status
from tests.pages.test_train import tiny

RUN = "Abcdefghijkmnop"


class QuietExecutor(executor.LocalExecutor):
    """Queues runs and never starts a worker: what is in the folders is what the page asked for."""

    def _keep_spare(self) -> None: ...

    def _start(self, run_id: str) -> None: ...


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of six steps."""
    folder = tmp_path_factory.mktemp("trained") / RUN
    for _step in train_into(tiny(), folder):
        pass
    write_about(folder, "a run")
    return folder


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of runs, and an executor for it that trains nothing."""
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path))
    quiet = QuietExecutor(tmp_path, slots=1)
    # The pages' modules first: one that is imported only now must not take the replacement for the original.
    for module in ("new_run", "run", "runs", "fork", "lr_finder"):
        monkeypatch.setattr(f"ui.sections.train.{module}.default_executor", lambda: quiet)
    monkeypatch.setattr("playground.jobs.executor.default_executor", lambda: quiet)
    yield tmp_path
    quiet.close()


def put(root: Path, trained: Path, state: State, *, run_id: str = RUN) -> Path:
    """The trained run in a folder, in some state of this process."""
    folder = root / run_id
    shutil.copytree(trained, folder)
    open_control(folder)
    position = 0 if state == "queued" else None
    write_status(folder, by_this_process(dataclasses.replace(read_status(folder), state=state, position=position)))
    return folder


def buttons(app: AppTest) -> set[str]:
    return {button.key for button in app.button if button.key}


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception, key
    return app
