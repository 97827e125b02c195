"""Charts of the page Evaluate: what stands in the data stands in the figure."""

import numpy as np
import pytest

from playground.charts.evaluate import (
    confusion_figure,
    difference_figure,
    perplexity_bars,
    reliability_figure,
    spreads_figure,
    stride_figure,
)
from playground.evaluation.calibration import reliability
from playground.evaluation.resampling import Spread, paired_bootstrap
from playground.lens.generate.stride import StrideScore


def test_an_interval_reaches_from_its_low_to_its_high_end():
    figure = spreads_figure(["<b>de</b>", "en"], [Spread(value=0.5, low=0.3, high=0.6, n=9)] * 2, meaning="accuracy")
    dots = figure.data[0]
    assert dots.error_x.array[0] == pytest.approx(0.1)
    assert dots.error_x.arrayminus[0] == pytest.approx(0.2)
    assert figure.layout.yaxis.ticktext == ("&lt;b&gt;de&lt;/b&gt;", "en")


def test_every_resample_stands_in_a_bar():
    generator = np.random.default_rng(0)
    first, second = generator.random((30, 1)), generator.random((30, 1))
    figure = difference_figure(paired_bootstrap(first, second, lambda sums: sums[:, 0], n_resamples=120), meaning="x")
    assert sum(figure.data[0].y) == 120
    assert 0 in [shape.x0 for shape in figure.layout.shapes]


def test_long_labels_that_begin_alike_are_told_apart():
    labels = ["a long label that ends in A", "a long label that ends in B"]
    figure = confusion_figure(labels, np.eye(2, dtype=int))
    assert figure.layout.xaxis.ticktext == figure.layout.yaxis.ticktext == ("a long la…nds in A", "a long la…nds in B")


def test_a_confusion_matrix_shows_counts_and_shares():
    figure = confusion_figure(["a", "b"], np.array([[3, 1], [0, 0]]))
    assert figure.data[0].z.tolist() == [[0.75, 0.25], [0, 0]]
    assert [note.text for note in figure.layout.annotations] == ["3", "1", "0", "0"]
    assert not confusion_figure([str(n) for n in range(13)], np.eye(13, dtype=int)).layout.annotations


def test_calibration_has_its_bins_beside_the_diagonal():
    figure = reliability_figure(reliability(np.array([0.1, 0.9, 0.9]), np.array([False, True, False])))
    assert list(figure.data[0].x) == [0, 1]
    assert figure.data[1].y.tolist() == [0, 0.5]


def test_strides_and_models():
    scores = [
        StrideScore(stride=n, least_context=8 - n, passes=9 - n, perplexity=10.0 * n, bits_per_byte=1.0) for n in (2, 7)
    ]
    assert list(stride_figure(scores, window=8).data[0].y) == [20, 70]
    assert list(perplexity_bars(["a", "b"], np.array([1.5, 2.0]), [False, True]).data[0].x) == [1.5, 2.0]
