"""The best use of compute: the closed form where there is one, a search that agrees with it, and counted FLOPs."""

import numpy as np
import pytest

from playground.scaling.allocation import flop_overhead, optimal_params, tokens_for_compute
from playground.scaling.frontier import closed_form
from playground.scaling.laws import LAWS
from playground.scaling.points import Points
from playground.scaling.published import BESIROGLU
from tests.helpers.planted_points import scattered

FLOPS = np.geomspace(1e18, 1e22, 5)


def test_the_best_size_is_the_closed_forms_where_there_is_one_and_the_search_agrees():
    numbers = BESIROGLU.parameters
    assert np.allclose(optimal_params("chinchilla", numbers, FLOPS), closed_form(numbers).params(FLOPS))
    endless = {**numbers, "R_D": 15.4, "R_N": 5.3}
    optimal = optimal_params("data-constrained", endless, FLOPS)
    losses = [
        LAWS["data-constrained"].predict(endless, params=optimal * factor, tokens=FLOPS / (6 * optimal * factor))
        for factor in (1.0, 0.7, 1.4)
    ]
    assert (losses[0] <= losses[1]).all()
    assert (losses[0] <= losses[2]).all()


def counted(power):
    """Runs whose FLOPs are 6 N D times a power of N."""
    points = scattered()
    return Points(
        params=points.params, tokens=points.tokens, loss=points.loss, flops=points.flops * points.params**power
    )


def test_without_an_overhead_nothing_changes():
    points = scattered()
    assert flop_overhead(points, points.params) == pytest.approx(np.ones(len(points)))
    with_points = optimal_params("chinchilla", BESIROGLU.parameters, FLOPS, points)
    assert (with_points == optimal_params("chinchilla", BESIROGLU.parameters, FLOPS)).all()


def test_tokens_for_compute_cost_what_they_should():
    points = counted(0.1)
    sizes = np.array([1e8, 1e9])
    tokens = tokens_for_compute(points, sizes, np.array([1e20, 1e21]))
    assert 6 * sizes * tokens * sizes**0.1 == pytest.approx([1e20, 1e21], rel=0.01)


@pytest.mark.parametrize("power", [-0.05, 0.1])
def test_where_larger_models_cost_more_than_in_proportion_the_best_is_smaller(power):
    numbers, points = BESIROGLU.parameters, counted(power)
    optimal = optimal_params("chinchilla", numbers, FLOPS * 10 ** (9 * power), points)
    plain = optimal_params("chinchilla", numbers, FLOPS)
    assert ((optimal < plain) == (power > 0)).all()
    for factor in (0.8, 1.25):
        losses = [
            LAWS["chinchilla"].predict(
                numbers, params=size, tokens=tokens_for_compute(points, size, FLOPS * 10 ** (9 * power))
            )
            for size in (optimal, optimal * factor)
        ]
        assert (losses[0] <= losses[1]).all()
