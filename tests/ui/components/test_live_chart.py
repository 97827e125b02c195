"""What the live chart sends."""

import json
import re

import numpy as np
import plotly.graph_objects as go
import pytest

from playground.charts.train import training_loss_figure
from tests.e2e.components.test_payload import decode
from ui.components.live_chart import chart_module, chart_payload, compact_figure, live_chart_labels, read_cell


def test_numbers_have_six_digits_and_gaps_are_none() -> None:
    figure = go.Figure()
    figure.add_scatter(x=[1, 2, 1_234_567], y=[1 / 3, float("nan"), float("inf")])
    (trace,) = compact_figure(figure)["data"]
    assert trace["x"] == [1, 2, 1_234_567]
    assert trace["y"] == [0.333333, None, None]


def test_plotlys_binary_arrays_become_numbers() -> None:
    figure = go.Figure()
    figure.add_scatter(x=np.arange(3, dtype=np.int16), y=np.array([0.5, 1.0, np.nan], dtype=np.float32))
    figure.add_heatmap(z=np.arange(6.0).reshape(2, 3))
    scatter, heatmap = compact_figure(figure)["data"]
    assert (scatter["x"], scatter["y"]) == ([0, 1, 2], [0.5, 1.0, None])
    assert heatmap["z"] == [[0, 1, 2], [3, 4, 5]]


def test_the_payload_is_small_and_whole() -> None:
    steps = list(range(500))
    values = np.random.default_rng(0).random(500).tolist()
    data = chart_payload(
        training_loss_figure(steps, values, values, steps[::10], values[::10]), height=200, revision="r", label="L"
    )
    header, arrays = decode(data)
    assert arrays == {}
    assert (header["height"], header["revision"], header["label"]) == (200, "r", "L")
    assert len(data) < 30_000
    assert '"template"' not in json.dumps(header["figure"])


@pytest.mark.parametrize(
    ("sent", "cell"),
    [
        ({"picked": [0, 2, 17]}, (0, 2, 17)),
        ({"picked": [0, 2]}, None),
        ({"picked": [0, -1, 2]}, None),
        ({"picked": [True, 1, 2]}, None),
        ({"picked": "012"}, None),
        ({"picked": None}, None),
        ({}, None),
        (None, None),
    ],
)
def test_only_a_place_of_a_cell_is_believed(sent, cell) -> None:
    assert read_cell(sent) == cell


def test_only_charts_that_are_picked_from_say_so() -> None:
    figure = go.Figure(go.Heatmap(z=[[1.0]]))
    (header, _), (plain, _) = (
        decode(chart_payload(figure, height=1, label="L", revision="", **more))
        for more in ({"picks": True, "picked": (0, 0, 0)}, {})
    )
    assert (header["picks"], header["picked"]) == (True, [0, 0, 0])
    assert "picks" not in plain


def test_every_label_in_the_module_exists() -> None:
    module = chart_module()
    assert set(re.findall(r"\blabels\.(\w+)", module)) <= set(live_chart_labels())
    assert module.count("export default ") == 1
    assert "innerHTML" not in module
