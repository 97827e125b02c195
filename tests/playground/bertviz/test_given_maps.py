"""BertViz's arguments: what is drawn is what was given, and what does not fit is refused in a sentence."""

import inspect

import bertviz
import numpy as np
import pytest
import torch
from bertviz.neuron_view import show as bertviz_show

from playground.bertviz import head_view, model_view, neuron_view
from playground.bertviz.given_maps import given_maps
from playground.errors import UserError
from playground.lens.inspect.head_scores import score_heads
from tests.helpers.placed_payloads import exact_maps, framed, payloads


def attention(layers, heads, queries, keys=None, *, causal=False):
    scores = 3 * torch.randn(layers, 1, heads, queries, keys or queries, generator=torch.Generator().manual_seed(0))
    if causal:
        scores = scores.masked_fill(torch.ones(queries, queries).triu(1).bool(), -torch.inf)
    return tuple(scores.softmax(-1))


WORDS = ["[CLS]", "the", "Ġcat", "▁sat", "[SEP]", "the", "dog</w>", "[SEP]"]


@pytest.mark.parametrize(
    ("ours", "theirs"), [(head_view, bertviz.head_view), (model_view, bertviz.model_view), (neuron_view, bertviz_show)]
)
def test_the_arguments_are_bertvizs(ours, theirs):
    def shape(function):
        return [(one.name, one.default) for one in inspect.signature(function).parameters.values()]

    assert shape(ours) == shape(theirs)


def test_every_head_is_the_given_one():
    given = attention(2, 3, 8)
    page = framed(model_view(given, WORDS, html_action="return").data)
    maps = exact_maps(page)
    assert len(maps) == 6
    for (_name, layer, head), shown in maps.items():
        np.testing.assert_array_equal(shown, given[layer][0, head].numpy())
    header = payloads(page)[0][0]
    assert [token[0] for token in header["queryTokens"]] == [
        "[CLS]",
        "the",
        " cat",
        " sat",
        "[SEP]",
        "the",
        "dog",
        "[SEP]",
    ]
    assert [token[1] for token in header["queryTokens"]] == [1, 0, 0, 0, 1, 0, 0, 1]


def test_included_layers_and_heads_keep_their_numbers():
    given = attention(4, 6, 8)
    page = framed(model_view(given, WORDS, include_layers=[1, 3], include_heads=[0, 5], html_action="return").data)
    header = payloads(page)[0][0]
    assert (header["blocks"], header["headNumbers"]) == ([1, 3], [0, 5])
    np.testing.assert_array_equal(exact_maps(page)["view.encoder", 3, 1], given[3][0, 5].numpy())


def test_the_head_view_opens_what_was_asked_for():
    given = attention(3, 4, 8)
    one = payloads(framed(head_view(given, WORDS, layer=2, heads=[3], html_action="return").data))[0][0]["initial"]
    assert one["selected"] == {"layer": 2, "head": 3, "combine": "head"}
    assert (one["settings"]["view"], one["settings"]["filter"]) == ("arcs", "")
    all_of_them = payloads(framed(head_view(given, WORDS, html_action="return").data))[0][0]["initial"]
    assert all_of_them["selected"]["combine"] == "layer mean"
    page = head_view(given, WORDS, layer=2, heads=[1, 3], include_layers=[0, 2], html_action="return").data
    several = payloads(framed(page))[0][0]["initial"]
    assert several["selected"] == {"layer": 2, "head": 1, "combine": "head"}
    assert several["settings"]["filter"] == "layer = 2 and (head = 1 or head = 3)"


def test_a_pair_is_known_by_its_second_sentence():
    header = payloads(framed(head_view(attention(1, 1, 8), WORDS, 5, html_action="return").data))[0][0]
    assert [token[2] for token in header["queryTokens"]] == [0, 0, 0, 0, 0, 1, 1, 1]


def test_an_encoder_decoder_has_three_kinds():
    page = framed(
        model_view(
            encoder_attention=attention(2, 2, 3),
            decoder_attention=attention(2, 2, 2, causal=True),
            cross_attention=attention(2, 2, 2, 3),
            encoder_tokens=["a", "b", "c"],
            decoder_tokens=["x", "y"],
            html_action="return",
        ).data
    )
    grids = [header for header, _arrays in payloads(page) if header["kind"] == "grid"]
    assert [grid["site"] for grid in grids] == ["encoder", "decoder", "cross"]
    assert (grids[2]["rows"], grids[2]["columns"]) == (2, 3)
    assert page.count('type="radio"') == 3


