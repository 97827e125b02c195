"""A layer and a token from one pass are those of two passes; each layer is reported, and a report can end the pass."""

import numpy as np
import pytest
import torch

from playground import load
from playground import trace as read
from tests.helpers.families import small_model
from tests.playground.lens.inspect.steps.test_layer import traced


@pytest.mark.parametrize("family", ["gpt2", "qwen2", "bert", "t5"])
def test_one_pass_gives_what_two_give(family):
    trace = traced(small_model(family))
    kind = trace.kinds[-1]
    layer, token = trace.layer_and_token(1, 2, kind)
    alone, followed = trace.inside(1, kind), trace.whole_token(2, kind="encoder" if kind == "encoder" else "decoder")
    here, there = layer.head(0, 2), alone.head(0, 2)
    assert np.array_equal(here.attention.weights, there.attention.weights)
    assert np.array_equal(here.after, there.after)
    assert torch.equal(token.recomputed_logits(), followed.recomputed_logits())


def test_every_layer_is_reported_and_a_report_ends_the_pass():
    trace = read(load("books-decoder"), "The cat sat")
    seen = []
    trace.layer_and_token(0, 1, on_progress=lambda *parts: seen.append(parts))
    layers = trace.model.layers
    assert seen == [(done, layers) for done in range(1, layers + 1)]

    def cancel(done, _total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trace.layer_and_token(0, 1, on_progress=cancel)
    with pytest.raises(KeyboardInterrupt):
        trace.whole_token(1, on_progress=cancel)
    # The model is as it was: nothing of the pass that ended is left in it.
    again = read(load("books-decoder"), "The cat sat")
    assert torch.equal(again.last_logits, trace.last_logits)


@pytest.mark.parametrize("family", ["gpt2", "gemma2", "granite", "phi"])
def test_logits_are_made_only_where_they_are_wanted(family):
    trace = traced(small_model(family))
    matrix, made = trace.model.module.get_output_embeddings(), []
    matrix.register_forward_hook(lambda _module, _inputs, output: made.append(output))
    length = len(trace.query_tokens())
    every = trace.whole_token()
    for positions in ((0,), (4,), (2, length - 1), (4, 1)):
        made.clear()
        token = trace.whole_token(*positions)
        assert [output.shape[1] for output in made] == [len(positions)]
        torch.testing.assert_close(token.rows.logits, every.rows.logits[list(positions)], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(token.recomputed_logits(), token.rows.logits, atol=1e-3, rtol=1e-3)
