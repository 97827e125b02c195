"""What goes into a chart is in the figure, under axes that name their units."""

import math

import pytest

from playground.charts import train
from playground.charts.palette import HELD_OUT, TRAIN, for_dark
from playground.charts.series import Series
from playground.errors import UserError
from playground.text import LANGUAGE, PSEUDO

STEPS, LOSSES = [1, 2, 3, 4], [4.0, 3.0, 2.5, 2.25]


def test_loss():
    figure = train.training_loss_figure(STEPS, LOSSES, [4, 3.5, 3, 2.6], [2, 4], [3.1, 2.4], floor=1.5)
    raw, smoothed, held_out = figure.data
    assert (list(raw.x), list(raw.y)) == (STEPS, LOSSES)
    assert list(smoothed.y) == [4, 3.5, 3, 2.6]
    assert (list(held_out.x), list(held_out.y)) == ([2, 4], [3.1, 2.4])
    assert held_out.name == "validation"
    assert (raw.line.color, smoothed.line.color, held_out.line.color) == (TRAIN.light, TRAIN.light, HELD_OUT.light)
    assert figure.layout.xaxis.title.text == "training step"
    assert figure.layout.yaxis.title.text == "loss (nats per token)"
    assert figure.layout.shapes[0].y0 == 1.5


def test_logarithmic_axes_put_the_floor_and_its_words_at_one_height():
    figure = train.training_loss_figure(STEPS, LOSSES, LOSSES, [], [], floor=1.5, log_steps=True, log_loss=True)
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", "log")
    assert figure.layout.shapes[0].y0 == 1.5
    assert figure.layout.annotations[0].y == pytest.approx(math.log10(1.5))
    assert not train.training_loss_figure(STEPS, LOSSES, LOSSES, [], [], floor=0.0, log_loss=True).layout.shapes


def test_events_are_lines_over_the_whole_height_with_their_words_below_each_other():
    marks = [(0, "start"), (245, "induction score 0.5"), (250, "accuracy 0.5")]
    figure = train.training_loss_figure(STEPS, LOSSES, LOSSES, [], [], marks=marks)
    assert [(shape.x0, shape.x1, shape.y0, shape.y1, shape.yref) for shape in figure.layout.shapes] == [
        (step, step, 0, 1, "y domain") for step in (0, 245, 250)
    ]
    assert [note.text for note in figure.layout.annotations] == ["start", "induction score 0.5", "accuracy 0.5"]
    heights = [note.y for note in figure.layout.annotations]
    assert heights == sorted(heights, reverse=True)
    assert len(set(heights)) == 3
    log = train.training_loss_figure(STEPS, LOSSES, LOSSES, [], [], marks=marks, log_steps=True)
    assert [shape.x0 for shape in log.layout.shapes] == [245, 250]
    assert log.layout.annotations[0].x == pytest.approx(math.log10(245))
    measures = train.measures_figure([Series(name="accuracy", steps=STEPS, values=LOSSES)], marks=marks[1:])
    assert [shape.x0 for shape in measures.layout.shapes] == [245, 250]
    assert measures.layout.annotations[0].y < 0.5


def test_overlay():
    runs = [Series(name=f"run {index}", steps=STEPS, values=[index] * 4) for index in range(10)]
    figure = train.overlay_figure(runs, y="accuracy")
    assert [trace.name for trace in figure.data] == [run.name for run in runs]
    assert len({(trace.line.color, trace.line.dash) for trace in figure.data}) == 10
    assert figure.layout.yaxis.title.text == "accuracy"
    assert figure.data[0].customdata is None


def test_each_point_of_a_run_leads_to_it():
    runs = [Series(name=name, steps=STEPS, values=LOSSES, click=f"train?run={name}") for name in "ab"]
    figure = train.overlay_figure(runs)
    assert [[data[-1] for data in trace.customdata] for trace in figure.data] == [
        ["train?run=a"] * 4,
        ["train?run=b"] * 4,
    ]


def test_measures_that_are_shares_have_the_whole_range():
    figure = train.measures_figure([Series(name="accuracy", steps=STEPS, values=[0, 0.2, None, 1])])
    assert figure.layout.yaxis.range == pytest.approx((-0.03, 1.03))
    assert figure.layout.yaxis.title.text == "share"
    assert list(figure.data[0].y) == [0, 0.2, None, 1]
    assert train.measures_figure([Series(name="bleu", steps=[1], values=[31])]).layout.yaxis.range is None


def test_rate_and_norm_have_a_panel_each():
    figure = train.rate_and_norm_figure(STEPS, [0.1, 0.2, 0.3, 0.4], [5, 6, None, 8], clip=1.0)
    rate, norm = figure.data
    assert (list(rate.y), list(norm.y)) == ([0.1, 0.2, 0.3, 0.4], [5, 6, None, 8])
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]
    assert (norm.yaxis, figure.layout.shapes[0].yref) == ("y2", "y2")


def test_spectrum():
    figure = train.spectrum_figure([0.25, 0.75])
    assert (list(figure.data[0].x), list(figure.data[0].y)) == ([0, 1], [0.25, 0.75])
    assert figure.layout.yaxis.title.text == "share of the embedding's power"


def test_finder():
    figure = train.finder_figure([1e-4, 1e-3, 1e-2], [3, 2, 9], 1e-3, [3, 2.5, 4])
    assert list(figure.data[0].y) == [3, 2, 9]
    assert list(figure.data[1].y) == [3, 2.5, 4]
    assert (figure.layout.shapes[0].x0, figure.layout.annotations[0].x) == (1e-3, pytest.approx(-3))
    with pytest.raises(UserError, match="above zero"):
        train.finder_figure([0.0], [1.0])


def test_every_colour_has_a_dark_counterpart():
    figures = [
        train.training_loss_figure(STEPS, LOSSES, LOSSES, STEPS, LOSSES, 1.0),
        train.overlay_figure([Series(name="a", steps=STEPS, values=LOSSES)]),
        train.rate_and_norm_figure(STEPS, LOSSES, LOSSES),
        train.finder_figure(STEPS, LOSSES, 2.0),
    ]
    colours = {trace.line.color for figure in figures for trace in figure.data}
    assert colours <= set(for_dark())


def test_axes_and_legends_are_in_the_readers_language():
    token = LANGUAGE.set(PSEUDO)
    try:
        loss = train.training_loss_figure(STEPS, LOSSES, LOSSES, STEPS, LOSSES, 1.0)
        rates = train.rate_and_norm_figure(STEPS, LOSSES, LOSSES)
        finder = train.finder_figure(STEPS, LOSSES, 2.0, LOSSES)
        spectrum = train.spectrum_figure([0.25, 0.75])
    finally:
        LANGUAGE.reset(token)
    figures = (loss, rates, finder, spectrum)
    titles = [axis.title.text for figure in figures for axis in figure.select_xaxes() if axis.title.text]
    titles += [axis.title.text for figure in figures for axis in figure.select_yaxes() if axis.title.text]
    names = [trace.name for figure in (loss, rates, finder) for trace in figure.data]
    notes = [note.text for figure in (loss, finder) for note in figure.layout.annotations]
    assert len(titles) == 9
    assert len(names) == 7
    assert all(text.startswith("⟦") for text in (*titles, *names, *notes))
    assert spectrum.data[0].hovertemplate.startswith("⟦frequency %{x}")
