"""Fits against laws that were planted, and against what goes wrong without them."""

import numpy as np
import pytest
from scipy.optimize import minimize

from playground.errors import UserError
from playground.scaling import fit, fit_chinchilla, fit_power_law
from playground.scaling.fits import fit_to_exponents
from playground.scaling.laws import LAWS
from playground.scaling.minimise import huber, objective
from playground.scaling.points import Points
from playground.scaling.published import BESIROGLU, HOFFMANN, KAPLAN, MUENNIGHOFF
from tests.helpers.planted_points import isoflop_runs, scattered

BROKEN = {"E": 1.2, "A": 60.0, "c0": 0.04, "c1": 0.12, "d1": 1e20, "f1": 0.7}
POWERS = {
    "power-n": {"A": 9.0, "alpha": 0.06},
    "power-d-offset": {"E": 1.7, "B": 900.0, "beta": 0.31},
    "power-c-offset": {"E": 1.5, "K": 700.0, "gamma": 0.14},
}


def assert_close(fitted, planted, tolerance):
    assert set(fitted) == set(planted)
    assert max(abs(fitted[name] / planted[name] - 1) for name in planted) < tolerance, fitted


@pytest.mark.parametrize(
    ("law", "planted"),
    [("chinchilla", BESIROGLU.parameters), ("kaplan", KAPLAN.parameters), *POWERS.items()],
)
def test_without_noise_a_planted_law_comes_back(law, planted):
    fitted = fit(law, scattered(law, planted))
    assert_close(fitted.parameters, planted, 0.002)
    assert fitted.objective < 1e-8
    assert fitted.heldout_error < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize(("law", "planted"), [("data-constrained", MUENNIGHOFF.parameters), ("broken-power", BROKEN)])
def test_without_noise_a_planted_law_of_many_numbers_comes_back(law, planted):
    fitted = fit(law, scattered(law, planted, params=(7.0, 11.0), tokens=(8.0, 12.0)))
    assert_close(fitted.parameters, planted, 0.02)


@pytest.mark.parametrize("seed", range(3))
def test_with_noise_of_half_a_percent_exponents_come_back_to_a_tenth_and_the_loss_to_two_thousandths(seed):
    fitted = fit_chinchilla(scattered(noise=0.005, seed=seed, count=240))
    for name in ("alpha", "beta"):
        assert fitted.parameters[name] == pytest.approx(BESIROGLU.parameters[name], rel=0.1)
    assert fitted.parameters["E"] == pytest.approx(BESIROGLU.parameters["E"], rel=0.03)
    there = {"params": 1e9, "tokens": 2e10}
    truth = LAWS["chinchilla"].predict(BESIROGLU.parameters, **there)
    assert float(fitted.predict(**there)) == pytest.approx(float(truth), rel=2e-3)
    assert 0.001 < fitted.heldout_error < 0.01


def test_one_run_that_went_wrong_hardly_moves_the_fit():
    points = scattered(noise=0.002, count=120)
    loss = points.loss.copy()
    loss[7] *= 2
    spoilt = fit_chinchilla(Points(params=points.params, tokens=points.tokens, loss=loss))
    assert spoilt.parameters["alpha"] == pytest.approx(fit_chinchilla(points).parameters["alpha"], rel=0.02)
    assert spoilt.residuals()[7] == pytest.approx(np.log(2), abs=0.02)


@pytest.mark.slow
def test_one_start_can_stick_where_many_find_the_best():
    points = scattered(noise=0.002, count=40, seed=2)
    many, alone = fit("broken-power", points), fit("broken-power", points, starts=1)
    assert many.starts == 32 == len(many.objectives)
    assert many.objective == min(many.objectives)
    assert 1 <= many.reached < 32
    assert alone.starts == 1 == alone.reached
    assert alone.objective > 1.02 * many.objective