def test_causal_maps_are_a_decoders_and_equal_tokens_one_token():
    given = given_maps(attention(1, 2, 4, causal=True), ["a", "b", "a", "b"], ["a", "b", "a", "b"])
    assert given.kind == "decoder"
    assert [token.id for token in given.queries] == [0, 1, 0, 1]
    # By hand: induction reads, at the second a, the weight on the first b.
    scores = score_heads(list(given.sites), [0, 1, 0, 1])["induction"]
    maps = given.sites[0].maps
    assert scores[0] == pytest.approx(((maps[:, 2, 1] + maps[:, 3, 2]) / 2).numpy())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "at least one attention"),
        ({"attention": attention(1, 1, 8)}, "tokens is required"),
        ({"attention": attention(1, 1, 8), "tokens": WORDS[:3]}, "8 by 8, but there are 3 by 3 tokens"),
        (
            {"attention": [torch.ones(3, 3)], "tokens": ["a", "b", "c"]},
            "output_attentions=True and attn_implementation",
        ),
        ({"attention": [None], "tokens": ["a"]}, "output_attentions=True and attn_implementation"),
        ({"attention": [], "tokens": ["a"]}, "no layers. Give outputs.attentions"),
        ({"attention": attention(1, 1, 0), "tokens": []}, "no tokens"),
        ({"attention": attention(1, 1, 2) + attention(1, 2, 2), "tokens": ["a", "b"]}, "different numbers of heads"),
        ({"attention": attention(1, 1, 8), "tokens": WORDS, "include_layers": [4]}, "there is no 4; choose 0 to 0"),
        ({"attention": attention(1, 1, 8), "tokens": WORDS, "sentence_b_start": 9}, "1 to 7"),
        ({"attention": attention(1, 1, 8), "tokens": WORDS, "encoder_tokens": ["a"]}, "or the parts of an"),
        ({"cross_attention": attention(1, 1, 2, 3), "decoder_tokens": ["a", "b"]}, "encoder_tokens is required"),
        ({"attention": attention(1, 1, 8), "tokens": WORDS, "html_action": "print"}, "choose view or return"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    for view in (head_view, model_view):
        with pytest.raises(UserError, match=message):
            view(**arguments)


def test_a_layer_or_head_that_is_not_there_is_refused():
    with pytest.raises(UserError, match="not among"):
        head_view(attention(2, 1, 8), WORDS, layer=5)
    with pytest.raises(UserError, match="no head 7; choose 0 to 1"):
        head_view(attention(2, 2, 8), WORDS, heads=[7])


class Neurons:
    """Answers as BertViz's models do."""

    def eval(self):
        pass

    def __call__(self, ids):
        count = ids.shape[1]
        vectors = torch.arange(2 * count * 4.0).reshape(1, 2, count, 4) / 7
        maps = attention(1, 2, count, causal=True)[0]
        return None, [{"attn": maps, "queries": vectors, "keys": -vectors}] * 3


class Spaces:
    """A tokenizer that cuts at spaces."""

    cls_token = sep_token = ""

    def tokenize(self, text):
        return text.split()

    def convert_tokens_to_ids(self, tokens):
        return list(range(len(tokens)))


def test_the_neuron_view_needs_no_network():
    page = framed(neuron_view(Neurons(), "gpt2", Spaces(), "the cat sat", html_action="return").data)
    assert "cdnjs" not in page
    assert '"include_layers":[0,1,2]' in page
    assert '"bidirectional":false' in page
    assert "0.571" in page  # 4 / 7 with the three decimals that a colour can show


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((Neurons(), "gpt2", Spaces(), "word " * 200), "at most 150 tokens, not 200"),
        ((Neurons(), "t5", Spaces(), "a b"), "BertViz refuses this: Invalid model type"),
        ((lambda ids: (attention(1, 1, 2),), "gpt2", Spaces(), "a b"), "does not report queries and keys"),
    ],
)
def test_what_the_neuron_view_cannot_draw_is_refused(arguments, message):
    if not hasattr(arguments[0], "eval"):
        model = Neurons()
        model.__class__ = type("Plain", (Neurons,), {"__call__": lambda self, ids: (attention(1, 1, 2),)})
        arguments = (model, *arguments[1:])
    with pytest.raises(UserError, match=message):
        neuron_view(*arguments)
