"""Scaling curves as figures: what is drawn where, what a click leads to, colours that both pages can show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.charts.scaling.compute import (
    ProfileTrace,
    TrainingCurve,
    frontier_figure,
    loss_surface_figure,
    profiles_figure,
    training_curves_figure,
)
from playground.charts.scaling.intervals import Interval, intervals_figure
from playground.charts.scaling.loss import RAMP, Dots, Line, fitted_loss_figure, residuals_figure, size_colours
from playground.charts.scaling.plans import repeats_figure, serving_figure
from tests.playground.charts.test_palette import contrast
from ui.components.live_chart import compact_figure

X = np.array([1e6, 1e7, 1e8])
DOTS = Dots(
    x=X,
    y=np.array([4.0, 3.0, 2.5]),
    size=X,
    names=("a", "<b>", "c"),
    links=("train?run=a", "", ""),
    details=("N 1M",) * 3,
)
LINE = Line(name="law", x=X, y=np.array([4.0, 3.0, 2.4]), low=np.array([3.9, 2.9, 2.0]), high=np.array([4.1, 3.1, 2.8]))


@pytest.mark.parametrize("colour", RAMP)
def test_the_ramp_stands_out_from_both_pages(colour):
    assert contrast(colour, "#ffffff") >= 3
    assert contrast(colour, "#12151b") >= 3


def test_loss_over_size_has_the_band_below_the_line_below_the_runs():
    figure = fitted_loss_figure(DOTS, [LINE], x="N")
    band, line, dots = figure.data
    assert band.fill == "toself"
    assert list(band.x) == [*X, *X[::-1]]
    assert list(band.y) == [3.9, 2.9, 2.0, 2.8, 3.1, 4.1]
    assert list(line.y) == [4.0, 3.0, 2.4]
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    assert dots.customdata[0] == ["a", "N 1M", "1M", "train?run=a"]


def test_runs_that_hardly_differ_are_shown_within_a_decade():
    near = Dots(x=np.array([2e9, 3e9]), y=DOTS.y[:2], size=X[:2], names=("a", "b"), links=("", ""), details=("", ""))
    low, high = fitted_loss_figure(near, [], x="C").layout.xaxis.range
    assert high - low == pytest.approx(1.1)
    assert (low + high) / 2 == pytest.approx(np.log10(6e18) / 2)
    assert fitted_loss_figure(DOTS, [LINE], x="C").layout.xaxis.range is None


def test_a_band_that_opens_wide_does_not_squeeze_the_curves():
    wide = Line(name="law", x=X, y=LINE.y, low=LINE.y / 1e6, high=LINE.y * 1e6)
    low, high = fitted_loss_figure(DOTS, [wide], x="N").layout.yaxis.range
    assert np.log10(2.4) - 0.1 < low < np.log10(2.4)
    assert np.log10(4.0) < high < np.log10(4.0) + 0.1


def test_a_name_is_text_and_never_a_tag():
    assert fitted_loss_figure(DOTS, [], x="N").data[0].customdata[1][0] == "&lt;b&gt;"


def test_a_line_without_intervals_has_no_band():
    plain = Line(name="law", x=X, y=LINE.y)
    assert len(fitted_loss_figure(DOTS, [plain], x="N").data) == 2


@given(st.lists(st.floats(min_value=1e-3, max_value=1e30), min_size=1, max_size=30))
def test_larger_runs_never_have_an_earlier_colour(sizes):
    ordered = np.sort(np.array(sizes))
    indices = [RAMP.index(colour) for colour in size_colours(ordered)]
    assert indices == sorted(indices)


def test_residuals_lie_around_a_line_at_0():
    figure = residuals_figure(DOTS, x="N")
    assert figure.layout.shapes[0].y0 == 0
    assert "%{y:+.2f}" in figure.data[0].hovertemplate


def test_intervals_reach_as_far_as_they_say_and_groups_do_not_cover_each_other():
    ours = [Interval(name="α", value=0.35, low=0.3, high=0.45), Interval(name="β", value=0.4, low=0.4, high=0.4)]
    theirs = [Interval(name="α", value=0.34, low=0.34, high=0.34)]
    figure = intervals_figure([("ours", ours), ("theirs", theirs)], x="exponent")
    first, second = figure.data
    assert list(np.round(first.error_x.array, 6)) == [0.1, 0.0]
    assert list(np.round(first.error_x.arrayminus, 6)) == [0.05, 0.0]
    assert first.y[0] != second.y[0]
    assert list(figure.layout.yaxis.ticktext) == ["α", "β"]


def test_an_interval_that_is_not_known_has_no_bar_and_an_unknown_value_is_left_out():
    intervals = [
        Interval(name="A", value=2.0, low=float("nan"), high=3.0),
        Interval(name="E", value=float("nan"), low=1, high=2),
    ]
    trace = intervals_figure([("ours", intervals)], x="value").data[0]
    assert list(trace.x) == [2.0]
    assert list(trace.error_x.array) == [0.0]


def test_training_curves_are_coloured_by_size_and_the_envelope_is_named():
    curves = [
        TrainingCurve(name=f"run {size:.0f}", compute=X, loss=DOTS.y, params=size, link="train?run=x")
        for size in (1e3, 1e6)
    ]
    figure = training_curves_figure(curves, Line(name="envelope", x=X, y=DOTS.y))
    assert [trace.line.color for trace in figure.data[:2]] == [RAMP[0], RAMP[-1]]
    assert figure.data[0].customdata[0][-1] == "train?run=x"
    assert figure.data[-1].name == "envelope"


def test_a_profile_without_a_minimum_between_its_models_shows_none():
    profile = {"budget": 1e15, "dots": DOTS, "x": X, "y": DOTS.y}
    inside = profiles_figure([ProfileTrace(**profile, minimum=(1e7, 3.0))])
    outside = profiles_figure([ProfileTrace(**profile, minimum=None)])
    assert len(inside.data) == 3
    assert list(inside.data[2].x) == [1e7]
    assert len(outside.data) == 2


def test_the_loss_surface_shows_runs_and_frontier_within_its_own_range():
    params, tokens = np.geomspace(1e5, 1e9, 5), np.geomspace(1e6, 1e10, 4)
    loss = 2 + 400 / params[None] ** 0.3 + 400 / tokens[:, None] ** 0.3
    figure = loss_surface_figure(params, tokens, loss, DOTS, [LINE])
    assert np.array(figure.data[0].z).shape == (4, 5)
    assert np.allclose(figure.layout.xaxis.range, (5, 9))
    assert np.allclose(figure.layout.yaxis.range, (6, 10))
    assert [trace.name for trace in figure.data[1:]] == ["law", "runs"]


def test_the_frontier_may_stand_without_measured_profiles():
    assert [trace.name for trace in frontier_figure([LINE], None).data] == ["law: interval", "law"]
    assert frontier_figure([LINE], DOTS).data[-1].name == "minima of the isoFLOP profiles"


def test_training_that_never_reaches_the_loss_is_a_gap():
    training = np.array([np.inf, 2e20, 1e20])
    figure = serving_figure(X, training, 2e12 * X, best=(1e7, 2.2e20), optimal=(1e8, 3e20))
    assert list(figure.data[0].x) == [1e7, 1e8]
    assert np.allclose(figure.data[2].y, [2e20 + 2e19, 1e20 + 2e20])


def test_repeats_are_drawn_beside_fresh_data():
    figure = repeats_figure(np.array([1.0, 4.0]), np.array([3.0, 2.5]), np.array([3.0, 2.6]))
    assert [list(trace.y) for trace in figure.data] == [[3.0, 2.6], [3.0, 2.5]]


def test_every_figure_travels_as_plain_numbers():
    figures = [
        fitted_loss_figure(DOTS, [LINE], x="N"),
        intervals_figure([("a", [])], x="x"),
        frontier_figure([LINE], DOTS),
    ]
    for figure in figures:
        plain = compact_figure(figure)
        assert plain["data"]
        assert all(isinstance(value, int | float) or value is None for trace in plain["data"] for value in trace["x"])


def test_curves_of_one_law_stand_in_the_legend_once_and_are_hidden_together():
    lines = [Line(name=f"law, D {size}", x=X, y=LINE.y, group="law", in_legend=size == 2) for size in (1, 2)]
    first, second = fitted_loss_figure(DOTS, lines, x="N").data[:2]
    assert (first.legendgroup, second.legendgroup) == ("law", "law")
    assert (first.showlegend, second.showlegend, second.name) == (False, True, "law, D 2")
    assert "law, D 1" in first.hovertemplate


def test_an_axis_says_whether_it_looks_for_its_range_since_a_live_chart_may_have_had_one():
    wide = fitted_loss_figure(DOTS, [], x="N").layout.xaxis
    narrow = fitted_loss_figure(Dots(x=X[:1], y=DOTS.y[:1], size=X[:1], names=("a",)), [], x="N").layout.xaxis
    assert (wide.autorange, wide.range) == (True, None)
    assert narrow.range[0] < 6 < narrow.range[1]
