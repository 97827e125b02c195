"""Activations, routers and experts: by hand, and against the modules' own weights."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from playground import load
from playground import trace as read
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
from playground.lens.inspect.steps.token_inputs import TokenInputs
from playground.lens.inspect.steps.walkthrough import token_walkthrough
from tests.helpers.families import small_model
from tests.playground.lens.inspect.steps.test_layer import traced
from tests.playground.lens.inspect.steps.test_whole_token import scrambled


def inputs_at(token):
    """The steps' inputs of layer 1."""
    return TokenInputs(token=token, layer=1, label="2 c", spelling=str)


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


@pytest.mark.parametrize("family", ["llama", "phi3", "modernbert", "bert", "gpt2", "qwen2_moe"])
def test_inner_numbers_are_those_that_the_modules_returned(family):
    model = scrambled(family)
    trace = traced(model)
    returned, received = {}, {}
    for name, module in model.module.named_modules():
        module.register_forward_hook(lambda _module, _inputs, output, name=name: returned.setdefault(name, output))
        module.register_forward_pre_hook(lambda _module, inputs, name=name: received.setdefault(name, inputs))
    feed_forward = feed_forward_of(trace.whole_token(3), 1)
    up, gate, down = {
        "llama": ("model.layers.1.mlp.up_proj", "model.layers.1.mlp.gate_proj", "model.layers.1.mlp.down_proj"),
        "phi3": ("model.layers.1.mlp.gate_up_proj", "model.layers.1.mlp.gate_up_proj", "model.layers.1.mlp.down_proj"),
        "modernbert": ("model.layers.1.mlp.Wi", "model.layers.1.mlp.Wi", "model.layers.1.mlp.Wo"),
        "bert": ("bert.encoder.layer.1.intermediate.dense", "", "bert.encoder.layer.1.output.dense"),
        "gpt2": ("transformer.h.1.mlp.c_fc", "", "transformer.h.1.mlp.c_proj"),
        "qwen2_moe": tuple(f"model.layers.1.mlp.shared_expert.{name}_proj" for name in ("up", "gate", "down")),
    }[family]
    branch = feed_forward.branches()[-1]
    found = feed_forward.hidden(branch)

    def row(tensor):
        return tensor.reshape(-1, tensor.shape[-1])[3]

    # Phi 3's gate comes first; in ModernBERT what the activation takes.
    parts = {"phi3": (slice(48, None), slice(48)), "modernbert": (slice(48, None), slice(48))}.get(family)
    up_part, gate_part = parts or (slice(None), slice(None))
    assert torch.equal(found.up[0], row(returned[up])[up_part])
    assert torch.equal(found.activated[0], row(received[down][0]))
    assert (found.gate is None) == (not gate)
    if found.gate is not None:
        assert torch.equal(found.gate[0], row(returned[gate])[gate_part])


def test_in_half_precision_the_models_number_is_not_the_recomputed_one():
    token = read(load("books-decoder", dtype="bfloat16"), "The cat sat").whole_token(2)
    steps = {step.name: step for step in token_walkthrough(inputs_at(token))}
    up, gate, activated = steps["activation"].tables[0].rows
    for row in (up, gate, activated):
        assert not row.derive(0).is_recomputed
        assert max(row.derive(column).difference for column in range(len(row.keys))) > 1e-5
        # The model's numbers have the eight bits of their type.
        values = torch.from_numpy(row.values)
        assert torch.equal(values, values.bfloat16().float())


@pytest.mark.parametrize("family", ["mixtral", "gpt_oss", "qwen2_moe"])
def test_a_mixtures_numbers_say_which_of_them_are_recomputed(family):
    model = scrambled(family)
    trace = traced(model)
    router, received = [], []
    mlp = model.module.model.layers[1].mlp
    (getattr(mlp, "gate", None) or mlp.router).register_forward_hook(lambda _m, _i, output: router.append(output))
    mlp.experts.register_forward_pre_hook(
        lambda _m, inputs, kwargs: received.append((*inputs, *kwargs.values())), with_kwargs=True
    )
    token = trace.whole_token(2)
    steps = {step.name: step for step in token_walkthrough(inputs_at(token))}
    scores, shares = steps["router"].tables[0].rows
    assert not scores.derive(0).is_recomputed
    np.testing.assert_array_equal(scores.values, router[0][0][2])
    _x, chosen, weights = received[0][:3]
    assert shares.values[chosen[2].tolist()].tolist() == weights[2].tolist()
    tables = steps["activation"].tables
    is_shared = [family == "qwen2_moe" and index == len(tables) - 1 for index in range(len(tables))]
    for table, is_seen in zip(tables, is_shared, strict=True):
        for row in table.rows:
            assert row.derive(0).is_recomputed != is_seen
