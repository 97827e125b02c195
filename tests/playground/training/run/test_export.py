"""A run as a model folder: its weights, its card, and the same in transformers' own format."""

import dataclasses

import pytest
import torch
from safetensors.torch import load_file

from playground import load
from playground.__main__ import main
from playground.errors import UserError
from playground.training.run.export import export_model, export_to_transformers, tokens_read
from playground.training.run.folder import read_train_config, run
from playground.training.run.lineage import fork
from playground.training.run.paths import write_json
from tests.helpers.small_training import task_config, train_config


@pytest.fixture
def trained(tmp_path):
    config = train_config(tmp_path, checkpoint_every=3)
    for _ in run(config, tmp_path / "run"):
        pass
    return tmp_path / "run"


def test_the_folder_holds_the_last_checkpoint_in_half_precision(trained, tmp_path):
    export_model(trained, tmp_path / "model", name="mine")
    halves = load_file(tmp_path / "model" / "model.safetensors")
    last = load_file(trained / "snapshots" / "000006" / "model.safetensors")
    assert halves.keys() == last.keys()
    assert all(torch.equal(halves[name], last[name].half()) for name in last)
    assert load(str(tmp_path / "model")).context == 16


def test_the_card_says_what_is_true_of_the_run(trained, tmp_path):
    export_model(trained, tmp_path / "model", name="mine", licence="CC0")
    card = (tmp_path / "model" / "card.md").read_text(encoding="utf-8")
    assert card.startswith("# mine\n\nA decoder of 1 layers x 2 heads, width 16, context 16, vocabulary 32:")
    assert "Licence: CC0." in card
    assert "The lines of wrapped prose were joined." in card
    assert "Read from text.txt" in card
    assert str(tmp_path) not in card
    assert f"{6 * 2 * 16:,} tokens in all" in card
    assert "| held_out_loss |" in card
    assert "copying" not in card.split("## Data")[1].split("(sources")[0]


def test_a_run_whose_lines_were_all_joined_says_so(tmp_path):
    config = train_config(tmp_path)
    object.__setattr__(config, "task", task_config(tmp_path, unwrap=True))
    for _ in run(config, tmp_path / "run"):
        pass
    export_model(tmp_path / "run", tmp_path / "model", name="mine")
    assert "The lines of a paragraph were joined." in (tmp_path / "model" / "card.md").read_text(encoding="utf-8")


def test_a_run_whose_lines_were_kept_is_not_said_to_have_joined_them(tmp_path):
    config = train_config(tmp_path)
    object.__setattr__(config, "task", task_config(tmp_path, unwrap=False))
    for _ in run(config, tmp_path / "run"):
        pass
    export_model(tmp_path / "run", tmp_path / "model", name="mine")
    card = (tmp_path / "model" / "card.md").read_text(encoding="utf-8")
    assert "join_metrics" not in card
    assert "Licence" not in card


def test_transformers_loads_the_same_logits(trained, tmp_path, capsys):
    from transformers import AutoModelForCausalLM

    assert main(["export", str(trained), "--out", str(tmp_path / "hub"), "--format", "transformers"]) == 0
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "hub").eval()
    export_model(trained, tmp_path / "model", name="mine")
    ids = torch.tensor([[0, 3, 4, 5]])
    ours = load(str(tmp_path / "model"), device="cpu", dtype="float32").module
    with torch.inference_mode():
        assert torch.allclose(theirs(ids).logits, ours(ids), atol=2e-3)


def test_what_cannot_be_exported_is_a_sentence(trained, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="cannot be written"):
        export_model(trained, tmp_path / "file", name="mine")
    (tmp_path / "new").mkdir()
    write_json(tmp_path / "new" / "config.json", train_config(tmp_path).to_dict())
    with pytest.raises(UserError, match="no checkpoint yet"):
        export_model(tmp_path / "new", tmp_path / "x", name="x")
    with pytest.raises(UserError, match="no checkpoint yet"):
        export_to_transformers(tmp_path / "new", tmp_path / "x")
    with pytest.raises(UserError, match="has no line for step 7"):
        tokens_read(trained, 7)


def test_the_card_of_a_fork_tells_what_the_run_began_with(trained, tmp_path):
    config = dataclasses.replace(read_train_config(trained / "config.json"), steps=8, batch=5)
    new = fork(tmp_path, "run", 3, config, name="longer")
    for _ in run(config, tmp_path / new):
        pass
    export_model(tmp_path / new, tmp_path / "model", name="mine")
    card = (tmp_path / "model" / "card.md").read_text(encoding="utf-8")
    assert "8 steps of 5 rows" in card
    assert "- steps 1 to 3: steps: 6; batch: 2\n" in card
    (trained / "config.json").unlink()
    with pytest.raises(UserError, match="put that folder back"):
        export_model(tmp_path / new, tmp_path / "model", name="mine")
