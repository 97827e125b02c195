"""Exports of a map: CSV, NPZ, and a snippet that computes the same numbers."""

import csv
import io
import json

import numpy as np
import pytest

from playground.attention_export import SelectedMap, head_csv, head_npz, snippet
from playground.lens import trace
from playground.lens.inspect.attention_view import ViewOptions
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
        assert json.loads(str(arrays["provenance"]))["shown"] == "layer 1, head 2, head"


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
