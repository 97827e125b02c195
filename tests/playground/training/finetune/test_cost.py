"""What a fine-tuning costs before it starts: counted on the model that would train, timed on its own rows."""

import dataclasses

import pytest
import torch

from playground.errors import UserError
from playground.models import load
from playground.tasks.finetune.pairs import PairsConfig
from playground.tasks.finetune.passages import PassagesConfig
from playground.tasks.finetune.prompts import PromptsConfig
from playground.training.finetune import FinetuneConfig, TrainedParts
from playground.training.finetune.cost import check_finetuning, estimate_finetuning
from playground.training.finetune.pace import measured_pace
from playground.training.trainer import start_state
from tests.helpers.small_finetuning import PAIRS, PROMPTS, TEXT, base_of, finetune_config

torch.set_num_threads(1)


@pytest.mark.parametrize(
    ("family", "task", "method"),
    [("encoder", "labels", "head"), ("bert", "labels", "lora"), ("decoder", "prompts", "all")],
)
def test_the_counts_are_those_of_the_run(tmp_path, family, task, method):
    config = finetune_config(tmp_path, family, task, parts=TrainedParts(method=method, rank=2))
    found, state = estimate_finetuning(config), start_state(config)
    assert found.trainable == sum(tensor.numel() for tensor in state.weights().values())
    assert found.total == sum(parameter.numel() for parameter in state.whole.parameters())
    assert found.modules == state.modules
    assert 0 < found.seconds_per_step < found.seconds


def test_pairs_that_are_longer_than_a_row_are_counted(tmp_path):
    table = PROMPTS + f"the cat,{'sat on the mat ' * 40}\n"
    config = finetune_config(tmp_path, "decoder", "prompts")
    config = dataclasses.replace(config, task=PromptsConfig(text=table), parts=TrainedParts(rank=2))
    (note,) = estimate_finetuning(config).notes
    assert str(note) == "Pairs longer than a row are left out: 1 of the 17 looked at."
    assert not estimate_finetuning(dataclasses.replace(config, task=PromptsConfig(text=PROMPTS))).notes


def test_counting_and_timing_leave_the_shared_model_alone(tmp_path):
    config = finetune_config(tmp_path, "decoder", "passages", parts=TrainedParts(rank=2))
    shared, loads = load(config.base), []

    def counted_load(name, revision=None):
        loads.append(name)
        return shared

    before = {name: tensor.clone() for name, tensor in shared.module.state_dict().items()}
    estimate_finetuning(config, load=counted_load)
    after = shared.module.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not any(parameter.requires_grad for parameter in shared.module.parameters())
    seen = len(loads)
    estimate_finetuning(dataclasses.replace(config, steps=99, learning_rate=0.1, seed=3), load=counted_load)
    assert len(loads) == seen


def test_ranks_and_numbers_of_labels_share_a_measurement(tmp_path):
    config = finetune_config(tmp_path, "encoder", "labels", parts=TrainedParts(rank=2))
    other = dataclasses.replace(
        config, parts=TrainedParts(rank=4, alpha=8.0), task=dataclasses.replace(config.task, labels=6)
    )
    assert measured_pace(config) is measured_pace(other)
    assert measured_pace(dataclasses.replace(config, from_scratch=True)) is not measured_pace(config)


@pytest.mark.parametrize(
    ("family", "task", "sentence"),
    [
        ("encoder", PassagesConfig(text=TEXT), "does not predict the next token; choose a decoder"),
        ("decoder", PairsConfig(text=PAIRS), "choose an encoder-decoder"),
    ],
)
def test_another_kind_of_model_is_refused_before_the_start(tmp_path, family, task, sentence):
    config = dataclasses.replace(finetune_config(tmp_path, family), task=task)
    with pytest.raises(UserError, match=sentence):
        estimate_finetuning(config)


@pytest.mark.parametrize("task", ["passages", "prompts"])
@pytest.mark.parametrize("family", ["llama", "mistral"])
def test_a_decoder_that_sees_the_answer_is_refused_before_the_start(tmp_path, family, task):
    config = finetune_config(tmp_path, "decoder", task, parts=TrainedParts(rank=2))
    seeing = dataclasses.replace(config, base=base_of(tmp_path / "seeing", family, is_causal=False))
    for ask in (estimate_finetuning, FinetuneConfig.prepare_task):
        with pytest.raises(UserError, match="reads both ways"):
            ask(seeing)
    causal = dataclasses.replace(config, base=base_of(tmp_path / "causal", family))
    assert len(causal.prepare_task().train) > 1


def test_what_is_too_large_or_too_long_is_refused_with_both_numbers(tmp_path):
    config = finetune_config(tmp_path, "encoder")
    check_finetuning(config, available=1e12, minutes=60)
    with pytest.raises(UserError, match=r"needs about \d+\.\d GB, and 0\.0 GB are free"):
        check_finetuning(config, available=10)
    long = dataclasses.replace(config, steps=10**9)
    check_finetuning(long, available=1e12)
    with pytest.raises(UserError, match=r"would take about [\d,.]+ hours here, and a run ends after 0\.5"):
        check_finetuning(long, available=1e12, minutes=30)
