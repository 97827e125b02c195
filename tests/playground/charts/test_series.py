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


@given(st.lists(finite | st.none(), min_size=1, max_size=400), st.integers(4, 60))
def test_decimation_keeps_ends_and_extremes(values, points):
    series = Series(name="loss", steps=list(range(len(values))), values=values)
    short = decimate(series, points)
    assert len(short.steps) <= points or len(values) <= points
    assert (short.steps[0], short.steps[-1]) == (0, len(values) - 1)
    assert all(series.values[step] == value for step, value in zip(short.steps, short.values, strict=True))
    known = [value for value in values if value is not None]
    if known:
        kept = [value for value in short.values if value is not None]
        assert (min(kept), max(kept)) == (min(known), max(known))


@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), max_size=400), st.integers(10, 60))
def test_decimation_of_columns_keeps_the_ends_and_the_extremes(numbers, points):
    values = np.array(numbers, dtype=float)
    steps = np.arange(len(values))
    short = decimate(Series(name="loss", steps=steps, values=values), points)
    kept_steps, kept = np.array(short.steps, dtype=int), np.array(short.values, dtype=float)
    assert len(kept) <= max(points, 2)
    np.testing.assert_array_equal(values[kept_steps], kept)
    assert (np.diff(kept_steps) > 0).all()
    if len(values):
        assert (kept_steps[0], kept_steps[-1]) == (0, len(values) - 1)
    if len(values) and not np.isnan(values).any():
        assert (kept.min(), kept.max()) == (values.min(), values.max())


def test_a_long_curve_keeps_its_spike():
    values = [0.0] * 10_000
    values[7_777] = 9.0
    short = decimate(Series(name="norm", steps=range(10_000), values=values), 100)
    assert len(short.steps) <= 100
    assert short.values[short.steps.index(7_777)] == 9.0


def test_lengths_must_agree():
    with pytest.raises(UserError, match="3 steps and 2 values"):
        Series(name="x", steps=[1, 2, 3], values=[1, 2])
    with pytest.raises(UserError, match="at least 4"):
        decimate(Series(name="x", steps=[1], values=[1]), 3)
