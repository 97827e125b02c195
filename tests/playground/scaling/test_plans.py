"""Plans against the papers' own numbers, searches, and sums done by hand."""

import numpy as np
import pytest

from playground.errors import UserError
from playground.scaling import fit, fit_chinchilla, plan
from playground.scaling.allocation import inference_aware_optimum, optimum_with_repeats, tokens_to_reach
from playground.scaling.bootstrap import bootstrap
from playground.scaling.budgets import (
    ACCELERATORS,
    Rig,
    TextRatios,
    flops_of_hours,
    flops_of_money,
    text_size,
    training_cost,
)
from playground.scaling.frontier import closed_form
from playground.scaling.laws import LAWS
from playground.scaling.plans import optimum, plans_sentences
from playground.scaling.published import (
    ALLOCATIONS,
    BESIROGLU,
    GOPHER_BUDGET,
    HOFFMANN,
    MUENNIGHOFF,
    PETAFLOP_DAY,
)
from tests.helpers.planted_points import isoflop_runs, scattered


def test_the_papers_plans_at_gophers_budget_are_those_that_they_print():
    plans = {one.key: one for one in plan(GOPHER_BUDGET)}
    assert list(plans) == ["kaplan", "hoffmann-1", "hoffmann-2", "hoffmann-3", "besiroglu"]
    assert plans["hoffmann-1"].params == pytest.approx(67e9)
    assert plans["hoffmann-2"].params == pytest.approx(63e9)
    assert plans["hoffmann-3"].params == pytest.approx(40e9)
    assert plans["hoffmann-1"].tokens == pytest.approx(1.5e12, rel=0.05)
    assert plans["kaplan"].params == pytest.approx(1.3e9 * (GOPHER_BUDGET / PETAFLOP_DAY) ** 0.73)
    assert 15 < plans["besiroglu"].tokens_per_parameter < 25


@pytest.mark.parametrize("budget", [1e17, 1e21, 1e26])
def test_every_plan_spends_its_budget_and_lies_in_its_intervals(budget):
    for one in plan(budget):
        assert 6 * one.params * one.tokens == pytest.approx(budget)
        if one.params_interval and one.key != "hoffmann-3":
            assert one.params_interval[0] <= one.params <= one.params_interval[1]
            assert one.tokens_interval[0] <= one.tokens <= one.tokens_interval[1]
        assert (one.params_interval is None) == (one.key == "kaplan")


def test_the_interval_of_a_paper_is_its_exponents_swung_around_the_middle_of_its_runs():
    allocation = ALLOCATIONS["hoffmann-2"]
    there = {one.key: one for one in plan(allocation.middle * 1e4)}["hoffmann-2"]
    low, high = there.params_interval
    assert high / low == pytest.approx(1e4 ** (0.534 - 0.462))
    here = {one.key: one for one in plan(allocation.middle)}["hoffmann-2"]
    assert here.params_interval == pytest.approx((here.params, here.params))


def test_a_fit_of_ones_own_plans_with_the_intervals_of_its_bootstrap():
    fitted = fit_chinchilla(scattered(noise=0.003, count=60))
    resamples = bootstrap(fitted, n_resamples=20, processes=1)
    own = plan(1e23, fitted, resamples)[-1]
    truth = optimum(1e23, "chinchilla", BESIROGLU.parameters)
    for value, interval, planted in zip(
        (own.params, own.tokens, own.loss),
        (own.params_interval, own.tokens_interval, own.loss_interval),
        truth,
        strict=True,
    ):
        assert interval[0] < interval[1]
        assert interval[0] * 0.8 < planted < interval[1] * 1.25
        assert value == pytest.approx(planted, rel=0.3)
    assert own.beyond == pytest.approx(1e23 / fitted.points.flops.max())
    assert plan(1e23, fitted)[-1].loss_interval is None


def test_a_law_of_one_thing_and_a_budget_of_nothing_are_refused():
    with pytest.raises(UserError, match="does not say how to share a budget"):
        plan(1e20, fit("power-n", scattered(count=10)))
    for budget in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(UserError, match="choose a number above 0"):
            plan(budget)


def test_hours_and_money_are_the_same_budget_there_and_back():
    rig = Rig(accelerator=ACCELERATORS["a100"], count=16, utilisation=0.4, price=1.5)
    flops = flops_of_hours(100, rig)
    assert flops == pytest.approx(16 * 100 * 3600 * 0.4 * 312e12)
    spent = training_cost(flops, rig)
    assert (spent.hours, spent.accelerator_hours, spent.money) == pytest.approx((100, 1600, 2400))
    assert spent.kilowatt_hours == pytest.approx(1600 * 0.4 * 1.5)
    assert flops_of_money(2400, rig) == pytest.approx(flops)


