"""Bootstrap intervals: covering what they promise, paired, and fast on many rows."""

import time
import tracemalloc
from dataclasses import astuple

import numpy as np
import pytest

from playground.errors import UserError
from playground.evaluation.resampling import bootstrap_score, bootstrap_scores, paired_bootstrap, resampled_sums


def mean(sums: np.ndarray) -> np.ndarray:
    return sums[:, 0] / sums[:, 1]


def counted(values: np.ndarray) -> np.ndarray:
    return np.stack([values, np.ones(len(values))], axis=1)


def test_sums_are_those_of_rows_drawn_with_replacement():
    table = np.random.default_rng(3).normal(size=(20, 3))
    generator = np.random.default_rng(5)
    by_hand = [table[generator.integers(0, 20, 20)].sum(0) for _ in range(6)]
    assert np.allclose(resampled_sums(table, 6, seed=5), by_hand)


def test_scores_of_one_table_are_those_of_each_alone():
    generator = np.random.default_rng(1)
    first, second = (counted(generator.normal(size=40)) for _measure in range(2))
    together = bootstrap_scores({"first": (first, mean), "second": (second, mean)}, n_resamples=50, seed=4)
    for name, table in (("first", first), ("second", second)):
        alone = bootstrap_score(table, mean, n_resamples=50, seed=4)
        assert astuple(together[name]) == pytest.approx(astuple(alone))


def test_the_interval_is_that_of_the_normal_approximation():
    values = np.random.default_rng(0).normal(3, 2, size=900)
    spread = bootstrap_score(counted(values), mean, n_resamples=2000)
    half = 1.96 * values.std() / 30
    assert spread.value == pytest.approx(values.mean())
    assert (spread.low, spread.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)


def test_nine_in_ten_intervals_hold_the_truth():
    held = 0
    for seed in range(60):
        values = np.random.default_rng(seed).exponential(1.0, size=80)
        spread = bootstrap_score(counted(values), mean, n_resamples=300, seed=seed)
        held += spread.low <= 1.0 <= spread.high
    assert 50 <= held <= 60


def test_pairing_sees_a_small_difference_that_intervals_alone_hide():
    hard = np.random.default_rng(1).normal(0, 5, size=200)
    first, second = counted(hard), counted(hard + 0.3)
    paired = paired_bootstrap(first, second, mean)
    assert paired.first.high > paired.second.low
    assert paired.is_told_apart
    assert paired.difference.value == pytest.approx(0.3)
    assert (paired.second_wins, paired.p_value) == (1.0, pytest.approx(1 / 1001))


def test_equal_systems_are_not_told_apart():
    values = counted(np.random.default_rng(2).normal(size=100))
    paired = paired_bootstrap(values, values, mean)
    assert (paired.difference.value, paired.second_wins, paired.p_value) == (0, 0, 1)
    assert not paired.is_told_apart


def test_different_numbers_of_lines_cannot_be_paired():
    with pytest.raises(UserError, match="2 and 3 lines"):
        paired_bootstrap(np.ones((2, 1)), np.ones((3, 1)), mean)


@pytest.mark.slow
def test_a_hundred_thousand_rows_take_seconds_and_little_memory():
    table = np.random.default_rng(0).integers(0, 30, size=(100_000, 10))
    tracemalloc.start()
    start = time.process_time()
    paired_bootstrap(table, table[::-1], lambda sums: sums[:, 0] / sums[:, 1])
    seconds, (_, peak) = time.process_time() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 10
    assert peak < 300e6
