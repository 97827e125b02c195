"""Terms: short, sourced, each form once."""

import itertools

import pytest

from playground.glossary import TERMS, GlossaryEntry
from playground.lens.inspect.head_scores import NAMES


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.key)
def test_a_term_is_told_in_two_lines(term: GlossaryEntry) -> None:
    assert 30 <= len(term.meaning) <= 130
    assert term.meaning.endswith(".")
    assert len(term.formula) <= 60
    assert not term.source or any(character.isdigit() for character in term.source)


def test_each_form_belongs_to_one_term() -> None:
    forms = [form.lower() for form in itertools.chain.from_iterable(term.forms for term in TERMS)]
    assert len(forms) == len(set(forms))


@pytest.mark.parametrize("score", NAMES)
def test_every_score_of_the_head_table_is_defined(score: str) -> None:
    assert any(score in form for term in TERMS for form in term.forms)
