"""The formula beside torch's own counter, and the measured memory beside what a pass must hold."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from playground import load
from playground.architecture import architecture_of
from playground.architecture.length_cost import (
    LENGTHS,
    allocated_peak,
    length_formula,
    measure_length,
    measured_lengths,
)
from playground.training.sizes import product_flops
from playground.transformer import TransformerConfig
from tests.helpers.families import eager_twin, small_model
from tests.helpers.own_models import own_model


def counted(model, length: int) -> int:
    """The matrix products of a pass as torch dispatches them, with transformers' plain attention."""
    module, ids = eager_twin(model), torch.zeros(1, length, dtype=torch.long)
    arguments = model.adapter.arguments(ids, target_ids=ids if model.kind == "encoder-decoder" else None)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        module(**arguments)
    return int(counter.get_total_flops())


@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma2", "gpt_neox", "bert", "electra", "albert", "t5", "bart"])
@pytest.mark.parametrize("length", [8, 24])
def test_the_formula_is_what_torch_counts(family, length):
    model = small_model(family)
    formula = length_formula(architecture_of(model))
    # Rotary families multiply frequencies with positions, a product that the formula leaves out.
    assert counted(model, length) == pytest.approx(formula.linear(length) + formula.quadratic(length), rel=1e-3)


@pytest.mark.parametrize("kind", ["decoder", "encoder", "encoder-decoder"])
def test_it_is_the_trainers_formula(kind):
    model = own_model(kind)
    formula, shape = length_formula(architecture_of(model)), model.module.config
    assert isinstance(shape, TransformerConfig)
    parts = product_flops(shape, 32)
    assert formula.quadratic(32) == parts["attention"]
    assert formula.linear(32) == sum(parts.values()) - parts["attention"]


def test_equal_parts_are_where_they_balance():
    formula = length_formula(architecture_of(small_model("llama")))
    # By hand: the parts are 2 (2 · (3,072 + 4,608) + 3,168) n and 2 layers · 4 heads · 4 · 8 n².
    assert formula.linear_flops == 2 * (2 * (3_072 + 4_608) + 99 * 32)
    assert formula.quadratic_flops == 2 * 4 * 4 * 8
    assert formula.balance == formula.linear_flops / formula.quadratic_flops
    assert formula.quadratic_share(round(formula.balance)) == pytest.approx(0.5, abs=0.01)


def test_the_peak_is_what_is_allocated_at_once():
    def run() -> None:
        torch.zeros(1000)
        first = torch.zeros(250_000)
        (first + 1).sum()

    assert allocated_peak(run, "cpu") == pytest.approx(2_000_000, abs=100)


@pytest.mark.parametrize("length", [16, 64])
def test_a_pass_holds_the_logits_and_no_pattern(length):
    model = load("books-decoder")
    cost = measure_length(model, length)
    formula = length_formula(architecture_of(model))
    assert cost.peak_bytes == pytest.approx(formula.logits_bytes * length, rel=0.02)
    assert cost.seconds > 0
    assert cost.passes >= 1


def test_no_length_is_beyond_the_context():
    assert measured_lengths(small_model("gpt2")) == (16, 32, 64)
    assert measured_lengths(load("tales-translator")) == (3, 7, 14)
    assert LENGTHS[-1] == 1024


def test_progress_is_reported_before_each_pass():
    seen = []
    measure_length(own_model("decoder"), 16, lambda done, total: seen.append((done, total)))
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4)]
