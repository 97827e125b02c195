"""Measured, expected and live curves, panels over one axis, and what a logarithmic axis cannot show."""

import pytest

from playground.charts.emergence import Axes, Panels, ability_figure, panels_figure
from playground.charts.palette import HELD_OUT, for_dark
from playground.charts.series import Series
from playground.errors import UserError

SIZES = [1000, 2000, 4000]
MEASURED = Series(name="after training", steps=SIZES, values=[0.0, 0.1, 0.95])
EXPECTED = Series(name="p^L", steps=SIZES, values=[0.01, 0.2, 0.96])
LIVE = Series(name="now", steps=[2000], values=[0.15])
SHARE = Axes(x="parameters", y="exact match", log_x=True)


def test_the_promise_is_dotted_in_the_colour_of_what_was_measured():
    figure = ability_figure([MEASURED], [EXPECTED], SHARE, live=[LIVE])
    measured, expected, live = figure.data
    assert (list(measured.x), list(measured.y)) == (SIZES, [0.0, 0.1, 0.95])
    assert (measured.line.color, measured.line.dash) == (expected.line.color, "solid")
    assert expected.line.dash == "dot"
    assert expected.mode == "lines"
    assert live.line.color == HELD_OUT.light
    assert figure.layout.yaxis.range == pytest.approx((-0.03, 1.03))
    assert (figure.layout.xaxis.type, figure.layout.xaxis.title.text) == ("log", "parameters")
    assert {trace.line.color for trace in figure.data} <= set(for_dark())


def test_the_legend_says_once_what_dots_are():
    figure = ability_figure([MEASURED, LIVE], [EXPECTED, EXPECTED], SHARE)
    assert [trace.showlegend for trace in figure.data] == [None, None, True, False]
    assert figure.data[3].line.color == figure.data[1].line.color


def test_a_logarithmic_axis_leaves_zeros_out_and_has_its_own_range():
    axes = Axes(x="training step", y="exact match", log_x=True, log_y=True)
    curve = Series(name="run", steps=[0, 10, 20], values=[0.5, 0.0, 1.0])
    figure = ability_figure([curve], [], axes)
    assert (list(figure.data[0].x), list(figure.data[0].y)) == ([10, 20], [None, 1.0])
    assert figure.layout.yaxis.range is None


def test_a_measure_that_is_no_share_has_its_own_range():
    curve = Series(name="run", steps=[1, 2], values=[5.0, 2.0])
    assert ability_figure([curve], [], Axes(x="x", y="loss", is_share=False)).layout.yaxis.range is None


def test_behaviour_and_progress_have_a_panel_each_and_one_axis_of_steps():
    above = Axes(x="training step", y="share")
    below = Axes(x="training step", y="loss (nats)", is_share=False)
    first, beside = (Panels(behaviour=[MEASURED], progress=[EXPECTED, LIVE], dash=dash) for dash in ("solid", "dash"))
    figure = panels_figure([first, beside], (above, below))
    assert [trace.yaxis for trace in figure.data] == ["y", "y2", "y2"] * 2
    assert [trace.line.color for trace in figure.data[:3]] == [trace.line.color for trace in figure.data[3:]]
    assert len({trace.line.color for trace in figure.data}) == 3
    assert [trace.line.dash for trace in figure.data] == ["solid"] * 3 + ["dash"] * 3
    assert [trace.showlegend for trace in figure.data] == [True] * 3 + [False] * 3
    assert [trace.mode for trace in figure.data] == ["lines+markers"] * 3 + ["lines"] * 3
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]
    assert figure.layout.yaxis.range == pytest.approx((-0.03, 1.03))
    assert figure.layout.yaxis2.range is None
    assert figure.layout.yaxis2.title.text == "loss (nats)"
    with pytest.raises(UserError, match="one axis"):
        panels_figure([], (above, Axes(x="training step", y="loss", log_x=True)))
