"""The compute-optimal model: closed forms against a search, and three ways that agree on what was planted."""

import numpy as np
import pytest

from playground.errors import UserError
from playground.scaling import fit_chinchilla, isoflop
from playground.scaling.frontier import closed_form, envelope, fit_frontier, kaplan_closed_form
from playground.scaling.laws import LAWS
from playground.scaling.points import Points
from playground.scaling.profiles import group_by_budget
from playground.scaling.published import ALLOCATIONS, BESIROGLU, GOPHER_BUDGET, HOFFMANN, KAPLAN, MUENNIGHOFF
from tests.helpers.planted_points import isoflop_runs, loss_curves, scattered

PLANTED = closed_form(BESIROGLU.parameters).exponent


def searched(published, budget):
    sizes = np.geomspace(1e5, 1e14, 900_001)
    losses = LAWS[published.law].predict(published.parameters, params=sizes, tokens=budget / (6 * sizes))
    return sizes[losses.argmin()]


@pytest.mark.parametrize("budget", [1e18, 1e21, 5.76e23])
def test_the_closed_forms_are_where_a_search_finds_the_lowest_loss(budget):
    for published in (HOFFMANN, BESIROGLU):
        result = float(closed_form(published.parameters).params(budget))
        assert result == pytest.approx(searched(published, budget), rel=1e-4)
    assert float(kaplan_closed_form(KAPLAN.parameters).params(budget)) == pytest.approx(
        searched(KAPLAN, budget), rel=1e-4
    )


def test_the_closed_form_is_the_printed_one():
    numbers = HOFFMANN.parameters
    g = (0.34 * 406.4 / (0.28 * 410.7)) ** (1 / 0.62)
    frontier = closed_form(numbers)
    assert frontier.exponent == pytest.approx(0.28 / 0.62)
    assert float(frontier.params(1e21)) == pytest.approx(g * (1e21 / 6) ** (0.28 / 0.62))
    assert float(frontier.tokens(1e21)) == pytest.approx((1e21 / 6) ** (0.34 / 0.62) / g)
    assert float(frontier.params(1e21) * frontier.tokens(1e21) * 6) == pytest.approx(1e21)


def test_published_numbers_give_what_their_papers_say():
    assert round(closed_form(HOFFMANN.parameters).exponent, 2) == 0.45
    assert round(PLANTED, 3) == 0.513
    at_gopher = closed_form(BESIROGLU.parameters)
    assert 15 < float(at_gopher.tokens(GOPHER_BUDGET) / at_gopher.params(GOPHER_BUDGET)) < 25
    assert closed_form(MUENNIGHOFF.parameters).exponent == pytest.approx(0.5)
    assert [ALLOCATIONS[f"hoffmann-{number}"].exponent for number in (1, 2, 3)] == [0.50, 0.49, 0.46]
    assert ALLOCATIONS["kaplan"].exponent == 0.73


def test_the_three_approaches_agree_on_a_planted_law():
    by_profiles = isoflop(isoflop_runs()).frontier.exponent
    by_envelope = envelope(loss_curves()).frontier.exponent
    by_formula = closed_form(fit_chinchilla(isoflop_runs()).parameters).exponent
    assert by_formula == pytest.approx(PLANTED, abs=0.001)
    assert by_profiles == pytest.approx(PLANTED, abs=0.01)
    assert by_envelope == pytest.approx(PLANTED, abs=0.02)


def test_with_noise_of_a_thousandth_they_still_agree_to_three_hundredths():
    points = isoflop_runs(noise=0.001, seed=1)
    assert isoflop(points).frontier.exponent == pytest.approx(PLANTED, abs=0.03)
    assert closed_form(fit_chinchilla(points).parameters).exponent == pytest.approx(PLANTED, abs=0.03)


def test_a_profile_of_a_true_parabola_has_its_minimum():
    sizes = np.exp(np.array([1.0, 2.0, 3.0, 4.0, 5.0]) + 10)
    both = np.concatenate([sizes, 10 * sizes])
    loss = np.tile(2 + 0.1 * (np.log(sizes) - 12.5) ** 2, 2)
    budget = np.repeat([1e15, 1e17], 5)
    result = isoflop(Points(params=both, tokens=budget / (6 * both), loss=loss))
    assert [np.log(profile.params) for profile in result.profiles] == pytest.approx([12.5, 12.5 + np.log(10)])
    assert [profile.loss for profile in result.profiles] == pytest.approx([2, 2])
    assert result.frontier.exponent == pytest.approx(0.5)
    assert result.profiles[0].curve(sizes) == pytest.approx(loss[:5])
    assert result.profiles[0].params * result.profiles[0].tokens * 6 == pytest.approx(1e15)


def test_budgets_are_grouped_and_those_without_a_minimum_are_named():
    points = isoflop_runs(budgets=np.array([1e19, 1e20, 1e21]))
    assert [len(rows) for rows in group_by_budget(points)] == [9, 9, 9]
    rising = points.take([*range(18), *range(23, 27)])
    result = isoflop(rising)
    assert len(result.left_out) == 1
    assert result.left_out[0].startswith("1e+21 FLOP: the minimum is beyond the models")
    with pytest.raises(UserError, match="two budgets with at least three models"):
        isoflop(scattered(count=20))


def test_the_envelope_is_the_lowest_curve_and_leaves_out_its_ends():
    three = loss_curves(sizes=np.array([1e8, 1e9, 1e10]), steps=50)
    result = envelope(three, n_budgets=100)
    for curve in three:
        here = np.interp(np.log(result.flops), np.log(curve.flops), curve.loss, left=np.inf, right=np.inf)
        assert (result.loss <= here + 1e-12).all()
    assert set(result.names) == {"1e+08", "1e+09", "1e+10"}
    assert result.frontier is None
    with pytest.raises(UserError, match="at least two"):
        envelope(three[:1])


def test_a_law_whose_exponent_is_0_has_no_optimum():
    with pytest.raises(UserError, match="no optimum"):
        closed_form({**BESIROGLU.parameters, "alpha": 0.0})


def test_a_line_goes_through_two_points():
    through = fit_frontier([1e18, 1e20], [1e8, 1e9])
    assert through.params([1e18, 1e20]) == pytest.approx([1e8, 1e9])
