"""The laws against their printed values, their own formulas, finite differences, and limits worked by hand."""

import doctest
from importlib import import_module

import numpy as np
import pytest

from playground.errors import UserError
from playground.scaling.laws import LAWS, law
from playground.scaling.points import Points
from playground.scaling.published import KAPLAN, KAPLAN_D, KAPLAN_N, MUENNIGHOFF, PUBLISHED

random = np.random.default_rng(7)
RUNS = Points(
    params=10 ** random.uniform(7, 10, 40),
    tokens=10 ** random.uniform(8, 11, 40),
    unique=10 ** random.uniform(7, 11, 40),
    loss=random.uniform(2, 4, 40),
)


def around_zero(form):
    logs = RUNS.logs(form.columns)
    return logs - form.centre(logs)[:, None], form.centre(logs), np.log(RUNS.loss)


@pytest.mark.parametrize("name", LAWS)
def test_the_gradient_is_that_of_finite_differences(name):
    form = LAWS[name].form
    logs, _, losses = around_zero(form)
    for theta in form.starts(logs, losses):
        steps = 1e-6 * np.eye(len(theta))
        numeric = [
            (form.log_loss(theta + step, logs)[0] - form.log_loss(theta - step, logs)[0]) / 2e-6 for step in steps
        ]
        assert np.allclose(form.log_loss(theta, logs)[1], numeric, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", LAWS)
def test_what_is_fitted_is_the_logarithm_of_the_printed_formula(name):
    form = LAWS[name].form
    logs, centre, losses = around_zero(form)
    for theta in form.starts(logs, losses):
        raw = form.shift(theta, -centre)
        assert np.allclose(form.log_loss(raw, logs + centre[:, None])[0], form.log_loss(theta, logs)[0])
        assert np.allclose(form.to_theta(form.to_parameters(raw)), raw)
        printed = form.loss(form.to_parameters(raw), *(getattr(RUNS, column) for column in form.columns))
        assert np.allclose(np.log(printed), form.log_loss(theta, logs)[0])


@pytest.mark.parametrize("name", LAWS)
def test_there_are_32_starts_within_the_bounds(name):
    form = LAWS[name].form
    logs, _, losses = around_zero(form)
    starts, (low, high) = form.starts(logs, losses), np.array(form.bounds(logs, losses)).T
    assert len(starts) == 32 == len(np.unique(starts, axis=0))
    assert (starts >= low).all()
    assert (starts <= high).all()


def test_the_data_constrained_law_gives_the_printed_value_to_every_digit():
    loss = law("data-constrained").predict(MUENNIGHOFF.parameters, params=6.34e9, tokens=242e9, unique=25e9)
    assert float(loss) == 2.2256440889984477


def test_without_repeats_or_excess_parameters_it_is_chinchillas_law():
    numbers = MUENNIGHOFF.parameters
    small = {"params": np.array([1e7, 1e8]), "tokens": np.array([1e11, 1e12])}
    assert np.allclose(LAWS["data-constrained"].predict(numbers, **small), LAWS["chinchilla"].predict(numbers, **small))


def test_repeated_data_are_worth_less_and_in_the_end_nothing():
    numbers = MUENNIGHOFF.parameters
    losses = [
        float(LAWS["data-constrained"].predict(numbers, params=5e7, tokens=epochs * 1e9, unique=1e9))
        for epochs in (1, 4, 40, 400, 4000)
    ]
    fresh = float(LAWS["data-constrained"].predict(numbers, params=5e7, tokens=4e9))
    assert losses[0] > losses[1] > losses[2] > losses[3] >= losses[4]
    assert losses[3] == pytest.approx(losses[4], abs=1e-9)
    assert fresh < losses[1] < fresh + 0.05


def test_kaplans_joint_law_turns_into_the_single_ones_with_endless_data_or_parameters():
    numbers = KAPLAN.parameters
    endless = LAWS["kaplan"].predict(numbers, params=1e9, tokens=1e40)
    assert float(endless) == pytest.approx((numbers["N_c"] / 1e9) ** numbers["alpha_N"], rel=1e-6)
    endless = LAWS["kaplan"].predict(numbers, params=1e40, tokens=1e9)
    assert float(endless) == pytest.approx((numbers["D_c"] / 1e9) ** numbers["alpha_D"], rel=1e-6)


def test_kaplans_single_laws_are_1_at_their_scales():
    assert float(LAWS["power-n"].predict(KAPLAN_N.parameters, params=8.8e13)) == pytest.approx(1)
    assert float(LAWS["power-d"].predict(KAPLAN_D.parameters, tokens=5.4e13)) == pytest.approx(1)


def test_a_broken_law_has_one_exponent_before_its_break_and_another_after_it():
    numbers = {"E": 0.0, "A": 5.0, "c0": 0.1, "c1": 0.4, "d1": 1e10, "f1": 0.5}
    x = np.array([1e2, 1e3, 1e17, 1e18])
    logs = np.log(LAWS["broken-power"].predict(numbers, flops=x))
    assert (logs[0] - logs[1]) / np.log(10) == pytest.approx(0.1)
    assert (logs[2] - logs[3]) / np.log(10) == pytest.approx(0.5)


@pytest.mark.parametrize("published", PUBLISHED.values(), ids=PUBLISHED)
def test_every_published_law_has_the_numbers_that_its_formula_needs_and_a_loss_of_language(published):
    assert set(published.parameters) == set(LAWS[published.law].parameters)
    assert 1.5 < float(LAWS[published.law].predict(published.parameters, params=1e9, tokens=2e10)) < 4


def test_a_law_says_what_it_lacks_and_which_laws_there_are():
    with pytest.raises(UserError, match="give tokens too"):
        law("chinchilla").predict({"E": 1.0, "A": 1.0, "B": 1.0, "alpha": 1.0, "beta": 1.0}, params=1e9)
    with pytest.raises(UserError, match="choose one of chinchilla, kaplan"):
        law("moore")


@pytest.mark.parametrize(
    "module",
    [
        "forms.form",
        "forms.power_sum",
        "minimise",
        "points_csv",
        "frontier",
        "budgets",
        "allocation",
        "overtraining",
        "forms.equal_exponents",
    ],
)
def test_the_examples_in_the_docstrings_hold(module):
    module = import_module(f"playground.scaling.{module}")
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0
