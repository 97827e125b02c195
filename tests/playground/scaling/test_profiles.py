"""IsoFLOP profiles out of a grid: interpolated between a size's runs, never beyond them."""

import numpy as np
import pytest

from playground.errors import UserError
from playground.scaling.frontier import closed_form
from playground.scaling.laws import LAWS
from playground.scaling.points import Points
from playground.scaling.profiles import interpolate_budgets, isoflop
from playground.scaling.published import BESIROGLU


def grid(sizes, tokens, loss):
    params, data = (axis.ravel() for axis in np.meshgrid(sizes, tokens))
    return Points(params=params, tokens=data, loss=loss(params, data))


def test_a_power_of_compute_is_met_between_its_runs_exactly():
    points = grid(np.geomspace(1e6, 8e6, 4), np.geomspace(1e8, 1e10, 3), lambda n, d: 50 * (6 * n * d) ** -0.07)
    interpolated = interpolate_budgets(points, 5)
    assert np.allclose(interpolated.loss, 50 * interpolated.flops**-0.07)
    assert np.allclose(interpolated.flops, 6 * interpolated.params * interpolated.tokens)
    assert len(np.unique(interpolated.flops)) == 5


def test_nothing_is_assumed_beyond_the_runs_of_a_size():
    points = grid(np.geomspace(1e6, 1e8, 7), np.geomspace(1e8, 1e10, 5), lambda n, d: 2 + n**-0.1 + d**-0.1)
    interpolated = interpolate_budgets(points)
    for size in np.unique(interpolated.params):
        spans, own = points.flops[points.params == size], interpolated.flops[interpolated.params == size]
        assert spans.min() * (1 - 1e-6) <= own.min()
        assert own.max() <= spans.max() * (1 + 1e-6)


def test_the_minima_of_a_planted_grid_lie_where_the_law_says():
    law = BESIROGLU.parameters
    points = grid(
        np.geomspace(1e7, 1e10, 13),
        np.geomspace(2e8, 2e11, 13),
        lambda n, d: LAWS["chinchilla"].predict(law, params=n, tokens=d),
    )
    assert isoflop(interpolate_budgets(points)).frontier.exponent == pytest.approx(closed_form(law).exponent, abs=0.03)


def test_seeds_of_one_run_count_as_their_mean():
    points = grid(np.geomspace(1e6, 8e6, 4), np.geomspace(1e8, 1e10, 3), lambda n, d: 50 * (6 * n * d) ** -0.07)
    columns = {name: np.tile(getattr(points, name), 2) for name in ("params", "tokens")}
    twice = Points(**columns, loss=np.concatenate([points.loss * 1.1, points.loss / 1.1]))
    assert np.allclose(interpolate_budgets(twice).loss, interpolate_budgets(points).loss)


def test_too_few_sizes_are_said_to_be():
    points = grid(np.geomspace(1e6, 4e6, 3), np.geomspace(1e8, 1e10, 3), lambda n, d: 2 + n**-0.1 + d**-0.1)
    with pytest.raises(UserError, match="spanned by 4 sizes"):
        interpolate_budgets(points)
