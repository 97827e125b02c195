"""A sweep's points: drift over what moved, and the smallest rank that suffices."""

import math

import pytest

from playground.errors import UserError
from playground.evaluation.resampling import Spread
from playground.finetuning.rank_sweep import RankPoint, possible_ranks, rank_point, smallest_sufficient
from playground.finetuning.weight_drift import model_drift
from tests.helpers.model_pairs import pair_of


def point(rank: int, value: float, reach: float = 0.05) -> RankPoint:
    score = Spread(value=value, low=value - reach, high=value + reach, n=50)
    return RankPoint(rank=rank, trainable=rank * 48, score=score, drift=0.1, effective_rank=float(rank))


def test_drift_is_over_the_matrices_that_moved():
    drift = model_drift(pair_of(rank=2, scale=0.3))
    found = rank_point(2, 96, Spread(value=0.9, low=0.8, high=1.0, n=10), drift)
    (moved,) = drift.changed
    assert found.drift == pytest.approx(moved.relative)
    assert found.effective_rank == pytest.approx(math.exp(math.log(3) - 2 / 3 * math.log(2)), rel=1e-4)
    still = rank_point(1, 0, found.score, model_drift(pair_of(rank=0)))
    assert (still.drift, still.effective_rank) == (0.0, 0.0)


def test_the_smallest_rank_whose_interval_holds_the_best_score():
    accuracies = [point(8, 0.91), point(1, 0.80), point(4, 0.92), point(2, 0.88)]
    assert smallest_sufficient(accuracies, higher_is_better=True).rank == 2
    assert smallest_sufficient(accuracies, higher_is_better=False).rank == 1
    assert smallest_sufficient([], higher_is_better=True) is None


def test_ranks_stay_below_the_shorter_side():
    assert possible_ranks([576, 192]) == (1, 2, 4, 8, 16, 32, 64)
    assert possible_ranks([2]) == (1,)
    with pytest.raises(UserError, match="A rank of 0"):
        point(0, 0.5)
