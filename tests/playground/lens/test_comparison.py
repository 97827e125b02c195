"""Words aligned across texts and vocabularies, attention between words, and divergences worked out by hand."""

import math

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from playground.lens.capture.tokens import Token
from playground.lens.capture.words import Word, word_maps, words_of
from playground.lens.comparison import (
    align_tokens,
    align_traces,
    align_words,
    closest_heads,
    differing_heads,
    divergences,
)
from playground.lens.inspect.attention_view import ViewOptions
from playground.lens.trace import trace
from playground.models.loading import load


def tokens(*texts: str) -> list[Token]:
    return [Token(id=index, text=text, special=text.startswith(("<|", "["))) for index, text in enumerate(texts)]


def spelled(words) -> list[tuple[str, tuple[int, ...]]]:
    return [(word.text, word.positions) for word in words]


def test_tokens_become_words():
    found = words_of(tokens("<|start|>", "The", " cat", "alogue", ",", " r", "ug", "."))
    assert spelled(found) == [
        ("The", (1,)),
        ("catalogue", (2, 3)),
        (",", (4,)),
        ("rug", (5, 6)),
        (".", (7,)),
    ]


def test_a_vocabulary_without_spaces_has_a_word_for_each_token():
    assert spelled(words_of(tokens("[CLS]", "walk", "##ing", "home", "[SEP]"))) == [("walking", (1, 2)), ("home", (3,))]
    assert spelled(words_of(tokens("K", "q", "K"))) == [("K", (0,)), ("q", (1,)), ("K", (2,))]


def test_a_token_that_spans_two_words_belongs_to_the_first():
    assert spelled(words_of(tokens("a b", " c."))) == [("a", (0,)), ("c", (1,))]


def test_words_are_aligned_across_vocabularies():
    """The same sentence in other pieces; the capital letter does not matter."""
    left = tokens("<|start|>", "The", " dog", " r", "an", ".")
    right = tokens("[CLS]", "the", "dog", "ran", ".", "[SEP]")
    aligned = align_words(left, right)
    assert [(a.text, b.text) for a, b in aligned.pairs] == [("The", "the"), ("dog", "dog"), ("ran", "ran"), (".", ".")]
    assert aligned.pairs[2][0].positions == (3, 4)
    assert aligned.left_out == ((), ())


def test_words_that_one_text_lacks_are_left_out_and_exchanged_ones_pair():
    aligned = align_words(tokens("the", " cat", " sat"), tokens("the", " very", " old", " cat", " lay"))
    assert [(a.text, b.text) for a, b in aligned.pairs] == [("the", "the"), ("cat", "cat"), ("sat", "lay")]
    assert [[word.text for word in side] for side in aligned.left_out] == [[], ["very", "old"]]


def test_texts_without_a_common_word_have_no_pairs():
    aligned = align_words(tokens("a", " b"), tokens("c", " d", " e"))
    assert aligned.pairs == ()
    assert [len(side) for side in aligned.left_out] == [2, 3]


def test_attention_to_a_word_is_a_sum_and_from_it_a_mean():
    weights = np.array([[[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.2, 0.3, 0.5]]])
    words = [Word(text="a", positions=(0,)), Word(text="b", positions=(1, 2))]
    assert word_maps(weights, words, words)[0] == pytest.approx(np.array([[1.0, 0.0], [0.35, 0.65]]))


def test_divergence_by_hand():
    """Rows (1, 0) and (0, 1) are ln 2 apart, equal rows 0; (1, 0) and (1/2, 1/2) by H(3/4, 1/4) - ln(2)/2."""
    left = np.array([[[1.0, 0.0], [0.5, 0.5]], [[1.0, 0.0], [1.0, 0.0]]])
    right = np.array([[[0.0, 1.0], [0.5, 0.5]], [[0.5, 0.5], [0.5, 0.5]]])
    mixed = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25)) - math.log(2) / 2
    assert divergences(left, right) == pytest.approx([math.log(2) / 2, mixed])


def test_attention_to_words_left_out_counts():
    """Half of the attention of the first goes to words that the second does not have."""
    left, right = np.array([[[0.5]]]), np.array([[[1.0]]])
    mixed = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25)) - math.log(2) / 2
    assert divergences(left, right) == pytest.approx([mixed])


def test_tokens_are_paired_by_position():
    aligned = align_tokens(tokens("[CLS]", "a"), tokens("[CLS]", "b"))
    assert [(a.text, b.text, a.positions) for a, b in aligned.pairs] == [("[CLS]", "[CLS]", (0,)), ("a", "b", (1,))]


def test_the_head_that_differs_most_is_named_beside_the_median():
    found = differing_heads(np.array([[0.1, 0.2], [0.3, 0.6]]), blocks=[0, 4])
    assert str(found) == (
        "Head 4.1 differs most between the texts, by 0.600 of at most 0.693 nats; the median of all heads is 0.250."
    )
    assert str(differing_heads(np.full((2, 2), 1e-5), blocks=[0, 1])) == "Every head reads both texts alike."
    assert differing_heads(np.full((1, 1), np.nan), blocks=[0]) is None


def rows_of(one, options, axes):
    """Each head's word map by its name, with what a row leaves of 1 as one more column."""
    found = {}
    for block, site in zip(one.block_numbers(options.kind), one.layers(options.kind), strict=True):
        for head in range(site.n_heads):
            rows = word_maps(site.pattern([head], slice(None)).numpy(), *axes)[0]
            found[f"{block}.{head}"] = np.column_stack([rows, np.clip(1 - rows.sum(-1), 0, None)])
    return found


def test_the_closest_heads_of_two_models_are_those_of_all_pairs():
    """Each pair of word maps by SciPy's distance, whose square is the divergence."""
    traces = tuple(trace(load(name), "The cat sat on the mat.") for name in ("books-decoder", "books-encoder"))
    options = tuple(ViewOptions(kind=one.kinds[0]) for one in traces)
    words = align_traces(traces, options)
    said = closest_heads(traces, options, words)
    left, right = (rows_of(traces[i], options[i], [[pair[i] for pair in axis.pairs] for axis in words]) for i in (0, 1))
    apart = {(a, b): np.mean(jensenshannon(left[a], right[b], axis=-1) ** 2) for a in left for b in right}
    closest = min(apart, key=apart.get)
    assert (said.values["left"], said.values["right"]) == closest
    assert said.values["smallest"] == pytest.approx(apart[closest], abs=1e-5)
    assert said.values["median"] == pytest.approx(np.median(list(apart.values())), abs=1e-5)


def test_the_closest_heads_are_not_looked_for_where_that_takes_long(monkeypatch):
    one = trace(load("books-decoder"), "The cat sat")
    options = (ViewOptions(kind=one.kinds[0]),) * 2
    words = align_traces((one, one), options)
    assert closest_heads((one, one), options, words).values["smallest"] == pytest.approx(0, abs=1e-9)
    monkeypatch.setattr("playground.lens.comparison.MOST_CELLS", 1)
    assert closest_heads((one, one), options, words) is None
