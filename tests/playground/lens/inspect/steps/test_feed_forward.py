"""Activations, routers and experts: by hand, and against the modules' own weights."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from playground.lens.inspect.steps.activation import (
    ACTIVATIONS,
    GELU,
    GELU_QUICK,
    GELU_TANH,
    RELU_SQUARED,
    SILU,
    Gating,
    find_activation,
    find_gating,
)
from playground.lens.inspect.steps.neurons import feed_forward_of
from playground.lens.inspect.steps.norm_map import LinearMap
from playground.lens.inspect.steps.router import RULES, Router
from tests.helpers.families import small_model
from tests.playground.lens.inspect.steps.test_layer import traced
from tests.playground.lens.inspect.steps.test_whole_token import scrambled


@given(st.floats(-8, 8))
def test_activations_by_their_formulas(u):
    x = torch.tensor([u], dtype=torch.float64)
    logistic = 1 / (1 + math.exp(-u))
    assert float(SILU(x)) == pytest.approx(u * logistic, abs=1e-9)
    assert float(GELU(x)) == pytest.approx(u * 0.5 * (1 + math.erf(u / math.sqrt(2))), abs=1e-9)
    inner = math.sqrt(2 / math.pi) * (u + 0.044715 * u**3)
    assert float(GELU_TANH(x)) == pytest.approx(u / 2 * (1 + math.tanh(inner)), abs=1e-9)
    assert float(GELU_QUICK(x)) == pytest.approx(u / (1 + math.exp(-1.702 * u)), abs=1e-9)
    assert float(RELU_SQUARED(x)) == pytest.approx(max(0, u) ** 2, abs=1e-9)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda one: one.name)
def test_each_activation_is_recognised_by_what_it_does(activation):
    before = torch.linspace(-3, 3, 40)[None]
    assert find_activation([], before, activation(before), torch.float32) is activation
    gate = torch.cos(before * 7) * 2
    gating = find_gating([], before, gate, before * activation(gate), torch.float32)
    assert gating is not None
    assert gating.activation is activation
    assert find_activation([], before, activation(before) + 0.1, torch.float32) is None


def test_gelu_and_its_approximation_are_told_apart_by_the_module_that_computes_it():
    # For numbers this small both are u / 2 + 0.4 u², to eight digits.
    before = torch.linspace(-0.01, 0.01, 12)[None]
    for approximate, expected in (("none", GELU), ("tanh", GELU_TANH)):
        module = torch.nn.GELU(approximate=approximate)
        assert find_activation([module], before, module(before), torch.float32) is expected


def test_limits_and_shift_of_gpt_oss():
    gating = Gating(activation=SILU, is_gated=True, limit=7.0, shift=1.0)
    up, gate = torch.tensor([[9.0, -9.0, 2.0]]), torch.tensor([[1.0, 1.0, 20.0]])
    one = 1 / (1 + math.exp(-1))
    expected = [8 * one, -6 * one, 3 * 7 / (1 + math.exp(-7))]
    assert gating(up, gate)[0].tolist() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("rule", "shares"),
    [
        # Scores ln 4, ln 2, 0, of which the first two are chosen: weights 4, 2, 1.
        ("chosen", [4 / 6, 2 / 6]),
        ("all", [4 / 7, 2 / 7]),
        ("logistic", [4 / 5, 2 / 3]),
        ("logistic, normed", [12 / 22, 10 / 22]),
    ],
)
def test_shares_by_hand(rule, shares):
    chosen = next(one for one in RULES if one.name == rule)
    router = Router(map=LinearMap(weight=torch.tensor([[2.0], [4.0], [1.0]]).log()), rule=chosen, choices=2)
    routing = router(torch.ones(1, 1))
    assert routing.chosen.tolist() == [[1, 0]]
    assert routing.shares[0].tolist() == pytest.approx(shares, rel=1e-6)


def test_llamas_neurons_by_its_own_weights():
    model = scrambled("llama")
    trace = traced(model)
    feed_forward = feed_forward_of(trace.whole_token(4), 1)
    mlp = model.module.model.layers[1].mlp
    hidden = feed_forward.body.expert(0).hidden(feed_forward.input)
    x = feed_forward.input
    torch.testing.assert_close(hidden.gate, x @ mlp.gate_proj.weight.T)
    torch.testing.assert_close(hidden.up, x @ mlp.up_proj.weight.T)
    torch.testing.assert_close(hidden.activated, mlp.act_fn(mlp.gate_proj(x)) * mlp.up_proj(x))
    torch.testing.assert_close(feed_forward.body(x), mlp(x))


@pytest.mark.parametrize("family", ["mixtral", "gpt_oss", "qwen2_moe"])
def test_experts_by_the_models_own_layer(family):
    model = small_model(family)
    mlp = model.module.model.layers[1].mlp
    feed_forward = feed_forward_of(traced(model).whole_token(4), 1)
    torch.manual_seed(3)
    x = torch.randn(7, 32)
    returned = mlp(x[None])
    own = returned[0] if isinstance(returned, tuple) else returned
    torch.testing.assert_close(feed_forward.body(x), own[0], atol=1e-4, rtol=1e-4)
    branches = feed_forward.body.branches(x[0])
    total = sum(branch.share * branch.neurons(x[:1]) for branch in branches)
    torch.testing.assert_close(total, own[0, :1], atol=1e-4, rtol=1e-4)
    shares = [branch.share for branch in branches]
    assert len(branches) == {"mixtral": 2, "gpt_oss": 1, "qwen2_moe": 3}[family]
    assert (sum(shares) == pytest.approx(1)) == (family != "qwen2_moe")
    scores = feed_forward.body.router(x).scores
    router = getattr(mlp, "gate", None) or mlp.router
    torch.testing.assert_close(scores, x @ router.weight.T + (router.bias if family == "gpt_oss" else 0))
