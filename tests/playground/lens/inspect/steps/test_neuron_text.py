"""One neuron along a text: its inputs, its activation at every token, and how each came about."""

import numpy as np
import pytest
import torch

from playground.lens.inspect.steps.neuron_text import activations_at, layer_inputs, neuron_derivations, shares_at
from playground.lens.inspect.steps.neurons import NeuronName, feed_forward_of
from tests.playground.lens.inspect.steps.test_layer import traced
from tests.playground.lens.inspect.steps.test_neurons import hooked
from tests.playground.lens.inspect.steps.test_whole_token import scrambled


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
        shares = torch.where(routing.chosen == expert, routing.shares, 0.0).sum(-1)
        np.testing.assert_allclose(shares_at(body, inputs, expert), shares)


def test_the_pass_ends_behind_the_layer_and_says_how_far_it_is():
    model = scrambled("albert")
    trace = traced(model)
    token, told, finished = trace.whole_token(3), [], []
    head = model.module.get_output_embeddings()
    handle = head.register_forward_hook(lambda *_arguments: finished.append(1))
    for layer in (0, 1):
        inputs = layer_inputs(model, trace._arguments, token, layer, lambda done, total: told.append((done, total)))
        np.testing.assert_allclose(inputs[3], feed_forward_of(token, layer).input[0], atol=1e-5)
    handle.remove()
    assert told == [(1, 1), (1, 2), (2, 2)]
    assert not finished


def test_a_cancelled_pass_ends():
    model = scrambled("llama")
    trace = traced(model)
    token = trace.whole_token(3)

    def cancel(_done, _total):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        layer_inputs(model, trace._arguments, token, 1, cancel)


@pytest.mark.parametrize("family", ["llama", "gpt2", "mixtral", "qwen2_moe"])
def test_the_terms_of_an_activation_reach_down_to_the_weights(family):
    model = scrambled(family)
    trace = traced(model)
    token = trace.whole_token(3)
    body, inputs = feed_forward_of(token, 1).body, layer_inputs(model, trace._arguments, token, 1)
    for name in (NeuronName(0, 5), NeuronName(body.experts - 1, 7)):
        shares, alone = shares_at(body, inputs, name.expert), activations_at(body, inputs, name)
        for position in (0, 4):
            derivations = neuron_derivations(body, inputs, name, position)
            expected = alone[position] * shares[position]
            assert derivations[0].value == pytest.approx(expected, abs=1e-6)
            assert len(derivations) == 2 + (body.experts > 1) + (body.expert(0).gate is not None)
            first = derivations[-1]
            width = inputs.shape[1]
            assert [term.factors[1] for term in first.terms[:width]] == pytest.approx(inputs[position].tolist())
            for derivation in derivations:
                assert derivation.is_recomputed
                assert derivation.difference < 1e-4