def test_the_mean_instead_of_the_sum_stops_elsewhere_and_reports_success():
    points = scattered(noise=0.005, count=240)
    form = LAWS["chinchilla"].form
    logs, losses = points.logs(form.columns), np.log(points.loss)
    centre = form.centre(logs)
    starts = form.shift(form.starts(logs - centre[:, None], losses), -centre)

    def mean(theta):
        value, gradient = objective(theta, form, logs, losses)
        return value / len(points), gradient / len(points)

    ends = [minimize(mean, start, jac=True, method="L-BFGS-B") for start in starts]
    best = min(ends, key=lambda end: end.fun)
    fitted = fit_chinchilla(points)
    assert best.success
    assert best.fun * len(points) > 1.02 * fitted.objective
    away = abs(form.to_parameters(best.x)["beta"] / BESIROGLU.parameters["beta"] - 1)
    assert away > 3 * abs(fitted.parameters["beta"] / BESIROGLU.parameters["beta"] - 1)


def test_the_huber_loss_is_quadratic_then_linear():
    value, slope = huber(np.array([5e-4, -5e-4, 2e-3]))
    assert value == pytest.approx(2 * 0.5 * 25e-8 + 1e-3 * (2e-3 - 5e-4))
    assert np.allclose(slope, [5e-4, -5e-4, 1e-3])


def test_the_largest_runs_are_held_out_together_with_those_of_the_same_budget():
    points = isoflop_runs(noise=0.002)
    heldout = fit_chinchilla(points).heldout
    largest = np.flatnonzero(points.flops > 0.99 * np.sort(points.flops)[-16])
    assert set(heldout.indices) == set(largest.tolist())
    assert heldout.by == "flops"
    assert len(heldout.indices) % 9 == 0
    assert set(fit_power_law(points, of="params").heldout.indices) <= set(np.argsort(points.params)[-20:].tolist())


def test_a_law_that_is_wrong_predicts_badly():
    points = scattered(noise=0.002)
    assert fit("power-n", points).heldout_error > 10 * fit_chinchilla(points).heldout_error


def test_six_points_can_be_fitted_but_none_held_out():
    fitted = fit_chinchilla(scattered(count=6))
    assert fitted.heldout_error is None
    assert "hold some out" in " ".join(fitted.warnings)


@pytest.mark.slow
def test_an_offset_that_the_points_do_not_identify_is_said():
    near = scattered(noise=0.02, count=30, params=(8.0, 8.6), tokens=(10.0, 10.6))
    fitted = fit_chinchilla(near)
    assert "E" in fitted.unidentified
    assert any("do not identify E" in sentence or "no floor" in sentence for sentence in fitted.warnings)
    far = scattered(noise=0.002, count=200)
    assert fit_chinchilla(far).unidentified == ()


@pytest.mark.slow
def test_a_power_law_without_a_floor_shows_none():
    fitted = fit_power_law(scattered("power-n", POWERS["power-n"]), of="params", offset=True)
    assert fitted.unidentified == ("E",)


@pytest.mark.slow
def test_one_size_of_model_does_not_identify_alpha_and_without_repeats_nothing_is_known_of_them():
    points = scattered(noise=0.001, count=30)
    one_size = Points(params=np.full(30, 1e8), tokens=points.tokens, loss=points.loss)
    assert "alpha" in fit_chinchilla(one_size).unidentified
    assert "R_D" in fit("data-constrained", points.take(range(12))).unidentified


def test_too_few_points_and_strange_wishes_are_refused():
    three = scattered(count=3)
    with pytest.raises(UserError, match="chinchilla has 5 parameters to fit; bring at least 6 points instead of 3"):
        fit_chinchilla(three)
    with pytest.raises(UserError, match="There is no law"):
        fit("moore", three)
    with pytest.raises(UserError, match="choose 1 to 32"):
        fit_chinchilla(scattered(), starts=33)
    with pytest.raises(UserError, match="params, tokens or flops"):
        fit_power_law(scattered(), of="money")