@pytest.mark.parametrize("wish", [{"utilisation": 1.5}, {"count": 0}, {"price": -1.0}, {"overhead": 0.5}])
def test_an_impossible_rig_is_refused(wish):
    with pytest.raises(UserError):
        Rig(**wish)


def test_a_budget_of_money_needs_a_price():
    with pytest.raises(UserError, match="price"):
        flops_of_money(100, Rig(price=0.0))


@pytest.mark.parametrize("served", [1e11, 1e13])
def test_the_cheapest_model_to_serve_is_where_a_search_finds_it(served):
    best = inference_aware_optimum(GOPHER_BUDGET, served, BESIROGLU.parameters)
    sizes = np.geomspace(best.optimal_params / 50, best.optimal_params, 400_001)
    totals = 6 * sizes * tokens_to_reach(best.loss, sizes, BESIROGLU.parameters) + 2 * sizes * served
    assert best.params == pytest.approx(sizes[totals.argmin()], rel=1e-3)
    reached = LAWS["chinchilla"].predict(BESIROGLU.parameters, params=best.params, tokens=best.tokens)
    assert float(reached) == pytest.approx(best.loss, rel=1e-12)
    assert best.total_flops < best.optimal_training_flops + best.optimal_serving_flops
    assert 0 < best.saved < 1
    assert best.overtraining > 1


def test_who_serves_nothing_trains_the_compute_optimal_model():
    best = inference_aware_optimum(1e21, 0, BESIROGLU.parameters)
    assert best.params == pytest.approx(best.optimal_params)
    assert best.tokens == pytest.approx(best.optimal_tokens)
    assert best.saved == pytest.approx(0, abs=1e-9)
    with pytest.raises(UserError, match="choose 0 or more"):
        inference_aware_optimum(1e21, -1, BESIROGLU.parameters)


def test_with_enough_data_nothing_is_repeated():
    best = optimum_with_repeats(1e21, 1e13)
    assert best.epochs < 1
    assert best.params == pytest.approx(best.fresh_params, rel=1e-3)
    assert best.loss == pytest.approx(best.fresh_loss, rel=1e-9)
    assert best.effective_tokens == pytest.approx(best.tokens)


def test_with_too_little_data_it_is_repeated_and_worth_less():
    best = optimum_with_repeats(GOPHER_BUDGET, 1e11)
    assert best.epochs > 5
    assert best.effective_tokens < best.tokens
    assert best.loss > best.fresh_loss
    # Muennighoff et al. 2023, section 5: rather more epochs than parameters.
    assert best.params < best.fresh_params
    assert best.tokens > best.fresh_tokens
    sizes = np.geomspace(best.params / 3, best.params * 3, 200_001)
    tokens = GOPHER_BUDGET / 6 / sizes
    losses = LAWS["data-constrained"].predict(
        MUENNIGHOFF.parameters, params=sizes, tokens=tokens, unique=np.full_like(sizes, 1e11)
    )
    assert best.params == pytest.approx(sizes[losses.argmin()], rel=1e-3)
    with pytest.raises(UserError, match="unique"):
        optimum_with_repeats(1e21, 0)


def test_tokens_are_books():
    # WebText2, as Kaplan et al. 2020 count it.
    size = text_size(2.29e10)
    assert size.bytes == pytest.approx(96e9)
    assert size.words == pytest.approx(1.62e10)
    assert size.books == pytest.approx(180_000)
    assert size.reading_years == pytest.approx(1.62e10 / (238 * 60 * 8 * 365))
    assert text_size(2.29e10, TextRatios(words_per_book=180_000)).books == pytest.approx(90_000)
    with pytest.raises(UserError):
        text_size(0)
    with pytest.raises(UserError, match="bytes_per_token"):
        TextRatios(bytes_per_token=0)


def test_hoffmanns_printed_digits_do_not_give_the_optimum_that_the_paper_prints():
    # Rounding: Besiroglu et al. 2024, section 4.
    assert float(closed_form(HOFFMANN.parameters).params(GOPHER_BUDGET)) == pytest.approx(32e9, rel=0.02)


def test_the_plans_are_said_with_their_range_and_ones_own_with_its_extrapolation():
    fitted = fit("chinchilla", isoflop_runs(), starts=4)
    papers, own = plans_sentences(plan(1e23, fitted))
    assert papers.startswith("For 1e+23 FLOP the papers' optima are N = ")
    assert own.startswith("Your fit says N = ")
    assert own.endswith("33 times beyond its largest run.")
    assert plans_sentences(plan(1e20, fitted))[1].endswith("within its runs.")
    assert len(plans_sentences(plan(1e20))) == 1
