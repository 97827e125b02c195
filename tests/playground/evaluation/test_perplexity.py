"""Perplexity from surprisals: the root of a product, and bits per byte."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import UserError
from playground.evaluation.duplicates import leaked_texts, repeated_texts
from playground.evaluation.perplexity import bits_per_byte, perplexity, written_root


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=40))
def test_the_root_of_the_product_is_the_exponential_of_the_mean(probabilities):
    assert written_root(probabilities).perplexity == pytest.approx(perplexity(-np.log(probabilities)), rel=1e-9)


def test_two_tokens_by_hand():
    written = written_root([1 / 4, 1 / 9])
    assert (written.product, written.perplexity) == (pytest.approx(1 / 36), pytest.approx(6))
    assert bits_per_byte(-np.log([1 / 4, 1 / 8]), 10) == pytest.approx((2 + 3) / 10)


def test_what_has_no_root():
    assert math.isnan(perplexity(np.zeros(0)))
    assert math.isnan(bits_per_byte(np.zeros(0), 0))
    assert perplexity(np.array([2000.0])) == math.inf
    with pytest.raises(UserError, match="no predicted token"):
        written_root([])
    with pytest.raises(UserError, match="too small"):
        written_root([1e-200, 1e-200])


def test_leaks_are_found_whatever_their_spelling():
    found = leaked_texts(["A cat.", "", "A dog."], ["", "a\u00a0 DOG.", "a bird"])
    assert [(leak.test_row, leak.train_row) for leak in found] == [(2, 3)]
    assert repeated_texts(["x", "y", "X "]) == 1
