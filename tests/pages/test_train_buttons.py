"""Every button of the training page, in each state of a run: what is there, and what a click does."""

import json
import shutil

import pytest

from playground.folders import CHECKPOINTS
from playground.jobs import executor
from playground.training.presets import PRESETS
from playground.training.run.runs import list_runs, write_about
from playground.training.run.status import State, read_status
from tests.helpers.page_script import preset_field, run_page, words
from tests.helpers.quiet_runs import RUN, buttons, press, put, root, trained

__all__ = ["root", "trained"]
NEW = {f"{act}_{preset}" for act in ("start", "choose") for preset in PRESETS} | {"start", "start_below", "finder"}
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


@pytest.mark.parametrize("has_begun", [True, False])
def test_only_a_run_with_a_checkpoint_is_resumed_from_it(root, trained, has_begun):
    folder = put(root, trained, "stopped")
    if not has_begun:
        shutil.rmtree(folder / CHECKPOINTS)
    label = run_page("train", run=RUN).button(key="hand_play_arrow").label
    assert label == ("Resume from last checkpoint" if has_begun else "Start it again")


@pytest.mark.parametrize("key", [f"start_{preset}" for preset in PRESETS])
def test_start_on_a_card_starts_that_preset_as_it_is(root, key):
    preset = key.removeprefix("start_")
    app = press(run_page("train"), key)
    (run,) = list_runs(root)
    assert run.config == json.loads(json.dumps(PRESETS[preset]().to_dict()))
    assert run.id in app.query_params["run"]
    assert preset_field(app).value == preset
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
    assert preset_field(app).value == "grokking"
    assert app.query_params["preset"] in ("grokking", ["grokking"])
    assert list_runs(root) == []


def test_a_fork_opens_its_parent_and_a_name_is_no_markup(root, trained):
    put(root, trained, "finished")
    write_about(root / RUN, "*my* `run`")
    write_about(put(root, trained, "finished", run_id="Fork"), "a fork", (RUN, 3))
    app = run_page("train", run="Fork")
    assert app.button(key="open_parent").label == "forked from `` *my* `run` `` at step 3"
    press(app, "open_parent")
    assert RUN in app.query_params["run"]
    assert "`` *my* `run` ``" in [heading.value for heading in app.subheader]


def test_the_run_is_closed_and_the_cards_are_back(root, trained):
    put(root, trained, "finished")
    app = press(run_page("train", run=RUN), "close_run")
    assert "run" not in app.query_params
    assert "New run" not in [expander.label for expander in app.expander]
    assert buttons(app) == NEW | TABLE


def test_settings_are_copied_from_every_state(root, trained):
    put(root, trained, "stopped")
    app = press(run_page("train", run=RUN, section="files", preset="addition"), "copy_settings")
    assert preset_field(app).value == "induction"


def test_a_fork_opens_in_a_dialog_and_closes_when_it_starts(root, trained):
    put(root, trained, "running")
    app = press(run_page("train", run=RUN), "fork_run")
    assert "start_fork" in buttons(app)
    press(app, "start_fork")
    assert "start_fork" not in buttons(app)
    assert [run.parent for run in list_runs(root) if run.id != RUN] == [(RUN, 6)]
