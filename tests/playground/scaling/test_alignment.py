"""A published law over other points: its exponents stay, and the curve meets the points."""

import numpy as np
import pytest

from playground.errors import UserError
from playground.scaling.alignment import aligned
from playground.scaling.laws import LAWS
from playground.scaling.published import BESIROGLU, HOFFMANN, KAPLAN
from tests.helpers.planted_points import scattered

POINTS = scattered(count=40)


@pytest.mark.parametrize("published", [KAPLAN, HOFFMANN, BESIROGLU], ids=lambda published: published.key)
def test_exponents_are_kept_to_the_last_digit_and_the_rest_meets_the_points(published):
    found = aligned(published.law, published.parameters, POINTS)
    for name in ("alpha", "beta", "alpha_N", "alpha_D"):
        if name in published.parameters:
            assert found[name] == pytest.approx(published.parameters[name], abs=1e-12)
    before = LAWS[published.law].predict_points(published.parameters, POINTS)
    after = LAWS[published.law].predict_points(found, POINTS)
    errors = [np.abs(np.log(loss / POINTS.loss)).mean() for loss in (after, before)]
    assert errors[0] <= errors[1] + 1e-9


def test_points_on_the_law_itself_give_its_own_numbers_back():
    loss = LAWS["chinchilla"].predict_points(HOFFMANN.parameters, POINTS)
    own = type(POINTS)(params=POINTS.params, tokens=POINTS.tokens, loss=loss)
    found = aligned("chinchilla", HOFFMANN.parameters, own)
    assert found == pytest.approx(HOFFMANN.parameters, rel=1e-3)


def test_a_change_of_unit_leaves_the_exponents_and_moves_the_coefficients():
    in_thousands = type(POINTS)(params=POINTS.params / 1e3, tokens=POINTS.tokens, loss=POINTS.loss)
    one, other = (aligned("chinchilla", HOFFMANN.parameters, points) for points in (POINTS, in_thousands))
    assert one["A"] / other["A"] == pytest.approx(1e3 ** HOFFMANN.parameters["alpha"], rel=1e-3)


def test_an_unknown_law_is_named():
    with pytest.raises(UserError, match="no law"):
        aligned("newton", {}, POINTS)
