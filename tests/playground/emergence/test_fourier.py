"""Waves in a + b: a network that has the rule, one that knows by heart, and the Gini coefficient by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from playground.emergence.grokking import (
    answer_losses,
    excluded,
    fourier_norms,
    gini,
    key_frequencies,
    restricted,
    sum_power,
)
from playground.errors import UserError

P = 13
NUMBERS = np.arange(P)
TOTAL = (NUMBERS[:, None, None] + NUMBERS[:, None] - NUMBERS) * 2 * np.pi / P
"""2 pi (a + b - c) / p."""
noises = st.integers(0, 2**32).map(lambda seed: np.random.default_rng(seed).normal(size=(P, P, P)))


def rule(*keys: int, weight: float = 3.0) -> np.ndarray:
    """The logits that Nanda et al. 2023 find, equation 1: the sum of cos(w_k (a + b - c))."""
    return weight * sum(np.cos(key * TOTAL) for key in keys)


def test_the_rule_has_its_power_at_its_frequencies_and_nowhere_else():
    power = sum_power(rule(2, 5))
    assert power[[1, 4]] == pytest.approx([0.5, 0.5])
    assert power.sum() == pytest.approx(1)
    assert set(key_frequencies(rule(2, 5))) == {2, 5}
    assert key_frequencies(3 * rule(4) + 0.01 * rule(1)) == (4,)


@settings(max_examples=20)
@given(st.sets(st.integers(1, P // 2), min_size=1, max_size=3))
def test_keeping_the_key_waves_keeps_the_rule_and_removing_them_leaves_chance(keys):
    logits = rule(*keys)
    assert np.allclose(restricted(logits, tuple(keys)), logits)
    assert np.allclose(excluded(logits, tuple(keys)), 0)
    assert np.allclose(answer_losses(excluded(logits, tuple(keys))), np.log(P))


@settings(max_examples=20)
@given(noises, st.sets(st.integers(1, P // 2), max_size=3))
def test_both_parts_add_up_to_the_whole_but_for_the_mean(logits, keys):
    mean = logits.mean((0, 1))
    assert np.allclose(restricted(logits, tuple(keys)) - mean + excluded(logits, tuple(keys)), logits)
    assert np.allclose(restricted(restricted(logits, tuple(keys)), tuple(keys)), restricted(logits, tuple(keys)))


def test_what_is_known_by_heart_survives_the_exclusion_of_a_few_waves():
    """A table of right answers is spread over all frequencies: without two of six it is still nearly right."""
    table = 8.0 * (((NUMBERS[:, None] + NUMBERS) % P)[..., None] == NUMBERS)
    known = np.random.default_rng(0).random((P, P)) < 0.4
    by_heart = table * known[..., None]
    loss = answer_losses(excluded(by_heart, (2, 5)))[known].mean()
    assert loss < 0.7
    assert answer_losses(excluded(rule(2, 5), (2, 5)))[known].mean() > 2


def test_losses_by_hand():
    """Equal logits: ln p. One right answer far above the others: nearly nothing."""
    assert np.allclose(answer_losses(np.zeros((P, P, P))), np.log(P))
    table = 50.0 * (((NUMBERS[:, None] + NUMBERS) % P)[..., None] == NUMBERS)
    assert answer_losses(table).max() < 1e-12


@given(arrays.arrays(np.float64, st.integers(1, 20), elements=st.floats(0, 1e6)))
def test_gini_is_between_nothing_and_one_and_knows_no_unit(values):
    coefficient = gini(values)
    assert -1e-9 <= coefficient <= 1 - 1 / len(values) + 1e-9
    assert gini(values * 3) == pytest.approx(coefficient, abs=1e-9)
    assert gini(values[::-1]) == pytest.approx(coefficient, abs=1e-9)


def test_gini_by_hand():
    """Of 1, 2, 3 the mean difference of all nine pairs is 8/9, half of it over the mean 2 is 2/9."""
    assert gini(np.array([1.0, 2.0, 3.0])) == pytest.approx(2 / 9)
    assert gini(np.zeros(3)) == 0
    with pytest.raises(UserError, match="none of them negative"):
        gini(np.array([-1.0]))


@pytest.mark.parametrize("count", [5, 6])
def test_the_fourier_norms_are_those_of_an_orthogonal_change_of_basis(count):
    embeddings = np.random.default_rng(1).normal(size=(count, 7))
    norms = fourier_norms(embeddings)
    assert len(norms) == count
    assert (norms**2).sum() / count == pytest.approx((embeddings**2).sum())
    wave = np.outer(np.cos(2 * np.pi * 2 * np.arange(count) / count), np.ones(3))
    assert fourier_norms(wave).argmax() == 3
    assert gini(fourier_norms(wave)) == pytest.approx(1 - 1 / count)


@pytest.mark.parametrize("shape", [(3, 4, 3), (3, 3), (2, 2, 2)])
def test_logits_of_something_else_are_refused(shape):
    with pytest.raises(UserError, match="all pairs"):
        sum_power(np.zeros(shape))
