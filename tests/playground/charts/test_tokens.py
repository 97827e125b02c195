"""Charts of the page Tokens: every step, piece and token at its place, and no markup from a token."""

import numpy as np

from playground.charts.tokens import (
    language_figure,
    merge_figure,
    pieces_figure,
    projection_figure,
    word_levels_figure,
)


def test_merges_rise_above_what_they_join():
    figure = merge_figure(["l", "o", "<b>"], [(0, 2, "lo"), (0, 3, "lo<b>")], [1, 4])
    lines = figure.data[0]
    assert lines.x == (0, 0, 1, 1, None, 0.5, 0.5, 2, 2, None)
    assert lines.y == (0, 1, 1, 0, None, 1, 2, 2, 0, None)
    symbols, final, inner = figure.data[1:]
    assert symbols.text == ("l", "o", "&lt;b&gt;")
    assert (final.text, final.x, final.y) == (("lo&lt;b&gt;",), (1.25,), (2,))
    assert (inner.text, inner.customdata) == (("lo",), ("merge 1: lo",))
    assert figure.layout.yaxis.ticktext == ("1", "4")


def test_one_symbol_without_merges():
    figure = merge_figure(["a"], [], [])
    assert figure.data[1].text == ("a",)


def test_pieces_lie_over_their_characters_and_not_over_each_other():
    pieces = [(0, 2, "ab", "said"), (1, 2, "b", "<i>"), (0, 1, "a", ""), (2, 3, "c", "")]
    figure = pieces_figure("abc", pieces, [True, False, False, True], names=("best", "others"), in_order=False)
    best, others, names = figure.data
    assert (best.name, others.name) == ("best", "others")
    assert others.customdata == ("&lt;i&gt;", "")
    spans = {}
    for trace in (best, others):
        for base, width, row in zip(trace.base, trace.x, trace.y, strict=True):
            assert all(base >= end or base + width <= start for start, end in spans.get(row, []))
            spans.setdefault(row, []).append((base, base + width))
    assert sorted(names.x) == [0, 0.5, 1, 2]
    ordered = pieces_figure("abc", pieces, [True] * 4, names=("", ""), in_order=True)
    assert ordered.data[0].y == (0, 1, 2, 3)


def test_a_language_that_is_not_read_has_no_bar():
    figure = language_figure(["English", "Chinese"], {"a<b": [0.2, float("nan")], "other": [1.0, 2.0]})
    assert figure.data[0].x == (0.2, None)
    assert "a&lt;b" in figure.data[0].hovertemplate
    assert figure.layout.showlegend
    assert not language_figure(["English"], {"one": [0.2]}).layout.showlegend


def test_the_texts_tokens_are_named_and_the_others_are_points():
    points = np.arange(6.0).reshape(3, 2)
    figure = projection_figure(points, [" the", "<s>", "x"], 2, (0.25, 0.125))
    others, marked = figure.data
    assert marked.text == ("␣the", "&lt;s&gt;")
    assert others.text is None
    assert (list(marked.x), list(others.y)) == ([0.0, 2.0], [5.0])
    assert figure.layout.xaxis.title.text == "component 1 (25.0% of the variance)"


def test_levels_begin_at_the_embedding():
    figure = word_levels_figure({"texts 1 and 2": np.array([1.0, -0.5])}, np.array([np.nan, 0.2]))
    assert [trace.name for trace in figure.data] == ["texts 1 and 2", "other tokens, mean"]
    assert figure.data[0].x == (0, 1)
    assert figure.layout.yaxis.range[0] < -0.5
