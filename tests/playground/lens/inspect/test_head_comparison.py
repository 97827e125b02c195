"""Many heads and one big head, by hand and against each other."""

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.lens import trace
from playground.lens.inspect.free_attention import EXAMPLE, Rules, Words, attend_freely
from playground.lens.inspect.head_comparison import free_heads, furthest_query, model_heads
from tests.helpers.families import small_model


def test_two_heads_look_at_two_words_by_hand():
    """One head must share its weight between what two heads find each for itself."""
    far = 40.0
    queries = np.array([[far, far], [0, 0], [0, 0]])
    keys = np.array([[0, 0], [1, 0], [0, 1.0]])
    comparison = free_heads(
        Words(words=("a", "b", "c"), queries=queries, keys=keys, values=keys), 2, Rules(is_scaled=False)
    )
    assert comparison.many[:, 0] == pytest.approx(np.array([[0, 1, 0], [0, 0, 1]]), abs=1e-9)
    assert comparison.one[0] == pytest.approx([0, 0.5, 0.5], abs=1e-9)
    assert comparison.disagreement == pytest.approx([1, 0, 0])


def test_one_head_of_one_is_itself():
    comparison = free_heads(EXAMPLE, 1)
    np.testing.assert_allclose(comparison.many[0], comparison.one)
    np.testing.assert_allclose(comparison.one, attend_freely(EXAMPLE).weights)
    assert comparison.disagreement.tolist() == [0] * 6
    with pytest.raises(UserError, match="divides 3"):
        free_heads(EXAMPLE, 2)


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert", "t5"])
def test_a_models_heads_put_together(family):
    model = small_model(family)
    t = trace(model, "the cat sat", *(["a dog"] if family == "t5" else []))
    site = t.site(1, t.kinds[0])
    comparison = model_heads(site)
    np.testing.assert_allclose(comparison.many[2], t.attention(1, 2, t.kinds[0]), atol=1e-6)
    call = site.call
    key = call.key.repeat_interleave(call.queries_per_key_value_head, 1)
    query, key = (tensor.transpose(1, 2).flatten(2)[0] for tensor in (call.query, key))
    scores = query @ key.T * call.scaling / 2  # four heads: the root of four
    if call.bias is not None:
        scores = scores + call.bias[0].mean(0)
    if model.kind == "decoder":
        scores = scores.masked_fill(torch.ones_like(scores).triu(1).bool(), float("-inf"))
    np.testing.assert_allclose(comparison.one, scores.softmax(-1), atol=1e-5)
    assert ((comparison.disagreement >= 0) & (comparison.disagreement <= 1)).all()


def test_the_query_at_which_the_heads_are_furthest_apart_is_named():
    said = furthest_query(np.array([0.1, 0.8, 0.3]), ["0 The", "1 cat", "2 sat"])
    assert str(said) == (
        "The layer's heads are furthest apart at query 1 cat: a distance of 0.80, where 1 is no common token. The mean "
        "is 0.40; with a single head it is always 0."
    )
    assert furthest_query(np.zeros(3), ["a", "b", "c"]) is None
