"""Smoothing and decimation of curves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.charts.series import Series, decimate, smooth
from playground.errors import UserError

finite = st.floats(-1e6, 1e6)


def test_smoothing_by_hand():
    # w = 1/2: 4; (4/4 + 1/2 · 1) / (3/4) = 2; (1/8 · 4 + 1/4 · 1 + 1/2 · 8) / (7/8).
    assert smooth([4, 1, 8], 0.5).tolist() == pytest.approx([4, 2, 4.75 / 0.875])


@given(st.floats(-1e3, 1e3), st.integers(1, 50), st.floats(0, 0.999))
def test_a_constant_stays_what_it_is(value, count, weight):
    np.testing.assert_allclose(smooth([value] * count, weight), value, rtol=1e-6, atol=1e-9)


@given(st.lists(finite, min_size=1), st.floats(0, 0.999))
def test_smoothing_stays_within_what_was_seen(values, weight):
    smoothed = smooth(values, weight)
    for index, value in enumerate(smoothed):
        slack = 1e-6 * max(1, max(map(abs, values)))
        assert min(values[: index + 1]) - slack <= value <= max(values[: index + 1]) + slack


def test_gaps_are_passed_over():
    assert smooth([float("nan"), 2.0, float("nan"), 2.0])[1:].tolist() == pytest.approx([2, 2, 2])
    assert np.isnan(smooth([float("nan"), 2.0])[0])


def test_bad_weights_are_refused():
    with pytest.raises(UserError, match="below 1"):
        smooth([1.0], 1.0)


@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), max_size=400), st.integers(4, 60))
def test_decimation_keeps_the_ends_and_the_extremes(numbers, points):
    values = np.array(numbers, dtype=float)
    kept = decimate(values, points)
    assert len(kept) <= max(points, 2)
    assert kept == sorted(set(kept))
    if len(values):
        assert (kept[0], kept[-1]) == (0, len(values) - 1)
    if not np.isnan(values).all():
        assert (np.nanmin(values[kept]), np.nanmax(values[kept])) == (np.nanmin(values), np.nanmax(values))


def test_every_stretch_keeps_its_lowest_and_highest():
    # Between the first and the last point stand three stretches: 1 to 2, 3 to 5 with one number, 6 to 8 with none.
    gap = float("nan")
    assert decimate(np.array([0, 5, 3, gap, 2, gap, gap, gap, gap, 1]), 8) == [0, 1, 2, 4, 6, 9]


def test_a_short_curve_is_kept_whole():
    assert decimate(np.array([2.0, 1.0, 3.0]), 4) == [0, 1, 2]


def test_a_long_curve_keeps_its_spike():
    values = np.zeros(10_000)
    values[7_777] = 9.0
    kept = decimate(values, 100)
    assert len(kept) <= 100
    assert 7_777 in kept


def test_lengths_must_agree():
    with pytest.raises(UserError, match="3 steps and 2 values"):
        Series(name="x", steps=[1, 2, 3], values=[1, 2])
    with pytest.raises(UserError, match="at least 4"):
        decimate(np.ones(1), 3)
