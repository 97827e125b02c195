"""The compute-optimal exponent by method: closed forms, their intervals, and whether methods contradict one another."""

import numpy as np
import pytest

from playground.scaling.bootstrap import Bootstrap
from playground.scaling.exponents import (
    MethodExponent,
    agreement_sentence,
    law_exponent,
    law_exponent_interval,
    methods_agree,
    optimum_of,
    optimum_sentence,
)
from playground.scaling.fits import fit
from playground.scaling.frontier import fit_frontier
from playground.scaling.published import BESIROGLU, KAPLAN
from tests.helpers.planted_points import isoflop_runs


def row(exponent, interval=None, *, is_same=False):
    return MethodExponent(method="m", exponent=exponent, interval=interval, is_same_method=is_same)


def test_a_laws_exponent_is_its_closed_forms():
    assert law_exponent("chinchilla", BESIROGLU.parameters) == pytest.approx(0.3658 / (0.3478 + 0.3658))
    assert law_exponent("kaplan", KAPLAN.parameters) == pytest.approx(1 / (1 + 0.076 / 0.103))
    assert law_exponent("power-n", {"A": 1.0, "alpha": 0.1}) is None
    assert law_exponent("chinchilla", {**BESIROGLU.parameters, "alpha": 0.0}) is None


def test_its_interval_is_that_of_the_resampled_ratio():
    estimates = np.array([[1.0, 1.0, 1.0, alpha, 1 - alpha] for alpha in np.linspace(0.3, 0.7, 401)])
    low, high = law_exponent_interval(Bootstrap(law="chinchilla", seed=0, estimates=estimates))
    assert (low, high) == (pytest.approx(0.31, abs=0.002), pytest.approx(0.69, abs=0.002))
    power = Bootstrap(law="power-n", seed=0, estimates=np.ones((5, 2)))
    assert law_exponent_interval(power) is None


def test_methods_contradict_one_another_where_no_exponent_lies_in_all_intervals():
    agreeing = [row(0.5, (0.4, 0.6)), row(0.65, (0.55, 0.75))]
    assert methods_agree(agreeing)
    assert agreement_sentence(agreeing) == "By 2 methods a is 0.50 to 0.65; the 2 intervals among them overlap."
    apart = [row(0.19, (0.14, 0.3)), row(0.43, (-0.5, 1.4)), row(0.81, (0.53, 1.09))]
    assert methods_agree(apart) is False
    assert agreement_sentence(apart) == (
        "By 3 methods a is 0.19 to 0.81; the 3 intervals among them do not all overlap: these runs do not settle it."
    )


def test_one_method_alone_or_recounted_says_nothing():
    assert agreement_sentence([row(0.5, (0.4, 0.6)), row(None), row(0.06, is_same=True)]) == ""


def test_intervals_are_told_only_of_methods_that_have_them():
    assert methods_agree([row(0.40), row(0.60)]) is None
    assert agreement_sentence([row(0.40), row(0.60)]) == "By 2 methods a is 0.40 to 0.60."
    pending = [row(0.50), row(0.55, (0.5, 0.6)), row(0.9, (0.1, 1.7), is_same=True)]
    assert agreement_sentence(pending) == "By 2 methods a is 0.50 to 0.55."
    refused = [row(0.90), row(0.55, (0.5, 0.6)), row(0.45, (0.35, 0.52))]
    assert agreement_sentence(refused) == "By 3 methods a is 0.45 to 0.90; the 2 intervals among them overlap."


def test_the_scatter_about_a_line_gives_its_exponent_an_interval():
    # By hand: x = 0, 1, 2 and y = 0, 1, 1 have the slope 1/2, squares 1/6 about it, and so the error sqrt(1/12).
    frontier = fit_frontier(np.exp([0.0, 1.0, 2.0]), np.exp([0.0, 1.0, 1.0]))
    assert frontier.exponent == pytest.approx(0.5)
    assert frontier.error == pytest.approx((1 / 12) ** 0.5)
    # Student's t of one degree of freedom: 12.706.
    assert frontier.interval() == pytest.approx((0.5 - 12.7062 * (1 / 12) ** 0.5, 0.5 + 12.7062 * (1 / 12) ** 0.5))
    assert fit_frontier([1e18, 1e20], [1e8, 1e9]).interval() is None


def test_the_optimum_of_a_budget_is_the_planted_one():
    fitted = fit("chinchilla", isoflop_runs(), starts=8)
    optimum = optimum_of(fitted, None, 1e21)
    assert optimum.tokens == pytest.approx(1e21 / 6 / optimum.params)
    assert optimum.is_within
    sentence = optimum_sentence(optimum)
    assert sentence.startswith("For the compute of the largest run, 1e+21 FLOP, the law's optimum is N = ")
    assert optimum_sentence(optimum_of(fitted, None, 1e30)).endswith("no model of that size was trained.")
