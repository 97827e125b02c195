"""A word's states over the layers: those that transformers reports."""

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.lens.capture.tokens import encode
from playground.models import load
from playground.tokens.findings import describe_word
from playground.tokens.word_states import word_positions, word_states
from tests.helpers.families import small_model
from tests.helpers.pretrained_folders import build, save_tokenizer

TEXTS = ["the bank of it", "at a bank"]


def cosine(first: torch.Tensor, second: torch.Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(first, second, dim=0))


@pytest.mark.parametrize("family", ["bert", "t5", "albert"])
def test_states_are_the_hidden_states_of_transformers(family):
    model = small_model(family)
    states = word_states(model, TEXTS, "bank")
    module = model.module.get_encoder() if family == "t5" else model.module
    read = [
        module(torch.tensor([[t.id for t in encode(model.tokenizer, text)]]), output_hidden_states=True).hidden_states
        for text in TEXTS
    ]
    # One letter, one token: "bank" are the letters 4 to 8, and 5 to 9. T5's last state is reported after its norm.
    levels = range(2 if family == "t5" else 3)
    expected = [cosine(read[0][n][0, 4:8].mean(0), read[1][n][0, 5:9].mean(0)) for n in levels]
    assert states.cosines[0, : len(levels)] == pytest.approx(expected, abs=1e-5)
    assert states.tokens == (("b", "a", "n", "k"),) * 2
    assert states.levels == 3


def test_other_tokens_are_every_pair_of_different_ones():
    model = small_model("bert")
    states = word_states(model, TEXTS, "bank")
    hidden = [
        model.module(torch.tensor([[t.id for t in encode(model.tokenizer, text)]]), output_hidden_states=True)
        for text in TEXTS
    ]
    pairs = [
        cosine(hidden[0].hidden_states[1][0, i], hidden[1].hidden_states[1][0, j])
        for i in (*range(4), *range(8, 14))
        for j in range(5)
        if TEXTS[0][i] != TEXTS[1][j]
    ]
    assert states.others[1] == pytest.approx(np.mean(pairs), abs=1e-5)


def test_three_texts_are_three_pairs():
    model = load("books-decoder")
    texts = ["She sat on the bank.", "The Bank of it.", "a bank"]
    states = word_states(model, texts, "bank")
    assert states.pairs == ((0, 1), (0, 2), (1, 2))
    assert states.tokens == ((" bank",), (" B", "ank"), (" bank",))
    assert states.cosines[1, 0] == pytest.approx(1.0, abs=1e-5)
    assert str(describe_word(states)).startswith("“bank” in texts ")


def test_a_word_alone_has_no_others():
    states = word_states(small_model("bert"), ["bank", "bank"], "bank")
    assert np.isnan(states.others).all()
    assert states.cosines == pytest.approx(np.ones((1, 3)), abs=1e-5)
    assert str(describe_word(states)).endswith("cosine 1.00 before the first layer, 1.00 after the last.")


def test_words_are_found_whole_first_then_within_others():
    model = load("books-decoder")
    tokens = encode(model.tokenizer, "the banker's bank")
    assert [tokens[n].text for n in word_positions(model, "the banker's bank", tokens, "BANK")] == [" bank"]
    tokens = encode(model.tokenizer, "我在银行")
    assert len(word_positions(model, "我在银行", tokens, "银行")) == 6


def test_a_word_that_the_vocabulary_lacks_is_not_compared(tmp_path):
    build("gpt2").save_pretrained(tmp_path)
    save_tokenizer(tmp_path)
    model = load(str(tmp_path))
    assert word_states(model, ["the cat sat", "a cat"], "cat").tokens == (("cat",), ("cat",))
    with pytest.raises(UserError, match="cannot spell “bank”"):
        word_states(model, ["the bank sat", "a bank"], "bank")


@pytest.mark.parametrize(
    ("texts", "word", "sentence"),
    [
        (["a bank"], "bank", "two to 6 texts"),
        (["a bank"] * 7, "bank", "two to 6 texts"),
        (["a bank", "a shop"], "bank", "does not hold the word"),
        (["a bank", "a bank"], " ", "does not hold the word"),
    ],
)
def test_what_cannot_be_compared_is_told(texts, word, sentence):
    with pytest.raises(UserError, match=sentence):
        word_states(small_model("bert"), texts, word)


def test_states_that_are_not_numbers_have_no_cosines():
    model = small_model("bert")
    model.module.bert.encoder.layer[1].output.dense.weight[0, 0] = float("nan")
    with pytest.raises(UserError, match="computes what is not a number"):
        word_states(model, TEXTS, "bank")
