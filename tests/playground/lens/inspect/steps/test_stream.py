"""The stream as a sum of parts: against what the modules wrote, and up to the logit."""

import numpy as np
import pytest
import torch

from playground.lens.inspect.steps.stream import contributions, read_stream
from playground.lens.inspect.steps.stream_step import stream_step
from playground.text import fill
from tests.playground.lens.inspect.steps.test_layer import traced
from tests.playground.lens.inspect.steps.test_neurons import hooked
from tests.playground.lens.inspect.steps.test_token_steps import inputs_of
from tests.playground.lens.inspect.steps.test_whole_token import FAMILIES, POST_NORM, own_logits, scrambled


@pytest.mark.parametrize("family", FAMILIES)
def test_the_parts_sum_to_the_final_state_and_to_every_logit(family):
    token = traced(scrambled(family)).whole_token(2)
    stream = read_stream(token)
    largest = np.abs(stream.final).max()
    assert stream.difference < 1e-4 * largest
    assert stream.is_sum == (family not in POST_NORM)
    np.testing.assert_allclose(stream.norms, np.sqrt((stream.written**2).sum(1)), rtol=1e-5)
    assert (np.abs(stream.cosines) <= 1 + 1e-5).all()
    for chosen in (0, 50):
        found = contributions(token.ending.head, stream, chosen)
        largest = max(1.0, float(token.rows.logits.abs().max()))
        assert found.total == pytest.approx(found.uncapped, abs=2e-4 * largest)
        capped = float(token.ending.head.capped(torch.tensor(found.total)))
        assert capped == pytest.approx(float(token.rows.logits[0, chosen]), abs=1e-3)


def test_the_parts_of_llama_are_what_its_layers_wrote():
    model = scrambled("llama")
    trace = traced(model)
    stream = read_stream(trace.whole_token(2))
    assert [name.symbol for name in stream.names] == ["x", "attn 0", "ff 0", "attn 1", "ff 1"]
    layer = model.module.model.layers[1]
    (received,) = hooked(layer.mlp.down_proj, trace._arguments, model)
    np.testing.assert_allclose(stream.written[4], (received[0, 2] @ layer.mlp.down_proj.weight.T), atol=1e-4)
    embedded = model.module.model.embed_tokens.weight[trace.ids[2]]
    np.testing.assert_allclose(stream.written[0], embedded, atol=1e-6)
    assert stream.cosines[0] == pytest.approx(
        float(embedded.numpy() @ stream.final / np.linalg.norm(embedded) / np.linalg.norm(stream.final)), abs=1e-5
    )


def test_granites_parts_are_as_they_were_multiplied():
    model = scrambled("granite")
    trace = traced(model)
    stream = read_stream(trace.whole_token(2))
    layer = model.module.model.layers[0]
    (received,) = hooked(layer.mlp.down_proj, trace._arguments, model)
    np.testing.assert_allclose(stream.written[2], 0.3 * (received[0, 2] @ layer.mlp.down_proj.weight.T), atol=1e-4)
    np.testing.assert_allclose(stream.written[0], 5 * model.module.model.embed_tokens.weight[trace.ids[2]], atol=1e-5)


def test_behind_norms_what_is_left_of_each_part_is_told_beside_what_was_written():
    stream = read_stream(traced(scrambled("bert")).whole_token(2))
    assert [name.symbol for name in stream.names] == ["x", "attn 0", "ff 0", "attn 1", "ff 1", "norms"]
    assert not np.allclose(stream.written[0], stream.arrived[0])


@pytest.mark.parametrize("family", ["gemma2", "granite"])
def test_the_models_logit_is_the_models_and_a_soft_cap_is_told(family):
    model = scrambled(family)
    model.module.lm_head.weight.mul_(20)
    trace, inputs = traced(model), inputs_of(model, traced_token=11)
    own, said = float(own_logits(trace)[2, 11]), stream_step(inputs).explanation
    assert said.endswith(fill("the model's is {own:.5g}.", own=own))
    before = fill("are {total:.5g}", total=inputs.contributions.total)
    if family == "granite":
        assert f"{before}; the model's" in said
        return
    # The module's own cap, 30, against what its matrix returned.
    assert own == pytest.approx(30 * np.tanh(inputs.contributions.total / 30), abs=1e-3)
    assert abs(own - inputs.contributions.total) > 0.1
    assert fill("{before} before the soft cap, which makes {own:.5g} of it", before=before, own=own) in said
