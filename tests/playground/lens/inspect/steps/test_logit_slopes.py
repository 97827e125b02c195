"""What a direction changes in the logits, against derivatives through the model's own modules."""

import itertools

import numpy as np
import pytest
import torch

from playground.lens.inspect.steps.logit_slopes import logit_slopes
from playground.lens.inspect.steps.neurons import all_rows, feed_forward_of, promoted_tokens
from tests.helpers.own_models import own_model, random_model
from tests.playground.lens.inspect.steps.test_layer import traced
from tests.playground.lens.inspect.steps.test_whole_token import FAMILIES, scrambled

POSITION = 3


def writers(token):
    """Layer, kind and last module of everything that writes into the stream, in the order of the pass."""
    modules = [module for module in token.model.module.modules() if getattr(module, "weight", None) is not None]

    def owner(matrix):
        return next(module for module in modules if module.weight.data_ptr() == matrix.weight.data_ptr())

    def writer(block, one):
        if one.kind == "feed_forward" and one.feed_forward.body.experts > 1:
            return token.model.module.model.layers[block.layer].mlp
        return owner(one.projection or one.feed_forward.body.expert(0).down)

    return [(block.layer, one.kind, writer(block, one)) for block in token.blocks for one in block.sublayers]


def derivatives(trace, token, layer):
    """d logits / d what the layer wrote, by autograd, all later layers held at what they wrote."""
    order = writers(token)
    place = [(number, kind) for number, kind, _module in order].index((layer, "feed_forward"))
    written, step = [], []

    def remember(_module, _inputs, output):
        written.append((output if isinstance(output, torch.Tensor) else output[0]).clone())

    def hold(_module, _inputs, output):
        # gpt-oss's mixture returns its router's scores, too.
        return held_output(output) if isinstance(output, torch.Tensor) else (held_output(output[0]), *output[1:])

    def held_output(output):
        call = next(calls)
        if call < place:
            return output
        held = written[call].clone()
        if call > place:
            return held
        step.append(torch.zeros(held.shape[-1], requires_grad=True))
        rows = held.reshape(-1, held.shape[-1])
        return torch.cat([rows[:POSITION], rows[POSITION : POSITION + 1] + step[0], rows[POSITION + 1 :]]).view_as(held)

    def run(hook):
        handles = [module.register_forward_hook(hook) for module in {module for *_place, module in order}]
        arguments = {name: value for name, value in trace._arguments.items() if name != "logits_to_keep"}
        returned = token.model.module(**arguments)
        for handle in handles:
            handle.remove()
        return (returned if isinstance(returned, torch.Tensor) else returned.logits)[0, POSITION]

    calls = itertools.count()
    with torch.no_grad():
        run(remember)
    logits = run(hold)
    return torch.stack([torch.autograd.grad(one, step[0], retain_graph=True)[0] for one in logits])


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("family", FAMILIES)
def test_directions_change_the_logits_as_the_models_derivatives_say(family, layer):
    trace = traced(scrambled(family))
    token = trace.whole_token(POSITION)
    rows = all_rows(feed_forward_of(token, layer).body.expert(0))
    expected = rows @ derivatives(trace, token, layer).T
    found = logit_slopes(token, layer)(rows)
    assert found.shape == expected.shape
    assert float(expected.abs().max()) > 1e-4
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-4 * float(expected.abs().max()))


def test_what_is_promoted_is_what_the_slopes_raise_most():
    token = traced(scrambled("albert")).whole_token(POSITION)
    rows, slopes = all_rows(feed_forward_of(token, 1).body.expert(0)), logit_slopes(token, 1)
    tokens, effects = promoted_tokens(slopes, rows, k=4), slopes(rows)
    order = effects.argsort(dim=-1, descending=True)
    assert tokens.promoted.tolist() == order[:, :4].tolist()
    assert tokens.suppressed.tolist() == order.flip(1)[:, :4].tolist()
    np.testing.assert_allclose(tokens.raised, effects.gather(1, order[:, :4]))
    np.testing.assert_allclose(tokens.lowered, effects.gather(1, order.flip(1)[:, :4]))


def test_without_residual_connections_only_the_last_layer_reaches_the_logits_by_itself():
    model = own_model("decoder")
    object.__setattr__(model, "module", random_model(kind="decoder", residual=False))
    token = traced(model).whole_token(POSITION)
    first, last = token.blocks[0].layer, token.blocks[-1].layer
    rows = all_rows(feed_forward_of(token, first).body.expert(0))
    assert not logit_slopes(token, first)(rows).any()
    assert logit_slopes(token, last)(rows).abs().max() > 0


def test_there_are_none_without_an_output_head():
    token = traced(scrambled("bart")).whole_token(POSITION, kind="encoder")
    assert logit_slopes(token, 0) is None
