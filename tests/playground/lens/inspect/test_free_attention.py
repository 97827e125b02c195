"""Attention without a model, by hand and against torch."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from playground.errors import UserError
from playground.lens.inspect.free_attention import (
    CIRCULATING,
    EXAMPLE,
    EXAMPLE_QUERY,
    INTRODUCTIONS,
    Rules,
    Words,
    attend_freely,
    invent,
)

NUMBERS = st.floats(-50, 50)


def test_sat_by_hand():
    """The numbers of the example's query, worked out on paper."""
    attention = attend_freely(EXAMPLE)
    assert EXAMPLE.words[EXAMPLE_QUERY] == "sat"
    # (2, 0, 2) times the keys (0,0,0) (2,0,0) (0,2,0) (0,0,1) (0,0,0) (1,0,2)
    assert attention.products[2, 1].tolist() == [4, 0, 0]
    assert attention.products[2, 5].tolist() == [2, 0, 4]
    assert attention.scores[2].tolist() == [0, 4, 0, 2, 0, 6]
    assert attention.scaling == pytest.approx(0.57735, abs=1e-5)
    assert attention.scaled[2] == pytest.approx([0, 2.3094, 0, 1.1547, 0, 3.4641], abs=1e-4)
    # e^0 = 1, e^2.3094 = 10.068, e^1.1547 = 3.1731, e^3.4641 = 31.948; the sum is 48.189
    assert attention.weights[2] == pytest.approx([0.02075, 0.20893, 0.02075, 0.06585, 0.02075, 0.66297], abs=1e-4)
    # cat and mat are things: 0.20893 + 0.66297; on and mat are places: 0.06585 + 0.66297
    assert attention.output[2] == pytest.approx([0.87190, 0.02075, 0.72882], abs=1e-4)


@given(
    vectors=arrays(float, (3, 5, 3), elements=NUMBERS),
    causal=st.booleans(),
    scaled=st.booleans(),
    temperature=st.floats(0.1, 10),
)
def test_as_torch_attends(vectors, causal, scaled, temperature):
    words = Words(words=tuple("abcde"), queries=vectors[0], keys=vectors[1], values=vectors[2])
    attention = attend_freely(words, Rules(is_scaled=scaled, is_causal=causal, temperature=temperature))
    query, key, value = (torch.from_numpy(table)[None, None] for table in vectors)
    expected = torch.nn.functional.scaled_dot_product_attention(
        query, key, value, is_causal=causal, scale=(3**-0.5 if scaled else 1) / temperature
    )
    np.testing.assert_allclose(attention.output, expected[0, 0].numpy(), atol=1e-8)
    np.testing.assert_allclose(attention.sums, 1)
    np.testing.assert_allclose(attention.shares.sum(1), attention.output)
    np.testing.assert_allclose(attention.products.sum(-1), attention.scores)


def test_causal_words_do_not_look_ahead():
    weights = attend_freely(EXAMPLE, Rules(is_causal=True)).weights
    assert (weights[np.triu_indices(6, 1)] == 0).all()
    assert weights[0, 0] == 1


def test_temperature_sharpens_and_flattens():
    by = {t: attend_freely(EXAMPLE, Rules(temperature=t)).weights[2] for t in (0.01, 1.0, 100.0)}
    assert by[0.01].max() == pytest.approx(1)
    assert by[100.0] == pytest.approx([1 / 6] * 6, abs=0.01)


def test_one_word():
    attention = attend_freely(invent(["cat"]))
    assert attention.weights.tolist() == [[1.0]]


def test_invented_vectors_belong_to_their_word():
    words = invent(["the", "cat", "The"])
    assert words.keys[0].tolist() == words.keys[2].tolist()
    assert words.keys[0].tolist() != words.keys[1].tolist()
    assert words.keys.shape == (3, 3)


def test_refusals():
    with pytest.raises(UserError, match="0 words"):
        invent([])
    with pytest.raises(UserError, match="17 words"):
        invent(["a"] * 17)
    vectors = np.zeros((2, 3))
    with pytest.raises(UserError, match="rows"):
        Words(words=("a",), queries=vectors, keys=vectors, values=vectors)
    with pytest.raises(UserError, match="different lengths"):
        Words(words=("a", "b"), queries=vectors, keys=vectors[:, :2], values=vectors)
    with pytest.raises(UserError, match="missing in a vector"):
        Words(words=("a", "b"), queries=vectors, keys=vectors, values=vectors * math.nan)
    with pytest.raises(UserError, match="columns"):
        Words(words=("a", "b"), queries=vectors, keys=vectors, values=np.zeros((2, 17)))
    for temperature in (0, math.nan):
        with pytest.raises(UserError, match="temperature"):
            Rules(temperature=temperature)


def test_the_introductions_example_in_print_and_right():
    """The issue's numbers: what circulates, and what the formula gives for "sat"."""
    attention = attend_freely(INTRODUCTIONS)
    assert attention.scores[EXAMPLE_QUERY] == pytest.approx([0.50, 1.22, 1.94, 0.74, 0.50, 1.46])
    weights = [0.1149, 0.1742, 0.2639, 0.1320, 0.1149, 0.2000]
    assert attention.weights[EXAMPLE_QUERY].round(4).tolist() == weights
    assert attention.output[EXAMPLE_QUERY].round(4).tolist() == [0.4038, 0.5038, 0.6038]
    assert attention.sums[EXAMPLE_QUERY] == pytest.approx(1.0)
    assert CIRCULATING.products == (0.21, 0.49, 0.77, 0.28, 0.21, 0.63)
    assert (CIRCULATING.weights_sum, CIRCULATING.output) == (1.48, (0.47, 0.58, 0.69))
    reference = torch.nn.functional.scaled_dot_product_attention(
        *(torch.tensor(table)[None] for table in (INTRODUCTIONS.queries, INTRODUCTIONS.keys, INTRODUCTIONS.values))
    )[0]
    assert attention.output == pytest.approx(reference.numpy())
