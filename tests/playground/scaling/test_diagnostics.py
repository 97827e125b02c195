"""What a fit cannot tell is said, and what it can is not doubted."""

import numpy as np
import pytest

from playground.scaling.bootstrap import bootstrap
from playground.scaling.fits import fit
from playground.scaling.points import Points


@pytest.mark.parametrize(
    ("law", "exponents"),
    [("chinchilla", {"alpha", "beta"}), ("data-constrained", {"alpha", "beta"}), ("kaplan", {"alpha_N", "alpha_D"})],
)
def test_exponents_of_sizes_that_move_together_are_not_told(law, exponents):
    """At 20 tokens a parameter (Hoffmann et al. 2022) nobody can say which of the two made the loss fall."""
    params = np.geomspace(1e7, 1e10, 9)
    noise = np.exp(np.random.default_rng(0).normal(0, 0.01, (3, 9)))
    loss = 1.69 + 406.4 / params**0.34 + 410.7 / (20 * params) ** 0.28
    together = [Points(params=params, tokens=20 * params, loss=loss * factor) for factor in noise]
    for points in together:
        assert exponents <= set(fit(law, points).unidentified)


def test_exponents_of_sizes_that_vary_apart_are_told():
    params, tokens = (grid.ravel() for grid in np.meshgrid(np.geomspace(1e7, 1e9, 4), np.geomspace(1e9, 1e11, 4)))
    loss = 1.69 + 406.4 / params**0.34 + 410.7 / tokens**0.28
    assert not {"alpha", "beta"} & set(fit("chinchilla", Points(params=params, tokens=tokens, loss=loss)).unidentified)


def grid(sizes, lengths):
    """Every size with every number of tokens."""
    return (each.ravel() for each in np.meshgrid(sizes, lengths))


PARAMS, TOKENS = grid(np.geomspace(1e7, 1e9, 4), np.geomspace(1e9, 1e11, 4))
FLAT = 1.69 + 410.7 / TOKENS**0.28
RISING = (PARAMS / 1e8) ** 0.002
STEEP = 2 + (PARAMS / 1e7) ** -9.0 + 410.7 / TOKENS**0.28


@pytest.mark.parametrize(
    ("law", "loss", "untold", "value"),
    [
        ("chinchilla", FLAT * RISING, {"alpha", "A", "E"}, 0),
        ("chinchilla", STEEP, {"alpha", "A"}, 5),
        ("power-n", FLAT * RISING**20, {"alpha", "A"}, 0),
        ("power-n-offset", STEEP - FLAT + 1, {"alpha", "A"}, 5),
        ("gadre", 3 * RISING * (TOKENS / 1e10) ** 0.002, {"eta", "a", "b", "E"}, 0),
        ("kaplan", FLAT * RISING**20, {"alpha_N", "N_c"}, 0.01),
    ],
)
def test_an_exponent_at_its_bound_is_not_determined_and_has_no_interval(law, loss, untold, value):
    fitted = fit(law, Points(params=PARAMS, tokens=TOKENS, loss=loss), starts=6)
    exponent = next(name for name in ("alpha", "alpha_N", "eta") if name in untold)
    assert fitted.parameters[exponent] == pytest.approx(value, abs=1e-3)
    assert untold <= set(fitted.unidentified)
    intervals = bootstrap(fitted, n_resamples=5, processes=1).intervals()
    assert intervals.keys() == fitted.parameters.keys() - untold
    (sentence,) = [each for each in fitted.warnings if f"The best {exponent} is" in each]
    assert "an end of the range" in sentence


def test_with_a_known_floor_a_flat_power_leaves_e_alone():
    fitted = fit("chinchilla", Points(params=PARAMS, tokens=TOKENS, loss=FLAT * RISING), starts=6, floor=1.5)
    assert {"alpha", "A"} <= set(fitted.unidentified)
    assert "E" not in fitted.unidentified


@pytest.mark.parametrize(
    ("law", "column", "exponent", "ratio"),
    [
        ("chinchilla", "params", "alpha", 2),
        ("chinchilla", "tokens", "beta", 2),
        ("kaplan", "params", "alpha_N", 1.1),
        ("kaplan", "tokens", "alpha_D", 1.1),
        ("power-n", "params", "alpha", 1.1),
        ("power-d-offset", "tokens", "beta", 2),
    ],
)
def test_the_exponent_of_what_hardly_varies_is_untold(law, column, exponent, ratio):
    """Within 2%, within the ratio that the law needs, and just beyond it; the loss is the law's without noise."""
    for factor, is_told in ((1.02, False), (0.98 * ratio, False), (1.02 * ratio, True)):
        narrow = np.geomspace(1e8, factor * 1e8, 4)
        wide = np.geomspace(1e9, 1e11, 4)
        params, tokens = grid(narrow, wide) if column == "params" else grid(wide, narrow)
        loss = 1.69 + 406.4 / params**0.34 + 410.7 / tokens**0.28
        fitted = fit(law, Points(params=params, tokens=tokens, loss=loss), starts=2)
        sentences = [each for each in fitted.warnings if each.endswith(f"to tell {exponent}.")]
        assert len(sentences) == (0 if is_told else 1)
        assert is_told or exponent in fitted.unidentified


def test_one_size_leaves_kaplans_exponent_of_n_untold():
    loss = 1.69 + 410.7 / TOKENS**0.28
    fitted = fit("kaplan", Points(params=np.full(16, 1e8), tokens=TOKENS, loss=loss), starts=2)
    assert "alpha_N" in fitted.unidentified
