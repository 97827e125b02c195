"""Levenshtein's distance: by hand, against the recursive definition, and as a metric."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import UserError
from playground.evaluation.edit_distance import (
    edit_distance,
    edit_distances,
    mean_edit_distance,
    normalised_edit_distance,
)

words = st.text("abc", max_size=6)


def reference(first: str, second: str) -> int:
    """The definition, read off: delete, insert or substitute the last letter (Wagner & Fischer 1974)."""

    @cache
    def of(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(of(i - 1, j) + 1, of(i, j - 1) + 1, of(i - 1, j - 1) + (first[i - 1] != second[j - 1]))

    return of(len(first), len(second))


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [("kitten", "sitting", 3), ("flaw", "lawn", 2), ("", "abc", 3), ("0525", "5250", 2), ("same", "same", 0)],
)
def test_distances_by_hand(first, second, distance):
    assert edit_distance(first, second) == distance


@given(words, words)
def test_it_is_what_the_definition_says(first, second):
    assert edit_distance(first, second) == reference(first, second)


@given(st.lists(st.tuples(words, words), min_size=1, max_size=6))
def test_many_pairs_at_once_are_measured_as_each_alone(pairs):
    firsts, seconds = zip(*pairs, strict=True)
    assert edit_distances(firsts, seconds).tolist() == [edit_distance(*pair) for pair in pairs]


@given(words, words, words)
def test_it_is_a_metric(first, second, third):
    assert edit_distance(first, second) == edit_distance(second, first)
    assert (edit_distance(first, second) == 0) == (first == second)
    assert edit_distance(first, third) <= edit_distance(first, second) + edit_distance(second, third)


@given(words, words)
def test_as_a_share_it_lies_between_none_and_all(first, second):
    share = normalised_edit_distance(first, second)
    assert 0 <= share <= 1
    assert (share == 0) == (first == second)


def test_the_mean_over_answers_and_what_has_none():
    assert mean_edit_distance([[1, 2], [3]], [[1, 2], [4]], normalised=True) == 0.5
    assert mean_edit_distance(["abcd", "x"], ["abxx", "x"], normalised=False) == 1
    with pytest.raises(UserError, match="1 answers for 2 questions"):
        mean_edit_distance(["a"], ["a", "b"], normalised=True)
    with pytest.raises(UserError, match="0 answers"):
        mean_edit_distance([], [], normalised=False)
