"""What a prediction's chart holds: exact values at exact places, and no markup from a token."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.charts.generate import (
    TreeNode,
    distribution_figure,
    lens_figure,
    spread_ranks,
    surprisal_figure,
    tree_figure,
    tree_height,
)
from playground.charts.layout import token_label


@given(st.text(max_size=30))
def test_no_token_becomes_markup(text):
    assert "<" not in token_label(text)


@given(st.integers(1, 300_000))
def test_ranks_rise_from_the_first_to_the_last(count):
    ranks = spread_ranks(count)
    assert (ranks[0], ranks[-1]) == (0, count - 1)
    assert (np.diff(ranks) > 0).all()


def test_a_distribution_is_drawn_by_rank_with_a_gap_where_it_is_filtered():
    model, sampled = np.array([0.1, 0.6, 0.3]), np.array([0.0, 2 / 3, 1 / 3])
    figure = distribution_figure(model, model, sampled)
    assert list(figure.data[0].x) == [1, 2, 3]
    assert list(figure.data[0].y) == [0.6, 0.3, 0.1]
    assert list(figure.data[2].y) == [2 / 3, 1 / 3, None]


@pytest.mark.parametrize(("in_bits", "unit", "scale"), [(False, "nats", np.log(2)), (True, "bits", 1.0)])
def test_surprisal_is_in_nats_or_in_bits(in_bits, unit, scale):
    values = np.array([np.nan, np.log(8)]), np.array([np.nan, np.log(2)])
    figure = surprisal_figure(["a", "b"], *values, in_bits=in_bits)
    assert figure.layout.yaxis.title.text == unit
    assert figure.data[0].y[0] is None
    assert figure.data[0].y[1] == pytest.approx(3 * scale)
    assert figure.data[1].y[1] == pytest.approx(scale)


def test_the_lens_names_each_cell_and_outlines_where_the_prediction_settles():
    top = [["x", "y"], ["a", "<i>"]]
    figure = lens_figure(
        ["the", " cat"], ["embedding", "1"], top, np.array([[0.1, 0.2], [0.8, 0.9]]), np.array([1, -1])
    )
    assert list(figure.data[1].text) == ["x", "y", "a", "&lt;i&gt;"]
    assert [(shape.x0, shape.y0) for shape in figure.layout.shapes] == [(-0.48, 0.52)]


def test_the_chosen_path_is_the_first_line_and_a_parent_stands_on_its_first_childs():
    nodes = [
        TreeNode(parent=-1, step=0, text="a", note="", state="kept"),
        TreeNode(parent=0, step=1, text="b", note="", state="kept"),
        TreeNode(parent=0, step=1, text="c", note="", state="pruned"),
        TreeNode(parent=-1, step=0, text="d", note="", state="kept"),
    ]
    figure = tree_figure(nodes, [0, 1], {"kept": "kept", "pruned": "pruned"})
    kept, pruned = figure.data[2:]
    assert list(kept.y) == [0.0, 0.0, -2.0]
    assert list(pruned.y) == [-1.0]
    assert list(figure.data[1].x) == [0, 0, 1, None, 1, 1, 2, None]
    other = tree_figure(nodes, [0, 2], {"kept": "kept", "pruned": "pruned"})
    assert list(other.data[3].y) == [0.0]
    assert list(other.data[2].y) == [0.0, -1.0, -2.0]


def test_a_last_tokens_name_stands_right_of_it_where_no_other_is():
    nodes = [
        TreeNode(parent=-1, step=0, text="a", note="", state="generated"),
        TreeNode(parent=0, step=1, text="b", note="", state="generated"),
        TreeNode(parent=0, step=1, text="c", note="", state="generated"),
    ]
    figure = tree_figure(nodes, [0, 1], {"generated": "token"})
    assert list(figure.data[-1].textposition) == ["top center", "middle right", "middle right"]
    assert figure.layout.xaxis.range[1] > 2.5
    # Above the first line there is room for a name.
    assert figure.layout.yaxis.range[1] == 1.0
    assert figure.data[-1].cliponaxis is False


def test_a_trees_lines_are_apart_and_a_crowded_one_names_only_its_path():
    few = [TreeNode(parent=-1, step=0, text=f"word {index}", note="p", state="kept") for index in range(3)]
    assert tree_height(few) == 160 + 3 * 24
    figure = tree_figure(few, [1], {"kept": "kept"})
    assert list(figure.data[-1].text) == ["word 0", "word 1", "word 2"]
    assert figure.data[-1].meta == {"columns": 2, "least": 60}
    many = [TreeNode(parent=-1, step=0, text=f"word {index}", note="p", state="kept") for index in range(200)]
    assert tree_height(many) == 2400
    crowded = tree_figure(many, [1], {"kept": "kept"}).data[-1]
    assert [text for text in crowded.text if text] == ["word 1"]
    assert crowded.customdata[7] == "word 7: p"
