"""Terms: short, sourced, each form once."""

import itertools
import re

import pytest

from playground.glossary import TERMS, GlossaryEntry
from playground.lens.inspect.head_scores import NAMES


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.key)
def test_a_term_is_told_in_two_lines(term: GlossaryEntry) -> None:
    assert 30 <= len(term.meaning) <= 130
    assert term.meaning.endswith(".")
    assert len(term.formula) <= 60
    assert re.search(r"\b(1[89]|20)\d\d\b", term.source)


def test_each_form_belongs_to_one_term() -> None:
    forms = [form.lower() for form in itertools.chain.from_iterable(term.forms for term in TERMS)]
    assert len(forms) == len(set(forms))


def test_another_sense_holds_a_form_of_its_term() -> None:
    senses = [(term, phrase.lower()) for term in TERMS for phrase in term.other_senses]
    assert senses
    for term, phrase in senses:
        assert any(form in phrase and form != phrase for form in map(str.lower, term.forms)), phrase


@pytest.mark.parametrize("score", NAMES)
def test_every_score_of_the_head_table_is_defined(score: str) -> None:
    assert [term.score for term in TERMS].count(score) == 1


def test_no_term_defines_a_score_that_the_table_lacks() -> None:
    assert {term.score for term in TERMS if term.score} == set(NAMES)
