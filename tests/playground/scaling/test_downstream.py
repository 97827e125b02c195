"""The law from loss to task: planted numbers found again, independent tokens in closed form, the shipped tables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from playground.emergence.tables import FOLDER
from playground.scaling.downstream import Downstream, TaskPoints, fit_downstream, least_squares
from playground.scaling.task_table import read_task_points

LOSS = np.linspace(0.05, 3.0, 40)


def points_of(error, runs=8, loss=LOSS):
    names = tuple(f"run {index % runs}" for index in range(len(loss)))
    return TaskPoints(
        loss=loss, error=error, runs=names, params=np.array([1.0 + index % runs for index in range(len(loss))])
    )


@settings(max_examples=30)
@given(epsilon=st.floats(0.3, 0.98), share=st.floats(0.2, 1.0), gamma=st.floats(0.3, 8.0))
def test_planted_numbers_are_found_again(epsilon, share, gamma):
    planted = Downstream(epsilon=epsilon, k=share * epsilon, gamma=gamma)
    found = least_squares(points_of(planted.predict(LOSS)))
    assert found.gamma == pytest.approx(gamma, rel=0.01)
    assert found.predict(LOSS) == pytest.approx(planted.predict(LOSS), abs=1e-4)


@pytest.mark.parametrize("length", [1, 4, 7])
def test_independent_tokens_are_the_law_with_gamma_their_number(length):
    found = least_squares(points_of(1 - np.exp(-LOSS) ** length))
    assert (found.epsilon, found.k, found.gamma) == pytest.approx((1, 1, length), rel=5e-3)


def test_with_noise_it_ends_where_scipy_does():
    random = np.random.default_rng(5)
    error = np.clip(0.9 - 0.8 * np.exp(-1.7 * LOSS) + random.normal(0, 0.01, len(LOSS)), 0, 1)
    theirs, _ = curve_fit(lambda loss, e, k, g: e - k * np.exp(-g * loss), LOSS, error, p0=(0.9, 0.8, 1.5))
    ours = least_squares(points_of(error))
    assert (ours.epsilon, ours.k, ours.gamma) == pytest.approx(tuple(theirs), rel=2e-3)


def test_intervals_hold_what_was_planted_and_whole_runs_are_resampled():
    random = np.random.default_rng(6)
    error = np.clip(0.9 - 0.8 * np.exp(-1.7 * LOSS) + random.normal(0, 0.01, len(LOSS)), 0, 1)
    fitted = fit_downstream(points_of(error), n_resamples=60)
    low, high = fitted.intervals()["gamma"]
    assert low < 1.7 < high
    assert fitted.rmse == pytest.approx(0.01, rel=0.4)
    below, above = fitted.band(LOSS)
    assert (below <= above).all()
    assert fit_downstream(points_of(error), n_resamples=60).intervals() == fitted.intervals()
    few = fit_downstream(points_of(error, runs=2), n_resamples=60)
    assert (few.intervals(), few.band(LOSS), few.heldout) == ({}, None, None)


def test_a_flat_error_has_no_slope():
    found = least_squares(points_of(np.full(40, 0.25)))
    assert found.predict(LOSS) == pytest.approx(np.full(40, 0.25))


@pytest.mark.parametrize("task", ["addition", "translation"])
def test_in_the_shipped_tables_token_accuracy_is_predicted_from_smaller_models(task):
    text = (FOLDER / f"{task}.csv").read_text()
    tokens = fit_downstream(read_task_points(text, loss="held_out_loss", right="token_accuracy").points, n_resamples=0)
    assert tokens.rmse < 0.05
    assert tokens.heldout < 0.07
    assert (
        tokens.law.gamma
        < fit_downstream(
            read_task_points(text, loss="held_out_loss", right="exact_match").points, n_resamples=0
        ).law.gamma
    )


def test_exact_match_of_the_largest_translators_is_not_predicted_from_smaller_ones():
    """These never have a whole answer right: the law sees no error below 1 to learn gamma from."""
    text = (FOLDER / "translation.csv").read_text()
    assert (
        fit_downstream(read_task_points(text, loss="held_out_loss", right="exact_match").points, n_resamples=0).heldout
        > 0.3
    )


@pytest.mark.parametrize(
    ("error", "loss", "untold", "sentence"),
    [
        (np.full(40, 0.25), LOSS, ("gamma",), "does not rise"),
        (0.001 + 0.002 * LOSS, LOSS, ("epsilon", "k", "gamma"), "in a straight line"),
        ((LOSS > 0.06).astype(float), LOSS, ("k", "gamma"), "in one step"),
        (np.tile([0.2, 0.4], 20), np.tile([1.0, 2.0], 20), ("epsilon", "k", "gamma"), "only 2 different losses"),
        (0.9 - 0.8 * np.exp(-1.7 * LOSS), LOSS, (), ""),
    ],
)
def test_parameters_that_the_checkpoints_do_not_tell_are_named(error, loss, untold, sentence):
    found = fit_downstream(points_of(error, loss=loss), n_resamples=0).diagnostics
    assert tuple(diagnostic.parameter for diagnostic in found) == untold
    assert all(sentence in diagnostic.message for diagnostic in found)
