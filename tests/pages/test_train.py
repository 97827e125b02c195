"""The training page as a script: its presets, what is adjusted, what is refused, runs in every state."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground.jobs import executor
from playground.training import TrainConfig
from playground.training.presets import PRESETS
from playground.training.run.folder import run as train_into
from playground.training.run.runs import list_runs, write_about
from playground.training.sizes import parameters_by_part
from tests.helpers.page_script import preset_field, run_page, words
from ui.sections.train.config_form import apply_changes, build, changes_of
from ui.sections.train.preset_texts import preset_caption, preset_title
from ui.state.parameters import CHANGES


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of runs of the test's own, and an executor for it that is closed afterwards."""
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path / "runs"))
    executor.default_executor.cache_clear()
    yield tmp_path / "runs"
    executor.default_executor().close()
    executor.default_executor.cache_clear()


def page(**parameters: str) -> AppTest:
    return run_page("train", **parameters)


def tiny(**changes: Any) -> TrainConfig:
    """The induction preset, made to last a second."""
    base = PRESETS["induction"]()
    model = dataclasses.replace(base.model, width=16, n_heads=2)
    short = {"steps": 6, "batch": 2, "warm_up": 1, "evaluate_every": 3, "evaluate_rows": 2, "checkpoint_every": 3}
    return dataclasses.replace(base, model=model, **{**short, "frames": 4, **changes})


def finished(runs: Path, name: str = "a run") -> str:
    """A run that has been trained to its end; returns its id."""
    run_id = "Abcdefghijkmnop"
    for _step in train_into(tiny(), runs / run_id):
        pass
    write_about(runs / run_id, name)
    return run_id


def test_a_new_visitor_finds_a_preset_its_cost_and_a_start_button():
    app = page()
    assert not app.exception
    assert not app.error
    assert preset_field(app).value == "induction"
    assert app.button(key="start").label == "Start"
    assert "37,184" in words(app)
    assert "No runs yet" in words(app)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_every_preset_shows_its_title_its_settings_and_its_cost(preset):
    app, config = page(preset=preset), PRESETS[preset]()
    assert not app.exception
    assert not app.error
    assert app.text_input(key="run_name").placeholder == f"{preset_title(preset)} 1"
    assert preset_caption(preset) in words(app)
    for record, name, value in (("train", "steps", config.steps), ("model", "layers", config.model.layers)):
        assert app.number_input(key=f"draft.{preset}.0.{record}.{name}").value == value
    assert f"{sum(parameters_by_part(config.model).values()):,}" in words(app)
    assert not app.button(key="start").disabled


def test_what_is_changed_goes_into_the_address_and_comes_back():
    app = page()
    app.number_input(key="draft.induction.0.train.steps").set_value(77).run()
    changes = app.query_params[CHANGES]
    assert json.loads(changes[0] if isinstance(changes, list) else changes) == {"train": {"steps": 77}}
    again = page(changes=json.dumps({"train": {"steps": 77}}))
    assert again.number_input(key="draft.induction.0.train.steps").value == 77


def test_lines_are_joined_where_prose_was_wrapped_unless_somebody_asks():
    app = page(preset="own-text")
    field = app.selectbox(key="draft.own-text.0.task.unwrap")
    assert (field.value, field.options) == ("prose", ["Where prose was wrapped", "Always", "Never"])
    field.set_value(True).run()
    changes = app.query_params[CHANGES]
    assert json.loads(changes[0] if isinstance(changes, list) else changes) == {"task": {"unwrap": True}}
    again = page(preset="own-text", changes=json.dumps({"task": {"unwrap": False}}))
    assert again.selectbox(key="draft.own-text.0.task.unwrap").value is False


def test_settings_that_make_no_model_are_answered_with_a_sentence_and_no_start():
    app = page()
    app.number_input(key="draft.induction.0.model.n_heads").set_value(7).run()
    assert not app.exception
    assert "does not divide" in words(app)
    assert app.button(key="start").disabled


