"""Tokens right, answers right whole, probabilities of the right answer, and p to the power of L."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from playground.errors import UserError
from playground.evaluation.answers import (
    answer_probabilities,
    exact_match,
    expected_exact_match,
    token_accuracy,
    token_probability,
)

shares = st.floats(0, 1)
tables = st.tuples(st.integers(1, 6), st.integers(1, 6))


def test_two_answers_by_hand():
    """`0 5 2 5` and `1 0 0 2`: three of four and all four digits right, so seven of eight, and one of two whole."""
    hits = np.array([[True, True, False, True], [True, True, True, True]])
    assert token_accuracy(hits, np.ones_like(hits)) == 7 / 8
    assert exact_match([[0, 5, 3, 5], [1, 0, 0, 2]], [[0, 5, 2, 5], [1, 0, 0, 2]]) == 0.5
    assert expected_exact_match(7 / 8, [4, 4]) == pytest.approx(0.586, abs=1e-3)


def test_positions_that_do_not_count_change_nothing():
    hits, counted = np.array([[True, False, True]]), np.array([[True, True, False]])
    chances = np.log([[0.5, 0.25, 1e-9]])
    assert token_accuracy(hits, counted) == 0.5
    assert token_probability(chances, counted) == pytest.approx(0.375)
    assert answer_probabilities(chances, counted).tolist() == pytest.approx([0.125])


@given(shares, st.integers(0, 12))
def test_a_power_is_never_above_its_base_but_for_empty_answers(p, length):
    expected = expected_exact_match(p, [length])
    assert expected == pytest.approx(p**length)
    assert expected <= p + 1e-12 or length == 0


@given(shares, st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_longer_answers_are_promised_less(p, lengths):
    longer = [length + 1 for length in lengths]
    assert expected_exact_match(p, longer) <= expected_exact_match(p, lengths) + 1e-12
    assert expected_exact_match(1.0, lengths) == 1
    assert expected_exact_match(0.0, lengths) == 0


@given(st.integers(1, 5), st.integers(0, 2**32), st.floats(0.2, 0.95))
def test_tokens_that_are_right_independently_keep_the_promise(length, seed, p):
    """The law behind the cliff, within five standard errors of 4,000 simulated answers."""
    hits = np.random.default_rng(seed).random((4000, length)) < p
    measured = exact_match(hits.tolist(), np.ones_like(hits).tolist())
    promised = expected_exact_match(p, [length] * 4000)
    assert abs(measured - promised) < 5 * math.sqrt(promised * (1 - promised) / 4000) + 1e-3


@given(arrays.arrays(np.float64, tables, elements=st.floats(-20, 0)))
def test_an_answers_probability_is_the_product_and_never_above_its_tokens(chances):
    counted = np.ones(chances.shape, dtype=bool)
    probabilities = answer_probabilities(chances, counted)
    assert np.allclose(probabilities, np.exp(chances).prod(1))
    assert (probabilities <= np.exp(chances).min(1) + 1e-12).all()
    assert token_probability(chances, counted) >= probabilities.mean() - 1e-12


@given(st.lists(st.lists(st.integers(0, 3), max_size=4), min_size=1, max_size=5))
def test_an_answer_matches_itself_and_no_longer_one(rows):
    assert exact_match(rows, rows) == 1
    assert exact_match(rows, [[*row, 9] for row in rows]) == 0


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(UserError, match="no share"):
        expected_exact_match(1.5, [3])
    with pytest.raises(UserError, match="at least one answer"):
        expected_exact_match(0.5, [])
    with pytest.raises(UserError, match="0 answers for 1"):
        exact_match([], [[1]])
    with pytest.raises(UserError, match="No position counts"):
        token_accuracy(np.array([[True]]), np.array([[False]]))
    with pytest.raises(UserError, match="shape"):
        token_probability(np.zeros((1, 2)), np.ones((1, 3), dtype=bool))
