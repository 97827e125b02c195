"""What a fit cannot tell is said, and what it can is not doubted."""

import numpy as np
import pytest

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