@pytest.mark.parametrize(
    "changes", ["{", "[]", '{"train": {"nonsense": 1}}', '{"model": 3}', '{"train": {"steps": "x"}}']
)
def test_a_damaged_address_shows_the_preset(changes):
    app = page(changes=changes)
    assert not app.exception
    assert app.number_input(key="draft.induction.0.train.steps").value == PRESETS["induction"]().steps


@pytest.mark.parametrize("changes", ['{"steps": 7}', '{"train": {"steps": 7}, "trains": {}}', '{"train": {"step": 7}}'])
def test_a_setting_that_nobody_knows_is_said_to_be_ignored(changes):
    assert "settings that this version does not know" in words(page(changes=changes))


def test_a_run_too_large_is_refused_with_the_numbers():
    app = page(changes=json.dumps({"train": {"steps": 10_000_000}}))
    app.button(key="start").click().run()
    assert not app.exception
    assert "at most" in words(app)


def test_a_run_that_is_gone_is_said_to_be():
    app = page(run="NoSuchRunAnywhere")
    assert not app.exception
    assert "no such run" in words(app)


def test_a_finished_run_shows_its_numbers_and_can_be_chosen_again(runs):
    run_id = finished(runs)
    app = page(run=run_id)
    assert not app.exception
    assert "a run" in words(app)
    assert any(metric.label == "Loss (nats)" for metric in app.metric)
    assert "step 6 of 6" in str([progress.proto for progress in app.get("progress")])


@pytest.mark.parametrize(
    ("section", "component", "texts"),
    [
        ("attention", "playground_film", []),
        ("samples", "playground_samples", []),
        ("rate", "playground_live_chart", []),
        ("files", None, ["Checkpoint at step", "Copy settings", "Fork from step 6…", "run/Abcdefghijkmnop/6"]),
    ],
)
def test_every_section_of_a_finished_run_shows_what_it_is_named_after(runs, section, component, texts):
    app = page(run=finished(runs), section=section)
    assert not app.exception
    assert not app.error
    labels = [*(each.label for each in (*app.button, *app.select_slider)), words(app)]
    assert [text for text in texts if not any(text in label for label in labels)] == []
    shown = [each.proto.component_name for each in app.get("bidi_component")]
    charts = 3 if section == "rate" else 2
    assert shown.count("playground_live_chart") == charts
    assert component is None or component in shown


def test_the_settings_of_a_run_are_copied_into_the_fields(runs):
    app = page(run=finished(runs), section="files", preset="addition")
    assert preset_field(app).value == "addition"
    app.button(key="copy_settings").click().run()
    assert not app.exception
    assert not app.error
    assert preset_field(app).value == "induction"
    assert app.number_input(key="draft.induction.1.train.steps").value == 6
    assert app.number_input(key="draft.induction.1.model.width").value == 16


def test_a_run_is_forked_with_its_own_settings_in_a_dialog(runs):
    run_id = finished(runs)
    app = page(run=run_id, section="files", preset="addition")
    app.button(key="fork_run").click().run()
    assert not app.exception
    key = f"fork.{run_id}.6"
    assert app.number_input(key=f"{key}.train.steps").value == 9
    assert app.number_input(key=f"{key}.train.batch").value == 2
    assert app.number_input(key=f"{key}.model.width").disabled
    assert "shape of the weights" in app.number_input(key=f"{key}.model.width").help
    assert app.number_input(key=f"{key}.task.symbols").disabled
    assert not app.number_input(key=f"{key}.model.dropout").disabled
    app.number_input(key=f"{key}.train.steps").set_value(8).run()
    app.button(key="start_fork").click().run()
    assert not app.exception
    assert not app.error
    forks = [run for run in list_runs(runs) if run.id != run_id]
    assert [(run.name, run.parent, run.steps) for run in forks] == [("a run, fork at 6", (run_id, 6), 8)]
    assert forks[0].id in app.query_params["run"]


def test_a_fork_without_more_steps_is_refused_in_a_sentence_in_the_dialog(runs):
    run_id = finished(runs)
    app = page(run=run_id, section="files")
    app.button(key="fork_run").click().run()
    app.number_input(key=f"fork.{run_id}.6.train.steps").set_value(6).run()
    app.button(key="start_fork").click().run()
    assert [error.value for error in app.error] == ["The fork starts after step 6; give it more steps than that."]
    assert len(list_runs(runs)) == 1


