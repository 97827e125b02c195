"""Heatmaps, bars and the charts of Take it apart: they hold their input, with zero in the middle of the scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from playground.charts.ablate import effects_figure, interaction_figure, ranking_figure
from playground.charts.bars import named_bars_figure
from playground.charts.heatmap import heatmap_figure


def heatmap(values: np.ndarray, *, signed: bool = True):
    rows, columns = (list(map(str, range(count))) for count in values.shape)
    return heatmap_figure(values, rows=rows, columns=columns, y="layer", x="head", meaning="nats", signed=signed)


@given(arrays.arrays(np.float64, (2, 3), elements=st.floats(-9, 9, width=16)))
def test_a_signed_map_has_zero_in_the_middle_of_its_scale(values):
    heat = heatmap(values).data[0]
    assert heat.zmin == -heat.zmax < 0
    most = np.abs(values).max()
    assert heat.zmax == (most if most > 1e-6 else 1.0)
    np.testing.assert_array_equal(np.array(heat.z, dtype=float), values)


def test_what_is_not_finite_stays_empty_and_does_not_stretch_the_scale():
    heat = heatmap(np.array([[1.0, np.inf], [np.nan, -2.0]])).data[0]
    assert heat.zmax == 2.0
    assert np.isnan(heat.z[0][1])
    assert np.isnan(heat.z[1][0])


def test_an_unsigned_map_begins_at_zero():
    assert heatmap(np.array([[0.25, 0.5]]), signed=False).data[0].zmin == 0.0


def test_each_cell_says_its_row_and_column():
    heat = heatmap(np.zeros((2, 3))).data[0]
    assert heat.hovertemplate.startswith("layer %{y}<br>head %{x}<br>nats %{z")
    assert (heat.y, heat.x) == (("0", "1"), ("0", "1", "2"))


def test_long_names_and_markup_are_shortened_on_the_axes_and_whole_in_the_files():
    names = ["0 <b>", "1 Rindfleischetikettierungsüberwachung", "2 猫坐在垫子上"]
    heat = heatmap_figure(np.zeros((3, 3)), rows=names, columns=names, y="query", x="key", meaning="weight").data[0]
    assert heat.x == ("0 &lt;b&gt;", "1 Rindfleischetiket…", "2 猫坐在垫子上")
    assert heat.meta == {"rows": names, "columns": names}
    bars = named_bars_figure(names, [1.0, 2.0, 3.0], x="share").data[0]
    assert (bars.y, bars.meta["rows"]) == (heat.x, names)


def test_rounding_is_not_drawn_in_full_colour():
    assert heatmap(np.array([[5e-8, -5e-8]])).data[0].zmax == 1.0


def test_a_map_of_one_row_has_room_for_the_words_beside_its_colours():
    figure = heatmap_figure(np.zeros((1, 3)), rows=["0"], columns=list("abc"), y="layer", x="token", meaning="m" * 20)
    assert figure.layout.height >= 240


def test_a_map_of_very_many_rows_stays_as_high_as_a_screen():
    names = list(map(str, range(256)))
    figure = heatmap_figure(np.zeros((256, 256)), rows=names, columns=names, y="query", x="key", meaning="weight")
    assert figure.layout.height < 900


def test_bars_that_take_away_have_another_colour():
    colours = named_bars_figure(["a", "b", "c"], [1.0, -1.0, 2.0], x="logits").data[0].marker.color
    assert colours[0] == colours[2] != colours[1]


@pytest.mark.parametrize(("joint", "rest"), [(3.0, 0.0), (5.0, 2.0), (1.0, -2.0)])
def test_the_interaction_is_what_the_sum_leaves_over(joint, rest):
    figure = interaction_figure(["a", "b"], [1.0, 2.0], joint, x="nats")
    lengths = {bar.y[0]: bar.x[0] for bar in figure.data[2:]}
    assert lengths == {"joint effect": joint, "interaction": rest}
    assert [bar.x[0] for bar in figure.data[:2]] == [1.0, 2.0]


def test_chance_stands_beside_each_score():
    figure = ranking_figure(["0.1", "0.2"], [0.9, 0.4], [0.2, 0.3], 0.35)
    assert list(figure.data[1].x) == [0.2, 0.3]
    assert figure.layout.shapes[-1].x0 == 0.35


def test_single_effects_have_a_column_for_each_head_and_each_larger_part_with_numbers_on_them():
    heads, parts = np.array([[0.1, 0.21], [0.0, 0.05]]), np.array([[1.0, np.nan, 4.9], [0.5, 0.25, 0.0]])
    figure = effects_figure(heads, parts, part_names=["attention", "MLP", "layer"], meaning="nats", signed=False)
    first, second, head_numbers, part_numbers = figure.data
    np.testing.assert_allclose(np.array(first.z, dtype=float)[:, :2], heads)
    assert np.isnan(np.array(first.z, dtype=float)[:, 2:]).all()
    np.testing.assert_allclose(np.array(second.z, dtype=float)[:, 2:], parts)
    assert (first.zmax, second.zmax) == (0.21, 4.9)
    assert first.meta["columns"] == ["0", "1", "attention", "MLP", "layer"]
    assert list(head_numbers.text) == ["0.10", "0.21", "0.00", "0.05"]
    assert list(part_numbers.text) == ["1.0", "4.9", "0.5", "0.2", "0.0"]
    assert list(part_numbers.x) == [2, 4, 2, 3, 4]
    assert head_numbers.meta == {"columns": 5}
    assert second.hovertext[1][3] == "layer 1: MLP"


def test_signed_effects_have_zero_in_the_middle_for_heads_and_for_parts():
    figure = effects_figure(
        np.array([[-2.0, 1.0]]), np.array([[5.0]]), part_names=["attention"], meaning="logits", signed=True
    )
    assert [(heat.zmin, heat.zmax) for heat in figure.data[:2]] == [(-2.0, 2.0), (-5.0, 5.0)]
    assert list(figure.data[2].text) == ["−2.0", "1.0"]
