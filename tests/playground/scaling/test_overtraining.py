"""Gadre's law against Chinchilla's of equal exponents, its optimum against a search, and models worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import UserError
from playground.scaling.fits import fit
from playground.scaling.frontier import CLOSED_FORMS
from playground.scaling.laws import LAWS
from playground.scaling.overtraining import as_gadre, loss_at_ratio, optimal_ratio, overtraining, ratio_sentences
from playground.scaling.points import Points
from playground.scaling.published import HOFFMANN, KAPLAN
from playground.text import _

CHINCHILLA = {"E": 1.8, "A": 480.0, "B": 2000.0, "alpha": 0.36, "beta": 0.36}
random = np.random.default_rng(3)
PARAMS, TOKENS = 10 ** random.uniform(7, 10, 60), 10 ** random.uniform(8.5, 11.5, 60)


@given(
    e=st.floats(0.1, 3),
    a=st.floats(0.1, 1e4),
    b=st.floats(0.1, 1e4),
    alpha=st.floats(0.02, 1.5),
    n=st.floats(3, 12),
    d=st.floats(3, 13),
)
def test_gadres_law_is_chinchillas_with_one_exponent(e, a, b, alpha, n, d):
    chinchilla = {"E": e, "A": a, "B": b, "alpha": alpha, "beta": alpha}
    sizes = {"params": 10**n, "tokens": 10**d}
    ours = float(LAWS["gadre"].predict(as_gadre(chinchilla), **sizes))
    assert ours == pytest.approx(float(LAWS["chinchilla"].predict(chinchilla, **sizes)), rel=1e-10)


def test_its_formula_in_compute_and_ratio_is_the_printed_one():
    numbers = as_gadre(CHINCHILLA)
    flops, ratio = 6e20, 40.0
    printed = numbers["E"] + (numbers["a"] * ratio ** numbers["eta"] + numbers["b"] / ratio ** numbers["eta"]) / (
        flops ** numbers["eta"]
    )
    assert float(loss_at_ratio("gadre", numbers, flops, ratio)) == pytest.approx(printed, rel=1e-12)
    assert numbers["eta"] == 0.18


@pytest.mark.parametrize("flops", [1e18, 1e21, 1e24])
def test_its_optimum_is_one_ratio_and_where_a_search_finds_it(flops):
    numbers = as_gadre(CHINCHILLA)
    ratios = np.geomspace(1, 1000, 200_001)
    losses = [float(loss_at_ratio("gadre", numbers, flops, ratio)) for ratio in ratios[::1000]]
    near = ratios[::1000][int(np.argmin(losses))]
    assert optimal_ratio("gadre", numbers, flops) == pytest.approx((2000 / 480) ** (1 / 0.36), rel=1e-12)
    assert optimal_ratio("gadre", numbers, flops) == pytest.approx(near, rel=0.04)
    assert optimal_ratio("gadre", numbers, flops) == pytest.approx(
        optimal_ratio("chinchilla", CHINCHILLA, flops), rel=1e-12
    )


def test_a_planted_law_is_found_again_with_its_numbers():
    numbers = as_gadre(CHINCHILLA)
    loss = LAWS["gadre"].predict(numbers, params=PARAMS, tokens=TOKENS)
    fitted = fit("gadre", Points(params=PARAMS, tokens=TOKENS, loss=loss), starts=8)
    for name, value in numbers.items():
        assert fitted.parameters[name] == pytest.approx(value, rel=1e-3)
    assert fitted.heldout_error < 1e-4


def test_where_tokens_are_a_multiple_of_parameters_its_coefficients_are_not_told_apart():
    loss = LAWS["gadre"].predict(as_gadre(CHINCHILLA), params=PARAMS, tokens=20 * PARAMS)
    fitted = fit("gadre", Points(params=PARAMS, tokens=20 * PARAMS, loss=loss), starts=4)
    assert {"a", "b"} <= set(fitted.unidentified)


@pytest.mark.parametrize("law", CLOSED_FORMS)
def test_a_model_on_the_frontier_gives_up_nothing_and_another_does(law):
    numbers = {"chinchilla": HOFFMANN.parameters, "kaplan": KAPLAN.parameters, "gadre": as_gadre(CHINCHILLA)}[law]
    frontier = CLOSED_FORMS[law](numbers)
    params, tokens = float(frontier.params(1e22)), float(frontier.tokens(1e22))
    assert float(frontier.flops(params)) == pytest.approx(1e22, rel=1e-9)
    there = overtraining(law, numbers, params, tokens)
    assert there.factor == pytest.approx(1, rel=1e-9)
    assert there.given_up == pytest.approx(0, abs=1e-12)
    beyond = overtraining(law, numbers, params / 3, 3 * tokens)
    assert beyond.factor > 3
    assert beyond.given_up > 0
    assert beyond.best_params == pytest.approx(params, rel=1e-9)
    assert overtraining(law, numbers, 3 * params, tokens / 3).factor < 1 / 3


def test_a_ratio_of_twenty_by_hand():
    """a = b means one token per parameter; b = 20^(2 eta) a means twenty."""
    numbers = {"E": 1.7, "a": 10.0, "b": 10 * 20**0.3, "eta": 0.15}
    llama = overtraining("gadre", numbers, 8e9, 15e12)
    assert llama.optimal_tokens == pytest.approx(160e9)
    assert llama.factor == pytest.approx(15e12 / 160e9)
    assert llama.flops == 6 * 8e9 * 15e12
    assert llama.best_params == pytest.approx((llama.flops / 120) ** 0.5)


def test_differing_exponents_and_laws_without_an_optimum_are_refused():
    with pytest.raises(UserError, match="has one exponent"):
        as_gadre(HOFFMANN.parameters)
    with pytest.raises(UserError, match="no optimum of N against D"):
        overtraining("power-n", {"A": 1.0, "alpha": 0.1}, 1e9, 1e9)
    with pytest.raises(UserError, match="no optimum"):
        optimal_ratio("gadre", {"E": 1.0, "a": 1.0, "b": 1.0, "eta": 0.0}, 1e9)


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_every_law_says_at_which_ratio_it_holds(law):
    assert "holds" in _(law.ratio) or "ratio" in _(law.ratio)


def test_a_fit_says_its_runs_ratios_and_its_optimum():
    loss = LAWS["gadre"].predict(as_gadre(CHINCHILLA), params=PARAMS, tokens=TOKENS)
    points = Points(params=PARAMS, tokens=TOKENS, loss=loss)
    said = " ".join(ratio_sentences(fit("gadre", points, starts=6)))
    assert "The optimum is 52.7 at every compute." in said
    moving = " ".join(ratio_sentences(fit("kaplan", points, starts=2)))
    assert "The optimum goes from" in moving
    alone = ratio_sentences(fit("power-n", points, starts=2))
    assert alone[0].startswith("It holds where data are ample")
    assert len(alone) == 2
