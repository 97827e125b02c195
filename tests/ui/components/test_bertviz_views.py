"""BertViz's documents: what they hold, how large they may be, and that no token can become markup."""

import base64
import hashlib
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from playground.errors import UserError
from playground.lens import trace
from playground.viewer.bertviz_views import packaged
from playground.viewer.bertviz_views.budget import SHAPES
from tests.helpers.families import small_model
from ui.components.bertviz_views import (
    bertviz_document,
    budget_of,
    document_of,
    neuron_document,
    neuron_supported,
    source_of,
    within_budget,
)

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>",
    "; // HACK: PYTHON_PARAMS",
    "const params = {",
    '"\\',
    "\u2028\n",
    "Ġ▁</w>",
    "&lt;",
)


def maps(layers, heads, queries, keys=None, *, causal=False, seed=0):
    keys = queries if keys is None else keys
    scores = 3 * np.random.default_rng(seed).normal(size=(layers, heads, queries, keys))
    if causal:
        scores = np.where(np.tri(queries, keys, dtype=bool), scores, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return (weights / weights.sum(-1, keepdims=True)).astype(np.float32)


def words(count):
    return [f"word{index}" for index in range(count)]


def scripts(document):
    return re.findall(r"<script>(.*?)</script>", document, re.DOTALL)


def parameters(document):
    script = scripts(document)[1]
    start = re.search(r"(const params|window\.bertviz_params) = ", script)
    return json.JSONDecoder().raw_decode(script, start.end())[0]


def held_maps(block, keys):
    """The maps of a block, with the zeros that the model view leaves out at the end of a row."""
    return np.array([[[row + [0] * (keys - len(row)) for row in head] for head in layer] for layer in block["attn"]])


@pytest.mark.parametrize("view", ["head", "model"])
def test_the_document_holds_the_weights_once(view):
    weights = maps(2, 3, 5)
    document = bertviz_document(view, {"encoder": weights}, query_tokens=words(5))
    held = parameters(document)
    assert len(held["attention"]) == 1
    np.testing.assert_allclose(held_maps(held["attention"][0], 5), weights, atol=5.01e-5)
    assert document.count('"word3"') == 2  # on the left and on the right
    assert "PYTHON_PARAMS" not in document


def test_causal_zeros_are_left_out_of_the_model_view_only():
    weights = maps(1, 2, 6, causal=True)
    model = parameters(bertviz_document("model", {"decoder": weights}, query_tokens=words(6)))
    head = parameters(bertviz_document("head", {"decoder": weights}, query_tokens=words(6)))
    for row, kept in enumerate(model["attention"][0]["attn"][0][1]):
        assert len(kept) <= row + 1
        np.testing.assert_allclose(kept, weights[0, 1, row, : len(kept)], atol=5.01e-5)
        assert np.all(weights[0, 1, row, len(kept) :] < 5.01e-5)
    assert {len(row) for row in head["attention"][0]["attn"][0][1]} == {6}


def test_layers_and_heads_keep_their_numbers():
    document = bertviz_document(
        "model", {"decoder": maps(2, 2, 4)}, query_tokens=words(4), layers=[7, 9], heads=[1, 5], dark=True
    )
    held = parameters(document)
    assert (held["include_layers"], held["include_heads"]) == ([7, 9], [1, 5])
    assert held["display_mode"] == "dark"
    assert 'class="dark"' in document


def test_a_sentence_pair_can_be_filtered():
    weights = maps(1, 2, 7)
    held = parameters(bertviz_document("head", {"encoder": weights}, query_tokens=words(7), sentence_b_start=3))
    by_name = {block["name"]: block for block in held["attention"]}
    across = by_name["Sentence A -> Sentence B"]
    assert (across["left_text"], across["right_text"]) == (words(7)[:3], words(7)[3:])
    np.testing.assert_allclose(across["attn"], weights[:, :, :3, 3:], atol=5.01e-5)


def test_an_encoder_decoder_shows_all_three_kinds():
    attention = {"encoder": maps(2, 2, 4), "decoder": maps(2, 2, 3, causal=True), "cross": maps(2, 2, 3, 4)}
    document = bertviz_document("head", attention, query_tokens=["x", "y", "z"], key_tokens=words(4))
    held = {block["name"]: block for block in parameters(document)["attention"]}
    assert set(held) == {"Encoder", "Decoder", "Cross"}
    assert (held["Cross"]["left_text"], held["Cross"]["right_text"]) == (["x", "y", "z"], words(4))
    np.testing.assert_allclose(held["Cross"]["attn"], attention["cross"], atol=5.01e-5)


def test_cross_attention_alone_keeps_both_texts():
    document = bertviz_document("model", {"cross": maps(1, 2, 3, 4)}, query_tokens=["x", "y", "z"], key_tokens=words(4))
    (block,) = parameters(document)["attention"]
    assert (block["left_text"], block["right_text"]) == (["x", "y", "z"], words(4))


def test_kinds_of_different_depth_are_refused():
    attention = {"encoder": maps(2, 2, 4), "decoder": maps(1, 2, 4)}
    with pytest.raises(UserError, match="choose one kind"):
        bertviz_document("head", attention, query_tokens=words(4))


def documents(tokens):
    weights = maps(1, 2, len(tokens))
    vectors = np.random.default_rng(1).normal(size=(2, 1, 2, len(tokens), 4))
    return {
        "head": bertviz_document("head", {"encoder": weights}, query_tokens=tokens, sentence_b_start=2),
        "model": bertviz_document("model", {"encoder": weights}, query_tokens=tokens),
        "neuron": neuron_document(weights, vectors[0], vectors[1], tokens=tokens, causal=False),
    }


@pytest.mark.parametrize("view", ["head", "model", "neuron"])
def test_no_token_becomes_markup(view):
    document = documents(HOSTILE)[view]
    held = parameters(document)["attention"]
    shown = (held["all"] if view == "neuron" else held[0])["left_text"]
    # The neuron view reads these two marks of a tokenizer as spaces, whoever wrote them.
    assert shown == [token.replace("Ġ", " ").replace("▁", " ") if view == "neuron" else token for token in HOSTILE]
    assert "<img" not in document
    assert document.count("</script") == 2
    assert "<!--" not in document
    data = next(line for line in scripts(document)[1].splitlines() if "root_div_id" in line and "{" in line)
    assert "alert(1)" in data
    assert "<" not in data


@pytest.mark.parametrize("view", ["head", "model", "neuron"])
def test_the_document_loads_nothing_and_runs_only_its_two_scripts(view):
    document = documents(words(4))[view]
    assert "cdnjs" not in document
    assert not re.search(r"<(link|img|iframe|script)\b[^>]*\b(src|href)=", document.replace(scripts(document)[0], ""))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', document)[1]
    assert policy.startswith("default-src 'none'; ")
    wanted = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts(document)]
    assert re.findall(r"'sha256-([^']*)'", policy) == wanted
    assert "unsafe-inline" not in policy.split("script-src")[1]


