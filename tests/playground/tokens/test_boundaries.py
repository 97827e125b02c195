"""Cuts that two tokenizers share."""

from dataclasses import replace

import pytest

from playground.errors import UserError
from playground.models import load
from playground.tokens.boundaries import compare_boundaries
from playground.tokens.tokenization import tokenize


def test_cuts_by_hand():
    words, letters = (tokenize(load(name), "the rug") for name in ("books-decoder", "induction"))
    assert [token.token.text for token in words.tokens] == ["<|start|>", "the", " r", "ug"]
    shared = compare_boundaries(words, letters)
    # Words cut behind "the" and " r"; letters behind t, h, e, (space), r and u.
    assert (shared.shared, shared.left, shared.right) == (2, 2, 5)
    assert shared.agreement == pytest.approx(2 / 5)
    assert shared.same[0] == (False, False, True, False)
    assert shared.same[1] == (False, False, False, False, False, True, False, False)


def test_tokens_of_spaces_are_the_same_where_both_have_them():
    cut = tokenize(load("books-decoder"), "cat 你")
    assert " " in [token.token.text for token in cut.content]
    assert compare_boundaries(cut, cut).same[0] == (False, *[True] * (len(cut.tokens) - 1))


def test_a_tokenizer_agrees_with_itself():
    cut = tokenize(load("books-decoder"), "unbelievable, 你好")
    assert compare_boundaries(cut, cut).agreement == 1.0
    empty = tokenize(load("books-decoder"), "")
    assert compare_boundaries(empty, empty).agreement == 1.0


def test_a_tokenizer_that_keeps_its_places_to_itself_is_told():
    cut = tokenize(load("books-decoder"), "a")
    with pytest.raises(UserError, match="does not say where"):
        compare_boundaries(cut, replace(cut, algorithm=None))
