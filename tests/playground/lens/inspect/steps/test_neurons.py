"""Neurons: their order, the tokens they promote, their activations along a text, and the search over them."""

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.lens.inspect.steps.neurons import (
    NeuronName,
    activations_at,
    all_rows,
    feed_forward_of,
    layer_inputs,
    output_row,
    promoted_tokens,
    rank_neurons,
    search_neurons,
)
from tests.playground.lens.inspect.steps.test_layer import traced
from tests.playground.lens.inspect.steps.test_whole_token import scrambled


def hooked(module, arguments, model):
    """What a module receives in a pass of the model."""
    received = []
    handle = module.register_forward_pre_hook(lambda _module, inputs: received.append(inputs[0]))
    model.module(**arguments)
    handle.remove()
    return received


@pytest.mark.parametrize("family", ["llama", "bert"])
def test_neurons_are_sorted_by_what_they_add(family):
    model = scrambled(family)
    trace = traced(model)
    feed_forward = feed_forward_of(trace.whole_token(3), 0)
    ranked = rank_neurons(feed_forward)
    added = [
        float((activation * output_row(feed_forward.body, name)).norm())
        for name, activation in zip(ranked.names, ranked.activations, strict=True)
    ]
    assert sorted(added, reverse=True) == pytest.approx(added, rel=1e-5)
    np.testing.assert_allclose(ranked.added, added, rtol=1e-4, atol=1e-6)
    down = (
        model.module.model.layers[0].mlp.down_proj
        if family == "llama"
        else model.module.bert.encoder.layer[0].output.dense
    )
    (received,) = hooked(down, trace._arguments, model)
    own = received.reshape(-1, received.shape[-1])[3]
    assert [float(own[name.number]) for name in ranked.names] == pytest.approx(ranked.activations.tolist(), abs=1e-5)


@pytest.mark.parametrize("family", ["llama", "opt", "albert", "phi3"])
def test_activations_at_every_token_are_the_models(family):
    model = scrambled(family)
    trace = traced(model)
    token = trace.whole_token(3)
    inputs = layer_inputs(model, trace._arguments, token, 1)
    feed_forward = feed_forward_of(token, 1)
    modules = dict(model.module.named_modules())
    names = {"llama": "model.layers.1.mlp.down_proj", "phi3": "model.layers.1.mlp.down_proj"}
    names |= {"opt": "model.decoder.layers.1.fc2"}
    names |= {"albert": "albert.encoder.albert_layer_groups.0.albert_layers.0.ffn_output"}
    # ALBERT runs its one block twice; the second time is layer 1.
    received = hooked(modules[names[family]], trace._arguments, model)[-1].reshape(len(inputs), -1)
    for number in (0, 17):
        found = activations_at(feed_forward.body, inputs, NeuronName(0, number))
        np.testing.assert_allclose(found, received[:, number], atol=1e-5)


def test_an_expert_is_silent_where_it_was_not_chosen():
    model = scrambled("mixtral")
    trace = traced(model)
    token = trace.whole_token(3)
    inputs, body = layer_inputs(model, trace._arguments, token, 1), feed_forward_of(token, 1).body
    routing = body.router(inputs)
    for expert in range(4):
        found = activations_at(body, inputs, NeuronName(expert, 5))
        chosen = (routing.chosen == expert).any(-1).numpy()
        assert ((found != 0) == chosen).all()


def test_promoted_tokens_by_brute_force():
    model = scrambled("llama")
    token = traced(model).whole_token(3)
    feed_forward, head = feed_forward_of(token, 1), token.ending.head
    rows = all_rows(feed_forward.body.expert(0))
    tokens = promoted_tokens(head, rows, k=4)
    norm, final = model.module.model.norm, token.final[0]
    root = float((final.square().mean() + norm.variance_epsilon).sqrt())
    effects = (rows / root * norm.weight) @ model.module.lm_head.weight.T
    for number in (0, 11):
        order = effects[number].argsort(descending=True)
        assert tokens.promoted[number].tolist() == order[:4].tolist()
        assert tokens.suppressed[number].tolist() == order.flip(0)[:4].tolist()
        np.testing.assert_allclose(tokens.raised[number], effects[number][order[:4]], rtol=1e-4)


def test_the_search_finds_neurons_by_the_tokens_they_promote():
    model = scrambled("llama")
    token = traced(model).whole_token(3)
    rows = all_rows(feed_forward_of(token, 0).body.expert(0))
    tokens = promoted_tokens(token.ending.head, rows, k=3)
    names = [NeuronName(0, number) for number in range(len(rows))]
    found = search_neurons(names, tokens, lambda id: f"<{id}>", " <7> ")
    expected = [n for n in range(len(rows)) if 7 in tokens.promoted[n] or 7 in tokens.suppressed[n]]
    assert sorted(one.name.number for one in found) == expected
    assert all(one.token == 7 for one in found)
    sizes = [abs(one.effect) for one in found]
    assert sizes == sorted(sizes, reverse=True)
    assert search_neurons(names, tokens, str, " ") == []


def test_a_neuron_that_is_not_there_is_refused():
    token = traced(scrambled("mixtral")).whole_token(3)
    body = feed_forward_of(token, 0).body
    for name in (NeuronName(9, 0), NeuronName(0, 999)):
        with pytest.raises(UserError, match="no neuron"):
            output_row(body, name)
    with pytest.raises(UserError, match="no layer 7; choose 0 to 1"):
        feed_forward_of(token, 7)


def test_models_with_a_head_of_their_own_are_passed_through_its_norms_only():
    token = traced(scrambled("bert")).whole_token(3)
    direction = torch.eye(32)[:1]
    tokens = promoted_tokens(token.ending.head, direction, k=5)
    assert np.isfinite(tokens.raised).all()
    assert (np.diff(tokens.raised[0]) <= 0).all()