@pytest.mark.parametrize("view", ["head", "model", "neuron"])
def test_the_same_maps_give_the_same_document(view):
    assert documents(words(4))[view] == documents(words(4))[view]


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(packaged, "LIBRARIES", (("no-such-distribution", "x.js"),))
    packaged.libraries.cache_clear()
    with pytest.raises(UserError, match="pip install no-such-distribution"):
        packaged.libraries()
    packaged.libraries.cache_clear()


# The budget.


def test_a_short_text_is_shown_whole():
    budget = within_budget("model", 12, 12, 32)
    assert budget.is_complete
    assert budget.sentence == ""


def test_layers_go_before_tokens():
    budget = within_budget("model", 12, 12, 64)
    assert (budget.layers, budget.tokens) == (3, 64)
    assert "3 of 12 layers" in budget.sentence
    assert "tokens;" in budget.sentence
    assert "first" not in budget.sentence
    assert within_budget("model", 12, 12, 64, causal=True).layers == 6


def test_a_long_text_loses_tokens_too():
    budget = within_budget("model", 30, 9, 2048)
    assert (budget.layers, budget.tokens) == (1, 129)
    assert "1 of 30 layers" in budget.sentence
    assert "the first 129 of 2048 tokens" in budget.sentence


def test_one_layer_alone_is_cut_by_tokens_only():
    assert within_budget("head", 1, 12, 500).sentence.endswith("holds the first 111 of 500 tokens.")


@given(
    view=st.sampled_from(["head", "model", "neuron"]),
    layers=st.integers(1, 100),
    heads=st.integers(1, 128),
    tokens=st.integers(1, 2048),
    maps=st.integers(1, 3),
    causal=st.booleans(),
    width=st.integers(1, 256),
)
def test_the_budget_is_kept_and_no_smaller_than_needed(view, layers, heads, tokens, maps, causal, width):
    budget = within_budget(view, layers, heads, tokens, maps=maps, causal=causal, width=width)
    assert 1 <= budget.layers <= layers
    assert 1 <= budget.tokens <= tokens
    assert budget.shapes <= SHAPES
    assert budget.bytes <= 5_000_000
    if budget.tokens < tokens:
        more = within_budget(view, 1, heads, budget.tokens + 1, maps=maps, causal=causal, width=width)
        assert more.tokens == budget.tokens


@pytest.mark.parametrize(("view", "causal"), [("head", False), ("model", False), ("model", True)])
def test_a_document_is_no_larger_than_its_budget_says(view, causal):
    budget = within_budget(view, 6, 8, 48, causal=causal)
    weights = maps(budget.layers, 8, budget.tokens, causal=causal)
    document = bertviz_document(view, {"decoder": weights}, query_tokens=words(budget.tokens))
    assert 0.7 * budget.bytes < len(document) <= budget.bytes


