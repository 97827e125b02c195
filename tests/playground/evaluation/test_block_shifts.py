"""Shifts and edits: as many as sacrebleu counts, and a way that really leads to the reference."""

from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import TER

from playground.evaluation.block_shifts import ter_edits
from playground.evaluation.lines import pair_lines
from playground.evaluation.ter import ter_statistics

WORDS = ["a", "b", "c", "d", "the", "cat"]


@st.composite
def pairs(draw):
    """A reference, and a hypothesis that is it with blocks moved and words changed, or anything else."""
    size = draw(st.sampled_from([2, 6, 60]))
    words = st.sampled_from(WORDS[:size] if size < 60 else [f"w{n}" for n in range(size)])
    reference = draw(st.lists(words, min_size=1, max_size=draw(st.sampled_from([6, 14, 60]))))
    hypothesis = list(reference)
    for _move in range(draw(st.integers(0, 4))):
        start, length, landing = (draw(st.integers(0, 60)) for _number in range(3))
        block = hypothesis[start : start + length % 12]
        del hypothesis[start : start + length % 12]
        hypothesis[landing:landing] = block
    for place in draw(st.lists(st.integers(0, 60), max_size=3)):
        hypothesis[place : place + 1] = draw(st.lists(words, max_size=2))
    return hypothesis, reference


@settings(max_examples=500)
@given(pairs())
def test_as_many_edits_as_sacrebleu_and_they_lead_to_the_reference(pair):
    hypothesis, reference = pair
    found = ter_edits(hypothesis, reference)
    theirs = TER().sentence_score(" ".join(hypothesis), [" ".join(reference)])
    assert found.edits == theirs.num_edits
    words = list(hypothesis)
    for shift in found.shifts:
        assert list(shift.words) == words
        block = words[shift.start : shift.start + shift.length]
        del words[shift.start : shift.start + shift.length]
        words[shift.landing : shift.landing] = block
    assert list(found.words) == words
    made = [
        reference[step.reference] if step.kind != "equal" else words[step.answer]
        for step in found.steps
        if step.reference is not None
    ]
    assert made == reference
    assert [step.answer for step in found.steps if step.answer is not None] == list(range(len(words)))


def test_a_block_moved_over_a_long_line_and_words_replaced():
    """By hand: the last three words come first (one shift), one word is replaced, one is missing: three edits."""
    found = ter_edits([*"xyzabQd"], [*"abcdexyz"])
    assert [(shift.start, shift.length, shift.landing) for shift in found.shifts] == [(0, 3, 4)]
    assert [step.kind for step in found.steps if step.kind != "equal"] == ["substitution", "deletion"]
    assert found.edits == 3


def test_a_very_long_line_stops_looking_where_sacrebleu_does():
    """Ninety words in reverse have more candidates than are tried; the counts stay equal."""
    reference = [f"w{n % 30}" for n in range(90)]
    hypothesis = reference[::-1]
    theirs = TER().sentence_score(" ".join(hypothesis), [" ".join(reference)])
    statistics = ter_statistics(pair_lines(" ".join(hypothesis), [" ".join(reference)]))
    assert statistics.tolist() == [[theirs.num_edits, 90]]


def test_no_words_are_all_missing_and_no_reference_is_all_too_many():
    assert ter_edits([], ["a", "b"]).edits == 2
    assert ter_edits(["a", "b"], []).edits == 2
