"""Alignments: shortest, and true to both texts; word and character error rates by hand."""

from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import UserError
from playground.evaluation import edit_alignment
from playground.evaluation.edit_alignment import (
    align_edits,
    edit_counts,
    error_rates,
    error_statistics,
    error_tokens,
)
from playground.evaluation.edit_distance import edit_distance
from playground.evaluation.lines import pair_lines
from tests.playground.evaluation.test_bleu import corpora

texts = st.text("abc", max_size=12)


@given(texts, texts)
def test_an_alignment_is_shortest_and_reads_both_texts_in_order(answer, reference):
    steps = align_edits(answer, reference)
    assert sum(step.kind != "equal" for step in steps) == edit_distance(answer, reference)
    assert [step.answer for step in steps if step.answer is not None] == list(range(len(answer)))
    assert [step.reference for step in steps if step.reference is not None] == list(range(len(reference)))
    for step in steps:
        both = step.answer is not None and step.reference is not None
        assert both == (step.kind in ("equal", "substitution"))
        if both:
            assert (answer[step.answer] == reference[step.reference]) == (step.kind == "equal")


@given(texts, texts)
def test_the_counts_add_up(answer, reference):
    equal, substituted, inserted, deleted, length = edit_counts(answer, reference)
    assert equal + substituted + deleted == length == len(reference)
    assert equal + substituted + inserted == len(answer)


@settings(max_examples=200)
@given(corpora(), st.booleans(), st.integers(1, 8))
def test_many_lines_at_once_are_counted_as_each_alone(lines, characters, short):
    """Short lines together, longer ones alone, empty answers among them; of several references the nearest."""
    with mock.patch.object(edit_alignment, "SHORT", short), mock.patch.object(edit_alignment, "BLOCK", 2):
        table = error_statistics(lines, characters=characters)
    for row, (hypothesis, references) in enumerate(zip(lines.hypotheses, lines.references, strict=True)):
        own = error_tokens(hypothesis, characters=characters)
        counted = [edit_counts(own, error_tokens(text, characters=characters)) for text in references]
        nearest = min(counted, key=lambda counts: sum(counts[1:4]) / max(counts[4], 1))
        assert table[row].tolist() == nearest


def test_word_error_rate_by_hand():
    """One word exchanged, one too many, one missing: 3 edits on 6 words."""
    lines = pair_lines("the black cat sat in mat", ["the cat sat on the mat"])
    assert error_statistics(lines).tolist() == [[4, 1, 1, 1, 6]]
    assert error_rates(error_statistics(lines)).tolist() == [0.5]


def test_the_nearest_reference_and_characters():
    lines = pair_lines("abcd", ["xbcd"])
    assert error_statistics(lines, characters=True).tolist() == [[3, 1, 0, 0, 4]]
    assert error_rates(error_statistics(lines, characters=True)).tolist() == [0.25]
    two = pair_lines("a cat sat", ["a dog sat there", "a cat sits"])
    assert error_statistics(two).tolist() == [[2, 1, 0, 0, 3]]


def test_an_answer_longer_than_its_reference_may_pass_one():
    assert error_rates(error_statistics(pair_lines("a b c", ["x"]))).tolist() == [3.0]


def test_a_line_beyond_memory_is_refused():
    with pytest.raises(UserError, match="6,000 tokens"):
        align_edits(["a"] * 6000, ["b"])
