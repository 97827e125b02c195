"""A fine-tuning is a run: bit-identical when resumed, small on disk, and loaded as any other model."""

import dataclasses
import json

import pytest
import torch
from safetensors.torch import load_file

from playground.errors import UserError
from playground.models import load
from playground.training.finetune import FinetuneConfig, TrainedParts, finetune
from playground.training.finetune.result import before_and_after, export_merged, export_trained, final_measures
from playground.training.run.folder import read_run_config, read_train_config, run
from playground.training.run.lineage import check_fork
from playground.training.run.status import read_status
from playground.training.trainer import start_state
from tests.helpers.own_models import random_model, save_model
from tests.helpers.small_finetuning import finetune_config

torch.set_num_threads(1)
CASES = [
    *[("encoder", "labels", method) for method in ("head", "last", "lora", "all")],
    ("decoder", "labels", "lora"),
    ("decoder", "passages", "lora"),
    ("decoder", "prompts", "last"),
    ("encoder-decoder", "pairs", "lora"),
    ("bert", "labels", "biases"),
    ("bert", "labels", "lora"),
    ("llama", "labels", "lora"),
    ("gpt2", "labels", "lora"),
]


def config_of(folder, family, task, method, **changes) -> FinetuneConfig:
    parts = TrainedParts(method=method, layers=1, rank=2, alpha=4.0)
    return finetune_config(folder, family, task, parts=parts, **changes)


def trained(folder):
    return load_file(folder / "snapshots" / "000004" / "trained.safetensors")


@pytest.mark.parametrize(("family", "task", "method"), CASES)
def test_a_run_that_was_ended_goes_on_bit_for_bit_and_loads_as_what_it_learned(tmp_path, family, task, method):
    config = config_of(tmp_path, family, task, method)
    list(run(config, tmp_path / "whole"))
    stream = run(config, tmp_path / "ended")
    [next(stream) for _ in range(3)]
    stream.close()
    assert [step.step for step in run(config, tmp_path / "ended")] == [3, 4]
    whole, ended = trained(tmp_path / "whole"), trained(tmp_path / "ended")
    assert whole.keys() == ended.keys()
    assert all(torch.equal(whole[name], ended[name]) for name in whole)
    assert read_status(tmp_path / "ended").state == "finished"
    assert read_run_config(tmp_path / "whole" / "config.json") == config
    start = load_file(tmp_path / "whole" / "snapshots" / "000000" / "trained.safetensors")
    assert any(not torch.equal(start[name], whole[name]) for name in whole)
    _before, after = before_and_after(tmp_path / "whole")
    model = load(after)
    if task == "labels":
        assert model.head is not None
        assert model.head.labels == ("cats", "dogs")
        assert final_measures(tmp_path / "whole")["held_out_rows"] > 0


@pytest.mark.parametrize(("family", "task"), [("encoder", "labels"), ("decoder", "passages"), ("bert", "labels")])
def test_loading_merges_what_training_kept_apart(tmp_path, family, task):
    """W + (alpha / r) B A answers as W with its detour beside it."""
    config = config_of(tmp_path, family, task, "lora")
    prepared = config.prepare_task()
    state = start_state(config, prepared)
    list(finetune(config, state=state))
    list(run(config, tmp_path / "run"))
    reader = prepared.reader
    ids = torch.tensor([reader.encode("the cat sat on the mat")])
    merged = load(before_and_after(tmp_path / "run")[1])
    with torch.no_grad():
        read = state.model.read(ids)
        if task == "labels":
            expected, actual = state.model.classify(read), merged.head.answer(ids, torch.zeros_like(ids))
        else:
            expected, actual = state.model.head(read), merged.module(ids)
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)


def test_lora_begins_as_the_base_and_leaves_it_untouched(tmp_path):
    config = config_of(tmp_path, "decoder", "passages", "lora")
    state = start_state(config)
    ids = torch.tensor([[0, 7, 9, 11]])
    base = load(config.base)
    with torch.no_grad():
        torch.testing.assert_close(state.model(ids), base.module(ids))
    list(finetune(config, state=state))
    with torch.no_grad():
        assert (state.model(ids) - base.module(ids)).abs().max() > 1e-4
    before = base.module.state_dict()
    for name, tensor in state.whole.state_dict().items():
        if "lora" not in name:
            assert torch.equal(tensor, before[name.replace(".base.", ".")]), name


def test_only_the_last_layer_moves(tmp_path):
    config = config_of(tmp_path, "encoder", "labels", "last")
    names = start_state(config).weights().keys()
    assert {name.split(".")[0] for name in names} == {"blocks", "classifier", "norm"}
    assert {name.split(".")[1] for name in names if name.startswith("blocks")} == {"1"}


