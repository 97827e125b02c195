"""What was stored and linked before the renaming opens as if it were new."""

import argparse
import dataclasses
import json
from pathlib import Path

import pytest
import torch

from playground.command.options import add_options, typed_options
from playground.errors import UserError
from playground.legacy_names import MODEL_CONFIG, Renaming, modernise, modernise_run_config
from playground.lens import trace
from playground.models import load
from playground.training.config import TrainConfig
from playground.training.run.runs import read_run
from playground.transformer import TransformerConfig

BEFORE = Path(__file__).parents[1] / "data" / "before-renaming"
SHIPPED = Path(__file__).parents[2] / "assets" / "models"
RENAMING = Renaming(keys={"old": "new"}, values={"new": {"before": "pre"}})


def test_old_keys_and_values_become_todays():
    assert modernise({"old": "before", "other": "before"}, RENAMING) == {"new": "pre", "other": "before"}


def test_a_key_in_both_spellings_keeps_todays():
    assert modernise({"old": "before", "new": "post"}, RENAMING) == {"new": "post"}
    assert modernise({"new": "post", "old": "before"}, RENAMING) == {"new": "post"}


def test_what_is_modern_stays_and_nothing_is_changed_in_place():
    values = {"old": "before"}
    assert modernise({"new": "pre", "n": 1}, RENAMING) == {"new": "pre", "n": 1}
    modernise(values, RENAMING)
    assert values == {"old": "before"}


def test_a_run_config_and_a_links_changes_are_renamed_in_all_their_records():
    link = {"model": {"heads": 2, "norm_place": "after"}, "train": {"snapshot_every": 5}}
    assert modernise_run_config(link) == {
        "model": {"n_heads": 2, "norm_position": "post"},
        "train": {"checkpoint_every": 5},
    }
    assert modernise_run_config({"snapshot_every": 5, "model": "damaged"}) == {
        "checkpoint_every": 5,
        "model": "damaged",
    }


def test_an_old_model_folder_opens():
    folder = BEFORE / "models" / "forked"
    model = load(str(folder))
    config = model.module.config
    assert (model.n_heads, config.n_heads, config.n_key_value_heads, config.norm_position) == (2, 2, 1, "pre")
    traced = trace(model, "1+2=")
    assert traced.check().passed
    assert traced.last_logits is not None
    assert bool(traced.last_logits.isfinite().all())


@pytest.mark.parametrize("name", ["books-decoder", "books-encoder", "induction", "tales-translator"])
def test_the_shipped_models_still_spell_their_configuration_the_old_way(name):
    stored = json.loads((SHIPPED / name / "config.json").read_text(encoding="utf-8"))
    stored.pop("id2label", None)  # the head's labels are the folder's, not the transformer's
    config = TransformerConfig.from_dict(stored)
    assert "n_heads" not in stored
    assert config.n_heads == stored["heads"]
    assert config.norm_position == {"before": "pre", "after": "post"}[stored["norm_place"]]
    assert TransformerConfig.from_dict(config.to_dict()) == config
    assert not MODEL_CONFIG.keys.keys() & config.to_dict().keys()


@pytest.mark.parametrize("run", sorted(path.parent.name for path in BEFORE.glob("runs/*/config.json")))
def test_an_old_run_is_read_with_todays_names(run):
    stored = json.loads((BEFORE / "runs" / run / "config.json").read_text(encoding="utf-8"))
    config = TrainConfig.from_dict(stored)
    assert config.model.n_heads == stored["model"]["heads"]
    assert config.steps == stored["steps"]
    shown = read_run(BEFORE / "runs" / run).config
    assert shown["model"]["n_heads"] == stored["model"]["heads"]
    assert TrainConfig.from_dict(shown) == config == TrainConfig.from_dict(config.to_dict())


def test_an_unknown_field_is_still_refused():
    with pytest.raises(UserError, match="unknown fields: head_count"):
        TransformerConfig.from_dict({"vocabulary": 10, "head_count": 2})


@pytest.mark.parametrize(
    "words",
    [("--n-heads", "2", "--norm-position", "post"), ("--heads", "2", "--norm-place", "after")],
)
def test_old_flags_and_their_values_are_accepted(words):
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_options(parser, TransformerConfig, prefix="model", renaming=MODEL_CONFIG)
    options = typed_options(parser.parse_args(words), "model")
    assert options == {"n_heads": 2, "norm_position": "post"}
    config = dataclasses.replace(TransformerConfig(vocabulary=10), **options)
    assert (config.n_heads, config.norm_position) == (2, "post")


def test_an_old_config_makes_the_same_weights_as_todays():
    stored = json.loads((BEFORE / "models" / "forked" / "config.json").read_text(encoding="utf-8"))
    from playground.transformer import Transformer

    models = []
    for config in (stored, TransformerConfig.from_dict(stored).to_dict()):
        torch.manual_seed(0)
        models.append(Transformer(TransformerConfig.from_dict(config)).state_dict())
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[1])