# Traces.


@pytest.mark.parametrize(
    ("family", "kind", "supported"),
    [
        ("gpt2", "decoder", True),
        ("llama", "decoder", True),
        ("bert", "encoder", True),
        ("roberta", "encoder", True),
        ("bart", "encoder", True),
        ("bart", "cross", False),
        ("t5", "encoder", False),
        ("gemma2", "decoder", False),
        ("gpt_oss", "decoder", False),
    ],
)
def test_the_neuron_view_says_where_it_would_be_wrong(family, kind, supported):
    traced = trace(small_model(family), "A cat sat.")
    support = neuron_supported(traced, kind)
    assert bool(support) is supported
    assert support.reason.endswith(".") is not supported
    if supported:
        source = source_of(traced, kind)
        queries, keys = source.vectors([0, 1], 6)
        scores = queries @ keys.swapaxes(-1, -2) / np.sqrt(source.width)
        if source.causal:
            scores = np.where(np.tri(6, dtype=bool), scores, -np.inf)
        else:
            queries, keys = source.vectors([0, 1], 99)
            scores = queries @ keys.swapaxes(-1, -2) / np.sqrt(source.width)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        np.testing.assert_allclose(source.maps([0, 1], 6), weights[:, :, :6, :6], atol=1e-5)


def test_the_neuron_document_holds_what_was_captured():
    source = source_of(trace(small_model("qwen3"), "A cat sat."), "decoder")
    queries, keys = source.vectors([1], 5)
    held = parameters(document_of("neuron", [source], [1], 5, True))
    assert held["attention"]["all"]["left_text"] == list(source.query_tokens[:5])
    np.testing.assert_allclose(held["attention"]["all"]["queries"], queries, atol=5.01e-4)
    np.testing.assert_allclose(held["attention"]["all"]["keys"], keys, atol=5.01e-4)
    assert (held["bidirectional"], held["include_layers"]) == (False, [1])


def test_the_documents_maps_are_the_traces():
    traced = trace(small_model("bert"), "A cat sat.")
    held = parameters(document_of("head", [source_of(traced, "encoder")], [1], 4, False))
    np.testing.assert_allclose(held["attention"][0]["attn"][0][2], traced.attention(1, 2)[:4, :4], atol=5.01e-5)
    assert held["include_layers"] == [1]


def test_the_second_sentence_starts_where_the_trace_says():
    traced = trace(small_model("bert"), "A cat.", pair="A mat!")
    source = source_of(traced, "encoder")
    assert source.query_tokens[source.sentence_b_start :] == tuple("A␣mat!")
    assert budget_of("head", [source]).bytes > budget_of("neuron", [source]).bytes - 1_000_000


def page():
    import streamlit as st

    from playground.lens import trace
    from tests.helpers.families import small_model
    from ui.components.bertviz_views import show_bertviz, source_of

    length = st.number_input("length", 1, 60, 60)
    source = source_of(trace(small_model("bert"), "a" * int(length)), "encoder")
    drawn_layers = []

    def document(view, sources, layers, tokens, dark):
        drawn_layers.append(tuple(layers))
        return f"<p>{view} {layers} {tokens} {dark}</p>"

    st.session_state.budget = show_bertviz("model", [source], key="layers", document=document)
    st.session_state.drawn_layers = drawn_layers


def choosing():
    import streamlit as st

    from playground.viewer.bertviz_views.budget import within_budget
    from ui.components.bertviz_views.show import _first_layer

    tokens = st.number_input("tokens", 1, 200, 64)
    st.session_state.first = _first_layer(within_budget("model", 12, 12, int(tokens)), range(12), "layers")


def test_a_choice_that_is_gone_falls_back_to_the_first_layers():
    app = AppTest.from_function(choosing).run()
    app.selectbox(key="layers").select(9).run()
    assert app.session_state["first"] == 9
    app.number_input[0].set_value(45).run()  # 6 layers at a time: 0 and 6
    assert not app.exception
    assert app.session_state["first"] == 0


def test_the_page_leafs_through_the_layers(monkeypatch):
    monkeypatch.setattr("playground.viewer.bertviz_views.budget.SHAPES", 4 * 60 * 60)
    app = AppTest.from_function(page).run()
    assert not app.exception
    assert "1 of 2 layers" in app.caption[0].value
    assert app.session_state["drawn_layers"] == [(0,)]
    app.selectbox(key="layers").select(1).run()
    assert app.session_state["drawn_layers"] == [(1,)]
    app.number_input[0].set_value(10).run()
    assert not app.selectbox
    assert not app.caption
    assert app.session_state["drawn_layers"] == [(0, 1)]
    app.number_input[0].set_value(60).run()
    assert not app.exception
    assert app.session_state["drawn_layers"] in ([(0,)], [(1,)])
