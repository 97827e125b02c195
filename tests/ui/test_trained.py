"""The list of models holds what was trained here: the last checkpoint of each run, by the run's name."""

import dataclasses
import json

import pytest

from playground.training.finetune import TrainedParts
from playground.training.run.folder import run
from playground.training.run.paths import ABOUT, write_json
from tests.helpers.page_script import address, run_page
from tests.helpers.small_finetuning import finetune_config
from ui.state.trained import trained_models


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A run with a name, and one that has no checkpoint yet."""
    root = tmp_path / "runs"
    monkeypatch.setenv("PLAYGROUND_RUNS", str(root))
    config = dataclasses.replace(finetune_config(tmp_path, "decoder", "passages"), parts=TrainedParts(rank=2))
    for _step in run(config, root / "one"):
        pass
    write_json(root / "one" / ABOUT, {"name": "my tuning"})
    (root / "two").mkdir()
    return config


def test_the_last_checkpoint_stands_in_the_list_and_loads(trained):
    assert trained_models() == {"run/one/4": "my tuning"}
    app = run_page("attention")
    models = next(box for box in app.selectbox if box.label == "Model")
    assert models.options[-1] == "my tuning · run/one/4"
    models.set_value("run/one/4").run()
    assert not app.exception, app.exception
    assert app.query_params["model"] == "run/one/4"


def test_perplexity_compares_with_what_was_trained_here(trained):
    app = run_page("evaluate", text="the cat sat on the mat", model=trained.base)
    others = next(box for box in app.multiselect if box.label == "Other models on the same text")
    assert "my tuning · run/one/4" in others.options
    assert "tales-translator" not in others.options
    others.set_value(["run/one/4"]).run()
    assert not app.exception, app.exception
    table = next(frame.value for frame in app.dataframe if "perplexity" in set(frame.value["measure"]))
    assert list(table["model"])[1] == "run/one/4"
    assert json.loads(address(app)["other_models"]) == ["run/one/4"]


def test_a_shared_server_lists_only_the_runs_of_the_address(trained, monkeypatch):
    monkeypatch.setattr("ui.state.trained.known_runs", lambda: ["gone", "../one"])
    monkeypatch.setenv("PLAYGROUND_HOSTED", "1")
    assert trained_models() == {}
    monkeypatch.setattr("ui.state.trained.known_runs", lambda: ["one"])
    assert trained_models() == {"run/one/4": "my tuning"}