def test_layers_further_down_learn_at_smaller_rates(tmp_path):
    config = config_of(tmp_path, "encoder", "labels", "all", layer_decay=0.5)
    groups = start_state(config).optimizer.param_groups
    assert sorted({group["rate_share"] for group in groups}) == [0.125, 0.25, 0.5, 1.0]
    next(finetune(config, state=(state := start_state(config))))
    rates = {group["lr"] / group["rate_share"] for group in state.optimizer.param_groups}
    assert rates == {0.01}


def test_from_scratch_shares_nothing_with_the_base(tmp_path):
    config = config_of(tmp_path, "encoder", "labels", "lora", from_scratch=True)
    weights, base = start_state(config).weights(), load(config.base).module.state_dict()
    assert len(weights) > 10
    assert not any(
        torch.equal(weights[name], base[name]) for name in weights if name.endswith("query_key_value.weight")
    )


def test_a_run_opens_no_more_on_other_base_weights(tmp_path):
    config = config_of(tmp_path, "encoder", "labels", "lora")
    list(run(config, tmp_path / "run"))
    after = before_and_after(tmp_path / "run")[1]
    load(after)
    save_model(random_model(seed=1, kind="encoder", tied=True), tmp_path / "encoder")
    with pytest.raises(UserError, match="not those that were fine-tuned"):
        load(after)


@pytest.mark.parametrize("family", ["encoder", "bert"])
def test_exports_answer_alike(tmp_path, family):
    config = config_of(tmp_path, family, "labels", "lora")
    list(run(config, tmp_path / "run"))
    whole = load(str(export_merged(tmp_path / "run", tmp_path / "whole")))
    part = load(str(export_trained(tmp_path / "run", tmp_path / "part")))
    ids = torch.tensor([[1, 6, 8, 2]])
    answers = [model.head.answer(ids, torch.zeros_like(ids)) for model in (whole, part)]
    torch.testing.assert_close(*answers, atol=1e-6, rtol=1e-5)
    card = (tmp_path / "whole" / "card.md").read_text()
    assert all(word in card for word in ("sha256", "accuracy", "cats, dogs", "rank: 2"))
    if family == "bert":
        from transformers import AutoModelForSequenceClassification

        theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path / "whole").eval()
        with torch.no_grad():
            torch.testing.assert_close(theirs(ids).logits, answers[0], atol=1e-5, rtol=1e-5)
        assert theirs.config.id2label == {0: "cats", 1: "dogs"}


def test_a_fork_keeps_base_and_parts(tmp_path):
    config = config_of(tmp_path, "encoder", "labels", "lora")
    before = json.loads(json.dumps(config.to_dict()))
    check_fork(before, json.loads(json.dumps(dataclasses.replace(config, learning_rate=0.1).to_dict())), 2)
    other = dataclasses.replace(config, parts=TrainedParts(method="all"))
    with pytest.raises(UserError, match="keeps its base"):
        check_fork(before, json.loads(json.dumps(other.to_dict())), 2)


def test_a_fine_tuning_is_no_training_from_random_weights(tmp_path):
    config = config_of(tmp_path, "encoder", "labels", "lora")
    list(run(config, tmp_path / "run"))
    with pytest.raises(UserError, match="fine-tuning"):
        read_train_config(tmp_path / "run" / "config.json")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"base": " "}, "No model is named"),
        ({"length": 2}, "length is 2"),
        ({"layer_decay": 0.0}, "layer_decay"),
        ({"layer_decay": float("nan")}, "layer_decay"),
        ({"optimizer": "muon"}, "Muon starts"),
        ({"from_scratch": "yes"}, "from_scratch"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, changes, sentence):
    with pytest.raises(UserError, match=sentence):
        dataclasses.replace(finetune_config(tmp_path), **changes)


@pytest.mark.parametrize(
    ("family", "task", "parts", "sentence"),
    [
        ("encoder", "passages", TrainedParts(), "choose a decoder"),
        ("encoder", "pairs", TrainedParts(), "choose an encoder-decoder"),
        ("encoder-decoder", "labels", TrainedParts(), "choose an encoder or a decoder"),
        ("encoder", "labels", TrainedParts(method="last", layers=9), "has 2 layers"),
        ("encoder", "labels", TrainedParts(rank=64), "smaller rank"),
        ("llama", "labels", TrainedParts(method="biases"), "no biases"),
        # A new head has one, which alone would make of BitFit another name for the head.
        ("encoder", "labels", TrainedParts(method="biases"), "no biases"),
    ],
)
def test_a_base_without_the_parts_is_refused(tmp_path, family, task, parts, sentence):
    with pytest.raises(UserError, match=sentence):
        list(finetune(finetune_config(tmp_path, family, task, parts=parts)))
