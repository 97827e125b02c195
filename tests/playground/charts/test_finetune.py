"""Charts of the page Fine-tune: what was computed stands in the figure."""

import numpy as np
import pytest

from playground.charts.finetune import (
    drift_figure,
    head_drift_figure,
    label_curve_figure,
    lora_map_figure,
    rank_sweep_figure,
    singular_values_figure,
    stream_drift_figure,
    stream_mean_figure,
)
from playground.charts.palette import TRAIN, for_dark, translucent
from playground.evaluation.resampling import Spread
from playground.finetuning.drift_table import drift_table
from playground.finetuning.head_drift import head_drift
from playground.finetuning.label_curve import LabelPoint, label_means
from playground.finetuning.rank_sweep import RankPoint
from playground.finetuning.stream_drift import stream_drift
from playground.finetuning.weight_drift import model_drift
from tests.helpers.model_pairs import pair_of


def test_each_cell_is_a_weights_drift_in_per_cent():
    drift = model_drift(pair_of(rank=2))
    table = drift_table(drift)
    cells = drift_figure(table).data[0]
    column = table.columns.index("attention.query")
    assert cells.z[1][column] == pytest.approx(100 * drift.changed[0].relative)
    assert cells.meta["columns"] == list(table.columns)


def test_singular_values_with_the_share_that_they_hold():
    (moved,) = model_drift(pair_of(rank=2)).changed
    curve = singular_values_figure(moved).data[0]
    assert list(curve.x) == [1, 2]
    assert curve.customdata[-1] == pytest.approx(1.0)


def test_heads_and_states_of_both_models():
    pair = pair_of()
    heads = head_drift(pair, ["a cat", "dogs"])
    assert head_drift_figure(heads).data[0].z == pytest.approx(heads.mean)
    states = stream_drift(pair, "a cat")
    shown = stream_drift_figure(states)
    assert shown.data[0].z == pytest.approx(states.distance)
    assert shown.layout.yaxis.ticktext == ("start", "0", "1")
    means = stream_mean_figure(states)
    assert [len(line.y) for line in means.data] == [3, 3]
    assert (means.data[0].x[0], means.layout.xaxis.type) == ("start", "category")


def test_a_curve_for_each_start_with_its_intervals():
    points = [
        LabelPoint(start=start, labels=labels, seed=0, right=right, rows=100)
        for start, right in (("pretrained", 80), ("scratch", 50))
        for labels in (50, 100)
    ]
    figure = label_curve_figure(label_means(points), floor=0.3, tfidf=[(50, 0.6)])
    legend = [line.name for line in figure.data if line.showlegend is not False]
    assert legend == ["pre-trained", "from scratch", "TF-IDF + logistic regression"]
    line, band = figure.data[:2]
    first, second = (mean.accuracy for mean in label_means(points)[:2])
    assert line.legendgroup == band.legendgroup
    assert list(band.y) == pytest.approx([first.low, second.low, second.high, first.high])
    assert for_dark()[band.fillcolor] == translucent(TRAIN.dark)
    assert figure.layout.shapes[0].y0 == 0.3
    assert figure.layout.xaxis.ticktext == ("50", "100")


def test_ranks_stand_in_order_over_two_panels():
    points = [
        RankPoint(
            rank=rank,
            trainable=9,
            score=Spread(value=0.5, low=0.4, high=0.6, n=9),
            drift=0.01 * rank,
            effective_rank=1.0,
        )
        for rank in (4, 1)
    ]
    figure = rank_sweep_figure(points, score="accuracy")
    assert list(figure.data[0].error_y.array) == pytest.approx([0.1, 0.1])
    assert list(figure.data[1].x) == [1, 4]
    assert list(figure.data[1].y) == pytest.approx([1.0, 4.0])
    assert figure.layout.xaxis.ticktext == ("1", "4")


def test_a_matrix_of_lora_has_zero_in_the_middle():
    cells = lora_map_figure(np.array([[1.0, -2.0]]), meaning="B").data[0]
    assert (cells.zmin, cells.zmax) == (-2.0, 2.0)
