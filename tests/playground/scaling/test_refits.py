"""Hoffmann's runs fitted as the papers did, against the replication's numbers and the objective by hand."""

import numpy as np
import pytest

from playground.errors import UserError
from playground.scaling.laws import LAWS
from playground.scaling.published import HOFFMANN
from playground.scaling.refits import Recipe, hoffmann_points, refit, without_highest

REPLICATED = {"E": 1.8172, "A": 477.8, "B": 2143.8, "alpha": 0.3473, "beta": 0.3672}


@pytest.fixture(scope="module")
def points():
    return hoffmann_points()


def total(points, law, delta=1e-3) -> float:
    """The sum of the Huber losses, written out."""
    predicted = law["E"] + law["A"] / points.params ** law["alpha"] + law["B"] / points.tokens ** law["beta"]
    off = np.abs(np.log(points.loss / predicted))
    return float(np.where(off <= delta, off**2 / 2, delta * (off - delta / 2)).sum())


def test_without_the_five_highest_losses_the_replication_is_found(points):
    """E, alpha and beta to the printed digits, and an objective that a tighter optimiser does not lower."""
    found = refit(points, Recipe())
    assert found.n_runs == 240
    for name in ("E", "alpha", "beta"):
        assert found.parameters[name] == pytest.approx(REPLICATED[name], abs=5.1e-5)
    kept = without_highest(points, 5)
    assert found.objective == pytest.approx(total(kept, found.parameters), rel=1e-9)
    assert found.objective <= total(kept, REPLICATED)
    assert found.printed_objective == pytest.approx(total(kept, HOFFMANN.parameters), rel=1e-9)


def test_the_replications_b_lies_a_hundred_millionth_above_the_minimum(points):
    """Newton's steps end at B 2142.96 from our fit and from the replication's numbers alike.

    Along the valley the best law with B 2143.8 has the other four as the replication has them, and an objective that
    is 1.0e-8 higher: about what a relative tolerance of 2.2e-9 for each step, scipy's, leaves over.
    """
    form, kept = LAWS["chinchilla"].form, without_highest(points, 5)
    logs, log_losses = kept.logs(form.columns), np.log(kept.loss)

    def slope(theta):
        predicted, gradient = form.log_loss(theta, logs)
        return gradient @ np.clip(predicted - log_losses, -1e-3, 1e-3)

    def polished(law, free):
        theta = form.to_theta(law)
        for _step in range(60):
            ends = [(slope(theta + step) - slope(theta - step)) / 2e-7 for step in 1e-7 * np.eye(5)[free]]
            move = np.zeros(5)
            move[free] = np.linalg.solve(np.array(ends)[:, free], -slope(theta)[free])
            size = 1.0
            while size > 1e-9 and at(theta + size * move) > at(theta):
                size /= 2
            theta = theta + size * move
        return form.to_parameters(theta), at(theta)

    def at(theta):
        return total(kept, form.to_parameters(theta))

    everything, all_but_b = [0, 1, 2, 3, 4], [0, 1, 3, 4]
    found = refit(points, Recipe())
    for start in (found.parameters, REPLICATED):
        law, objective = polished(start, everything)
        assert law["B"] == pytest.approx(2142.96, abs=0.005)
        assert law["A"] == pytest.approx(477.872, abs=0.0005)
        assert objective == pytest.approx(1.01827778796e-3, rel=5e-12)
    assert found.objective == pytest.approx(objective, rel=1e-12)
    held, above = polished(REPLICATED, all_but_b)
    for name, digits in {"E": 4, "A": 1, "B": 1, "alpha": 4, "beta": 4}.items():
        assert round(held[name], digits) == REPLICATED[name]
    assert above / objective - 1 == pytest.approx(1.0e-8, rel=0.05)


def test_a_mean_keeps_the_optimiser_where_it_began(points):
    """From the printed law it returns about the printed law, though a sum four times lower is near."""
    found = refit(points, Recipe(weighing="mean", beginning="printed"))
    assert found.parameters["beta"] == pytest.approx(HOFFMANN.parameters["beta"], abs=0.01)
    assert found.objective > 1.05 * refit(points, Recipe(beginning="printed")).objective


def test_five_runs_turn_the_exponent_of_data(points):
    assert refit(points, Recipe(left_out=0, beginning="printed")).parameters["beta"] > 0.44


def test_the_highest_losses_go_and_the_order_stays(points):
    kept = without_highest(points, 5)
    assert len(points) == 245
    assert kept.loss.max() <= np.sort(points.loss)[-6]
    assert kept.names == tuple(name for name in points.names if name in set(kept.names))


@pytest.mark.parametrize(
    "wrong", [{"weighing": "median"}, {"beginning": "end"}, {"delta": 0.0}, {"delta": float("nan")}, {"left_out": -1}]
)
def test_a_recipe_that_is_none_is_refused(wrong):
    with pytest.raises(UserError):
        Recipe(**wrong)


def test_too_few_runs_are_refused(points):
    with pytest.raises(UserError, match="Too few"):
        refit(points, Recipe(left_out=240))
