"""What one sentence costs in twenty languages."""

from dataclasses import replace

import pytest

from playground.models import load
from playground.tokens.findings import describe_languages
from playground.tokens.languages import SENTENCES, TYPED, language_costs


def test_twenty_different_sentences():
    assert len(SENTENCES) == len(set(SENTENCES.values())) == 20


def test_costs_are_the_tokenizers_own_counts():
    model = load("books-decoder")
    costs = {cost.language: cost for cost in language_costs(model, "ab 你")}
    assert len(costs) == 21
    for cost in costs.values():
        assert cost.tokens == len(model.tokenizer.encode(cost.sentence, add_special_tokens=False).ids)
        assert cost.bytes == len(cost.sentence.encode())
        assert cost.is_read
    assert costs[TYPED].characters == 4
    assert costs["English"].tokens_per_character == pytest.approx(18 / 81)


def test_a_vocabulary_that_lacks_characters_is_not_compared():
    costs = {cost.language: cost for cost in language_costs(load("induction"))}
    assert costs["Chinese"].unread == 19  # each character but no space
    assert not costs["Chinese"].is_read
    assert "lacks characters of every sentence" in str(describe_languages(list(costs.values())))
    assert describe_languages([replace(costs["Chinese"], unread=0)]) is None  # one language is compared with nothing


def test_the_dearest_language_is_named():
    sentence = str(describe_languages(language_costs(load("books-decoder"))))
    assert sentence == "The same sentence takes 18 tokens in English and 163 in Hindi: 9.1 times as many."
