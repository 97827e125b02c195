"""The cells of a head's charts hold the numbers, the words and the colours they were given."""

import numpy as np
import pytest

from playground.charts.bars import token_bars_figure
from playground.charts.heatmap import tinted_map_figure
from playground.charts.inside import (
    HoverText,
    distance_figure,
    rows_figure,
    short_number,
    shortest_number,
)
from playground.charts.layout import token_label
from playground.charts.palette import KEY, NEUTRAL, QUERY

ROWS = [np.array([1.0, -2.0]), np.array([10.0, 0.0, -np.inf])]


def drawn(**options):
    hover = [["one", "two"], ["a", "b", "c"]]
    return rows_figure(ROWS, ["q", "<s>"], hover, [QUERY, KEY], x="dimension", **options)


def test_each_row_holds_its_numbers_words_and_colour():
    first, second = drawn().data
    assert list(first.z[0]) == [1.0, -2.0]
    assert first.hovertext[0] == ("one", "two") or list(first.hovertext[0]) == ["one", "two"]
    assert (first.colorscale[0][1], first.colorscale[2][1]) == (NEUTRAL.light, QUERY.light)
    assert second.colorscale[2][1] == KEY.light
    assert second.name == "&lt;s&gt;"


@pytest.mark.parametrize(("by_row", "bounds"), [(False, [10.0, 10.0]), (True, [2.0, 10.0])])
def test_the_strongest_colour_is_the_largest_finite_number_of_all_or_of_the_row(by_row, bounds):
    figure = drawn(scaled_by_row=by_row)
    assert [row.zmax for row in figure.data] == bounds
    assert [row.zmin for row in figure.data] == [-bound for bound in bounds]


def test_numbers_stand_on_their_cells():
    numbers = drawn(shows_numbers=True).data[-1]
    assert list(numbers.text) == ["1", "−2", "10", "0", "−∞"]
    assert list(numbers.y) == [0, 0, 1, 1, 1]
    assert numbers.meta == {"columns": 3, "shorter": ["1", "−2", "10", "0", "−∞"], "upright": False}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.12345, "−.12"),
        (99.6, "100"),
        (1234.0, "1e3"),
        (0.00567, "6e-3"),
        (0.0, "0"),
        (1.0, "1"),
        (-float("inf"), "−∞"),
        (float("nan"), "nan"),
    ],
)
def test_the_shortest_number_has_two_digits(value, text):
    assert shortest_number(value) == text


def test_a_long_name_of_a_column_is_cut():
    figure = drawn(columns=["a", "b", "a word that is far too long"], shows_numbers=True, is_tall=True)
    assert list(figure.layout.xaxis.ticktext) == ["a", "b", "a word that i…"]
    assert figure.data[-1].meta["upright"]


@pytest.mark.parametrize(
    ("text", "label"), [(" a", "␣a"), ("<b>", "&lt;b&gt;"), ("  ", "␣␣"), ("", ""), ("\n", "↵"), ("a b ", "a b␣")]
)
def test_tokens_as_labels(text, label):
    assert token_label(text) == label


def test_short_numbers():
    numbers = (0.0, -0.12345, 1234.0, float("-inf"))
    assert [short_number(value) for value in numbers] == ["0", "−0.123", "1.23e+03", "−∞"]


def test_maps_bars_matrices_and_curves_hold_their_numbers():
    weights = np.array([[1.0, 0.0], [0.25, 0.75]])
    drawn_map = tinted_map_figure(weights, QUERY, x="key", y="query", rows=["a", "b"], columns=["a", "b"]).data[0]
    np.testing.assert_array_equal(drawn_map.z, weights)
    assert (drawn_map.zmin, drawn_map.zmax) == (0, 1)
    bars = token_bars_figure(weights[1], ["a", "b"], QUERY, x="query", y="distance")
    assert list(bars.data[0].y) == [0.25, 0.75]
    # A flat bar has no place of its own: its column answers.
    assert bars.layout.hovermode == "x"
    assert tinted_map_figure(-weights, QUERY, x="dimension", y="position", signed=True).data[0].zmax == 1
    curves = distance_figure(np.arange(2), weights, ["head 0", "head 1"], y="bias").data
    assert [list(curve.y) for curve in curves] == [[1.0, 0.0], [0.25, 0.75]]


def test_a_template_serves_a_row_and_each_cell_brings_its_own_numbers():
    text = HoverText(
        template="q[{column}] = {value} = {0} · {1:d}", numbers=np.array([[1 / 3, 2.0], [3.0, 4.0]]), token="5%<b>"
    )
    row = rows_figure([np.array([1.0, 12.0])], ["q"], [text], [QUERY], x="dimension").data[0]
    sentence = "q[%{x}] = %{z:.3~g} = %{customdata[0]:.3~g} · %{customdata[1]}<extra></extra>"
    assert row.hovertemplate == f"5&#37;&lt;b&gt;: {sentence}"
    np.testing.assert_allclose(row.customdata, [[[0.33333, 2.0], [3.0, 4.0]]])
    assert row.hovertext is None


def test_a_template_is_filled_in_where_each_cell_has_a_token_of_its_own():
    text = HoverText(template="{value}<br>= s[{column}] = {0} + q[{1:d}]", numbers=np.array([[0.25, 7.0], [1, 8]]))
    assert text.texts(np.array([-np.inf, 2.0]), [4, 6], ["a", "<b>"]) == (
        "a: −∞<br>= s[4] = 0.25 + q[7]",
        "&lt;b&gt;: 2<br>= s[6] = 1 + q[8]",
    )
