"""Neurons: their order, the tokens they promote, their activations along a text, and the search over them."""

import numpy as np
import pytest

from playground.errors import UserError
from playground.lens.inspect.steps.logit_slopes import logit_slopes
from playground.lens.inspect.steps.neurons import (
    NeuronName,
    all_rows,
    feed_forward_of,
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


def test_the_search_finds_neurons_by_the_tokens_they_promote():
    model = scrambled("llama")
    token = traced(model).whole_token(3)
    rows = all_rows(feed_forward_of(token, 0).body.expert(0))
    tokens = promoted_tokens(logit_slopes(token, 0), rows, k=3)
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
