"""Every button of the training page, in each state of a run: what is there, and what a click does."""

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground.jobs import executor
from playground.training.presets import PRESETS
from playground.training.run.control import open_control
from playground.training.run.folder import run as train_into
from playground.training.run.runs import list_runs, read_run, runs_aside, write_about
from playground.training.run.status import State, by_this_process, read_status, write_status
from tests.helpers.page_script import run_page, words
from tests.pages.test_train import tiny
from ui.sections.train import runs as run_table
from ui.state.parameters import PRESET

RUN = "Abcdefghijkmnop"
NEW = {f"{act}_{preset}" for act in ("start", "choose") for preset in PRESETS} | {"start", "finder"}
TABLE = {"show_run", "delete_runs"}
LIVE = {"hand_replay", "hand_photo_camera", "hand_stop", "hand_check"}
SHOWN = {"close_run", "fork_run"}
RESUME = {"hand_play_arrow"}
BUTTONS: dict[State, set[str]] = {
    "queued": {"hand_close"},
    "starting": set(),
    "preparing": set(),
    "running": {"hand_pause", *LIVE},
    "paused": {"hand_play_arrow", "hand_skip_next", "hand_fast_forward", *LIVE},
    "finished": set(),
    "stopped": RESUME,
    "interrupted": RESUME,
    "failed": RESUME,
}
COMMANDS = {
    "hand_pause": {"action": "pause", "steps": 1, "factor": 1.0},
    "hand_play_arrow": {"action": "resume", "steps": 1, "factor": 1.0},
    "hand_skip_next": {"action": "step", "steps": 1, "factor": 1.0},
    "hand_fast_forward": {"action": "step", "steps": 10, "factor": 1.0},
    "hand_replay": {"action": "rewind", "steps": 1, "factor": 1.0},
    "hand_photo_camera": {"action": "checkpoint", "steps": 1, "factor": 1.0},
    "hand_stop": {"action": "stop", "steps": 1, "factor": 1.0},
    "hand_check": {"action": "rate", "steps": 1, "factor": 1.0},
}
"""What each button of a live run writes for its worker."""


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
    for module in ("jobs.executor", "new_run", "run", "runs", "fork", "lr_finder"):
        path = f"playground.{module}" if "." in module else f"ui.sections.train.{module}"
        monkeypatch.setattr(f"{path}.default_executor", lambda: quiet)
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


def test_a_new_page_has_a_start_on_every_card_and_no_button_of_a_run(root):
    app = run_page("train")
    assert buttons(app) == NEW
    assert {app.button(key=f"start_{preset}").label for preset in PRESETS} == {"Start"}


@pytest.mark.parametrize("state", list(BUTTONS))
def test_a_run_has_the_buttons_of_its_state(root, trained, state):
    put(root, trained, state)
    app = run_page("train", run=RUN)
    assert not app.exception
    assert buttons(app) == NEW | TABLE | SHOWN | BUTTONS[state]


@pytest.mark.parametrize(
    ("state", "key"), [(state, key) for state in ("running", "paused") for key in sorted(BUTTONS[state])]
)
def test_each_button_of_a_live_run_writes_its_command(root, trained, state, key):
    folder = put(root, trained, state)
    app = press(run_page("train", run=RUN), key)
    assert not app.error
    assert [json.loads(line) for line in (folder / "control.jsonl").read_text().splitlines()] == [COMMANDS[key]]


def test_the_learning_rate_is_multiplied_by_the_chosen_factor(root, trained):
    folder = put(root, trained, "running")
    app = run_page("train", run=RUN)
    app.select_slider(key=f"factor_{RUN}").set_value(0.3).run()
    press(app, "hand_check")
    assert json.loads((folder / "control.jsonl").read_text()) == {"action": "rate", "steps": 1, "factor": 0.3}


def test_a_waiting_run_says_what_it_waits_for_and_is_cancelled(root, trained):
    put(root, trained, "queued")
    executor.default_executor()._waiting.append(RUN)
    executor.default_executor().slots = 0
    app = run_page("train", run=RUN)
    said = words(app)
    assert "Next in the queue" in said
    assert "0 runs" not in said
    assert "Starting" not in said
    press(app, "hand_close")
    assert read_status(root / RUN).state == "stopped"
    assert "taken from the queue" in words(app)


@pytest.mark.parametrize("state", ["stopped", "interrupted", "failed"])
def test_a_run_that_ended_early_is_resumed(root, trained, state):
    put(root, trained, state)
    executor.default_executor().slots = 0
    app = press(run_page("train", run=RUN), "hand_play_arrow")
    assert not app.error
    assert executor.default_executor().waiting() == (RUN,)
    assert read_status(root / RUN).state == "queued"


@pytest.mark.parametrize("key", [f"start_{preset}" for preset in PRESETS])
def test_start_on_a_card_starts_that_preset_as_it_is(root, key):
    preset = key.removeprefix("start_")
    app = press(run_page("train"), key)
    (run,) = list_runs(root)
    assert run.config == json.loads(json.dumps(PRESETS[preset]().to_dict()))
    assert run.id in app.query_params["run"]
    assert app.selectbox(key=PRESET).value == preset
    assert [expander.label for expander in app.expander][:1] == ["New run"]


def test_start_of_the_chosen_preset_takes_what_was_changed_and_the_name_that_was_typed(root):
    for key in ("start", "start_induction"):
        app = run_page("train")
        app.number_input(key="draft.induction.0.train.steps").set_value(77)
        app.text_input(key="run_name").set_value("mine")
        press(app, key)
    runs = list_runs(root)
    assert [run.steps for run in runs] == [77, 77]
    assert {run.name for run in runs} == {"mine", "mine 2"}


def test_names_without_a_typed_one_are_numbered(root):
    for _ in range(3):
        press(run_page("train"), "start")
    assert {run.name for run in list_runs(root)} == {"Induction heads 1", "Induction heads 2", "Induction heads 3"}


def test_settings_on_a_card_choose_the_preset_and_start_nothing(root):
    app = press(run_page("train"), "choose_grokking")
    assert app.selectbox(key=PRESET).value == "grokking"
    assert app.query_params["preset"] in ("grokking", ["grokking"])
    assert list_runs(root) == []


def test_the_run_is_closed_and_the_cards_are_back(root, trained):
    put(root, trained, "finished")
    app = press(run_page("train", run=RUN), "close_run")
    assert "run" not in app.query_params
    assert "New run" not in [expander.label for expander in app.expander]
    assert buttons(app) == NEW | TABLE


def test_settings_are_copied_from_every_state(root, trained):
    put(root, trained, "stopped")
    app = press(run_page("train", run=RUN, section="files", preset="addition"), "copy_settings")
    assert app.selectbox(key=PRESET).value == "induction"


def test_a_fork_opens_in_a_dialog_and_closes_when_it_starts(root, trained):
    put(root, trained, "running")
    app = press(run_page("train", run=RUN), "fork_run")
    assert "start_fork" in buttons(app)
    press(app, "start_fork")
    assert "start_fork" not in buttons(app)
    assert [run.parent for run in list_runs(root) if run.id != RUN] == [(RUN, 6)]


# The table


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
    press(app, "unfold_sweep")
    assert len(app.dataframe[0].value) == 2


def rows(root: Path) -> list[run_table.TableRow]:
    return run_table.table_rows(list_runs(root), {"Sweep"}, [])


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
    charts = [part.proto.component_name for part in app.get("bidi_component")]
    assert charts.count("playground_live_chart") == 1