STRANGE = {
    "one run again and again": Points(params=[1e6] * 10, tokens=[1e9] * 10, loss=[3.0] * 10),
    "a loss that rises": Points(params=np.geomspace(1e6, 1e8, 10), tokens=[1e9] * 10, loss=np.linspace(3, 4, 10)),
    "losses of nearly 0": Points(
        params=np.geomspace(1e6, 1e8, 10), tokens=[1e9] * 10, loss=np.geomspace(1e-6, 1e-9, 10)
    ),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("points", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize(
    "law",
    [
        "chinchilla",
        "kaplan",
        "data-constrained",
        "power-c-offset",
        pytest.param("broken-power", marks=pytest.mark.slow),
    ],
)
def test_strange_points_give_numbers_all_the_same(law, points):
    fitted = fit(law, points, starts=2)
    assert np.isfinite([fitted.objective, *fitted.parameters.values()]).all()
    assert np.isfinite(fitted.residuals()).all()


# A floor that is known


def test_an_offset_is_fixed_at_a_known_floor_and_never_questioned():
    points = scattered(noise=0.003, count=60, params=(7, 7.6), tokens=(9, 9.5))
    free = fit("chinchilla", points)
    assert "E" in free.unidentified
    fixed = fit("chinchilla", points, floor=BESIROGLU.parameters["E"])
    assert fixed.parameters["E"] == pytest.approx(BESIROGLU.parameters["E"])
    assert "E" not in fixed.unidentified
    assert fixed.objective >= free.objective
    for name in ("alpha", "beta"):
        errors = [abs(one.parameters[name] - BESIROGLU.parameters[name]) for one in (fixed, free)]
        assert errors[0] < max(0.1, errors[1])
    assert fixed.heldout is not None


@pytest.mark.parametrize("floor", [0.0, -1.0, 50.0, float("nan")])
def test_what_is_no_floor_is_refused(floor):
    with pytest.raises(UserError, match="not between 0 and the smallest loss"):
        fit("chinchilla", scattered(noise=0.003, count=20), floor=floor)
    with pytest.raises(UserError, match="has no E"):
        fit("kaplan", scattered(noise=0.003, count=20), floor=1.0)


# A published law over other points: its exponents stay

FORTY = scattered(count=40)


@pytest.mark.parametrize("published", [KAPLAN, HOFFMANN, BESIROGLU], ids=lambda published: published.key)
def test_exponents_are_kept_to_the_last_digit_and_the_rest_meets_the_points(published):
    fitted = fit_to_exponents(published.law, published.parameters, FORTY)
    for name in ("alpha", "beta", "alpha_N", "alpha_D"):
        if name in published.parameters:
            assert fitted[name] == pytest.approx(published.parameters[name], abs=1e-12)
    before = LAWS[published.law].predict_points(published.parameters, FORTY)
    after = LAWS[published.law].predict_points(fitted, FORTY)
    errors = [np.abs(np.log(loss / FORTY.loss)).mean() for loss in (after, before)]
    assert errors[0] <= errors[1] + 1e-9


def test_points_on_the_law_itself_give_its_own_numbers_back():
    loss = LAWS["chinchilla"].predict_points(HOFFMANN.parameters, FORTY)
    own = type(FORTY)(params=FORTY.params, tokens=FORTY.tokens, loss=loss)
    fitted = fit_to_exponents("chinchilla", HOFFMANN.parameters, own)
    assert fitted == pytest.approx(HOFFMANN.parameters, rel=1e-3)


def test_a_change_of_unit_leaves_the_exponents_and_moves_the_coefficients():
    in_thousands = type(FORTY)(params=FORTY.params / 1e3, tokens=FORTY.tokens, loss=FORTY.loss)
    one, other = (fit_to_exponents("chinchilla", HOFFMANN.parameters, points) for points in (FORTY, in_thousands))
    assert one["A"] / other["A"] == pytest.approx(1e3 ** HOFFMANN.parameters["alpha"], rel=1e-3)


def test_an_unknown_law_is_named():
    with pytest.raises(UserError, match="no law"):
        fit_to_exponents("newton", {}, FORTY)
