"""Exports of a map: CSV, NPZ, and a snippet that computes the same numbers."""

import csv
import io
import json

import numpy as np
import pytest

from playground.attention_export import SelectedMap, cells_at, head_csv, head_npz, shown_words, snippet
from playground.errors import UserError
from playground.lens import trace
from playground.lens.inspect.attention_view import ViewOptions
from playground.lens.inspect.chosen_tokens import ChosenTokens
from playground.models import load
from tests.helpers.families import small_model

SELECTED = SelectedMap(options=ViewOptions(kind="decoder"), layer=1, head=2)


@pytest.fixture(scope="module")
def traced():
    return trace(small_model("gpt2"), "=abc, a")


def test_csv_holds_the_map_and_where_it_comes_from(traced):
    text = head_csv(traced, SELECTED)
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert "# model: small-gpt2" in comments
    assert any(line.startswith("# transformers: ") for line in comments)
    rows = list(csv.reader(io.StringIO("\n".join(text.splitlines()[len(comments) :]))))
    numbers = np.array([[float(value) for value in row[1:]] for row in rows[1:]])
    assert np.array_equal(numbers.astype(np.float32), traced.attention(1, 2))


def test_a_token_that_looks_like_a_formula_is_quoted(traced):
    assert "'=" in head_csv(traced, SELECTED)


def test_npz_holds_every_map_and_the_provenance(traced):
    with np.load(io.BytesIO(head_npz(traced, SELECTED)), allow_pickle=False) as arrays:
        assert np.array_equal(arrays["weights"], traced.attention(1, 2))
        assert np.array_equal(arrays["all_heads"][0, 3], traced.attention(0, 3))
        assert list(arrays["query_tokens"]) == traced.tokens
        assert json.loads(str(arrays["provenance"]))["shown"] == "head 1.2, head"


def test_hidden_tokens_leave_the_others_their_positions():
    """The start token stands at 0."""
    hidden = trace(load("books-decoder"), "The cat sat")
    options = ViewOptions(kind="decoder", hide_special=True)
    shown = [1, 2, 3]
    selected = SelectedMap(options=options, layer=1, head=2)
    with np.load(io.BytesIO(head_npz(hidden, selected)), allow_pickle=False) as arrays:
        assert arrays["query_positions"].tolist() == shown
    assert f"# key positions: {' '.join(map(str, shown))}" in head_csv(hidden, selected).splitlines()


def test_the_snippet_runs_and_computes_the_same_map(traced, monkeypatch):
    import plotly.graph_objects

    import playground

    monkeypatch.setattr(playground, "load", lambda *_, **__: small_model("gpt2"), raising=False)
    monkeypatch.setattr(plotly.graph_objects.Figure, "show", lambda self: None)
    names: dict[str, object] = {}
    exec(snippet(traced, SELECTED, text="=abc, a"), names)
    assert np.array_equal(names["weights"], traced.attention(1, 2))
    assert list(names["figure"].layout.xaxis.ticktext) == traced.tokens


@pytest.fixture(scope="module")
def pieces():
    """A text whose words have several pieces, behind a start token."""
    return trace(load("books-decoder"), "The rugged harbour, the rug")


def table(text):
    """The rows of a CSV without its comments: titles, and numbers."""
    rows = list(csv.reader(io.StringIO("\n".join(line for line in text.splitlines() if not line.startswith("#")))))
    numbers = np.array([[float(value) for value in row[1:]] for row in rows[1:]])
    return [row[0] for row in rows[1:]], rows[0][1:], numbers


def test_words_sum_their_key_pieces_and_average_their_query_pieces(pieces):
    selected = SelectedMap(options=ViewOptions(kind="decoder"), layer=1, head=2, by_word=True)
    queries, keys, numbers = table(head_csv(pieces, selected))
    assert queries == keys == ["<|start|>", "The", "rugged", "harbour", ",", "the", "rug"]
    assert numbers.sum(1) == pytest.approx(np.ones(7), abs=1e-6), "rows still sum to 1"
    words = shown_words(pieces, selected)[0]
    exact = pieces.attention(1, 2)
    query, key = words[3].positions, words[2].positions
    assert len(key) > 1 < len(query)
    assert numbers[3, 2] == pytest.approx(exact[np.ix_(query, key)].sum(1).mean(), abs=1e-7)


@pytest.mark.parametrize(("axis", "gather"), [("query", "mean"), ("key", "sum"), ("key", "mean"), ("query", "sum")])
@pytest.mark.parametrize("by_word", [False, True])
def test_chosen_tokens_are_put_together_in_table_archive_and_python(pieces, axis, gather, by_word, monkeypatch):
    import plotly.graph_objects

    monkeypatch.setattr(plotly.graph_objects.Figure, "show", lambda self: None)
    options = ViewOptions(kind="decoder", hide_special=True)
    plain = SelectedMap(options=options, layer=1, head=2, by_word=by_word)
    cells = cells_at(pieces, plain, axis, [1, 6, 0, 99])
    assert len(cells) == 2, "the start token at 0 is hidden, and there is no 99"
    chosen = ChosenTokens(axis=axis, cells=cells, gather=gather)
    selected = SelectedMap(options=options, layer=1, head=2, by_word=by_word, chosen=chosen)
    along = 0 if axis == "query" else 1
    queries, keys, numbers = table(head_csv(pieces, selected))
    assert (queries if axis == "query" else keys)[-1].startswith(
        f"{gather} of {'queries' if along == 0 else 'keys'} 1 "
    )
    whole, extra = np.split(numbers, [-1], axis=along)
    assert extra.ravel() == pytest.approx(getattr(whole.take(cells, axis=along), gather)(along), abs=1e-6)
    with np.load(io.BytesIO(head_npz(pieces, selected)), allow_pickle=False) as arrays:
        assert arrays["gathered"] == pytest.approx(extra.ravel(), abs=1e-6)
    names: dict[str, object] = {}
    exec(snippet(pieces, selected, text="The rugged harbour, the rug"), names)
    assert np.asarray(names["gathered"]) == pytest.approx(extra.ravel(), abs=1e-6)


def test_no_token_and_one_that_is_not_there_are_refused():
    with pytest.raises(UserError, match="No token is chosen"):
        ChosenTokens(axis="query", cells=(), gather="sum")
    with pytest.raises(UserError, match="There is no token 5; choose 0 to 2"):
        ChosenTokens(axis="key", cells=(0, 5), gather="sum").gathered(np.eye(3))