def test_the_settings_in_a_file_are_filled_in_and_a_file_without_any_is_refused():
    app = page(preset="addition")
    upload = next(each for each in app.get("file_uploader"))
    content = json.dumps(tiny(steps=9).to_dict()).encode()
    upload.set_value(("config.json", content, "application/json")).run()
    assert not app.exception
    assert preset_field(app).value == "induction"
    assert app.number_input(key="draft.induction.1.train.steps").value == 9
    again = next(each for each in app.get("file_uploader"))
    again.set_value(("config.json", b"[]", "application/json")).run()
    assert "holds no settings" in words(app)


@pytest.mark.parametrize("name", ["heads", "n_heads"])
def test_a_link_with_old_names_opens(name):
    place = "norm_place" if name == "heads" else "norm_position"
    after = "after" if name == "heads" else "post"
    app = page(changes=json.dumps({"model": {name: 2, place: after}, "train": {"snapshot_every": 77}}))
    assert not app.exception
    assert app.number_input(key="draft.induction.0.model.n_heads").value == 2
    assert app.selectbox(key="draft.induction.0.model.norm_position").value == "post"
    assert app.number_input(key="draft.induction.0.train.checkpoint_every").value == 77


def test_a_run_whose_config_is_damaged_is_said_to_be(runs):
    run_id = finished(runs)
    (runs / run_id / "config.json").write_text("{")
    app = page(run=run_id)
    assert not app.exception
    assert "configuration" in words(app)


def test_on_a_shared_server_files_are_refused_and_foreign_runs_unseen(runs, monkeypatch):
    finished(runs, name="somebody else's")
    monkeypatch.setenv("PLAYGROUND_HOSTED", "1")
    app = page(preset="documentation", changes=json.dumps({"task": {"sources": ["/etc/passwd"]}}))
    assert not app.exception
    assert "somebody else" not in words(app)
    assert app.text_input(key="draft.documentation.0.task.sources").value == "python-documentation"


@pytest.mark.parametrize("preset", list(PRESETS))
def test_changes_of_a_config_and_applying_them_are_each_others_inverse(preset):
    base = PRESETS[preset]()
    other = build(base, {"train": {"seed": 5, "betas": (0.5, 0.6)}, "model": {"layers": 3}})
    there = json.loads(json.dumps(changes_of(base, other)))
    assert apply_changes(base, there) == (other, "")


@pytest.mark.parametrize("kind", ["kinds", "languages", "csv"])
def test_a_link_to_a_classification_restores_where_its_labels_come_from(kind):
    base = PRESETS["classification"]()
    table = "text,label\nyes,good\nno,bad\nnever,bad\n"
    other = build(base, {"task": {"kind": kind, "text": table if kind == "csv" else ""}})
    app = page(preset="classification", changes=json.dumps(changes_of(base, other)))
    assert not app.exception
    assert not app.error, words(app)
    assert app.selectbox(key="draft.classification.0.task.kind").value == kind
    written = json.loads(app.query_params[CHANGES]) if CHANGES in app.query_params else {}
    assert written.get("task", {}).get("kind", base.task.kind) == kind


def test_the_finder_suggests_a_rate_and_it_goes_into_the_fields():
    tiny_model = {"model": {"width": 32, "n_heads": 2}, "train": {"batch": 8}}
    app = page(changes=json.dumps(tiny_model))
    app.button(key="finder").click().run()
    assert not app.exception
    assert "at no rate" not in words(app)
    use = next(button for button in app.button if button.label.startswith("Use "))
    use.click().run()
    assert not app.exception
    found = app.number_input(key="draft.induction.1.train.learning_rate").value
    assert 1e-6 < found < 1


def test_a_device_that_is_not_there_is_answered_with_a_sentence_and_no_start(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    app = page(changes=json.dumps({"train": {"device": "cuda"}}))
    assert not app.exception
    assert "has no cuda device" in words(app)
    assert app.button(key="start").disabled
