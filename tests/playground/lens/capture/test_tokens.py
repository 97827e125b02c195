"""Readable labels, in any script and however the vocabulary splits characters."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import ByT5Tokenizer

from playground.errors import UserError
from playground.lens.capture.alphabet import METASPACE, Alphabet
from playground.lens.capture.tokens import (
    can_read,
    check_position,
    encode,
    readable,
    rust_tokenizer,
    spell_symbols,
    symbols_of,
)
from playground.models.loading import load
from playground.tasks.vocabulary import train_vocabulary
from tests.helpers.families import word_tokenizer


@pytest.fixture(scope="module")
def byte_level() -> Tokenizer:
    return train_vocabulary("bpe", ["the cat sat on the mat " * 20], 300)


def test_an_emoji_of_four_tokens_is_shown_by_each_of_them(byte_level):
    assert [token.text for token in encode(byte_level, "😀")] == ["<|start|>", "😀₁", "😀₂", "😀₃", "😀₄"]


def test_spaces_stay_and_special_tokens_are_marked(byte_level):
    tokens = encode(byte_level, "the cat")
    assert "".join(token.text for token in tokens[1:]) == "the cat"
    assert [token.special for token in tokens] == [True] + [False] * (len(tokens) - 1)


def test_bytes_written_as_such_become_characters():
    pieces = ["▁Hi", "<0xE7>", "<0x8C>", "<0xAB>", "!", "<0xFF>"]
    assert readable(pieces, [False] * 6, Alphabet(space=METASPACE)) == [" Hi", "猫₁", "猫₂", "猫₃", "!", "\\xFF"]


def test_word_pieces_keep_their_marks():
    assert readable(["[CLS]", "play", "##ing"], [True, False, False], Alphabet()) == ["[CLS]", "play", "##ing"]


@settings(max_examples=200)
@given(st.text(max_size=40))
def test_no_label_holds_a_replacement_sign_and_none_is_lost(byte_level, text):
    tokens = encode(byte_level, text)
    labels = "".join(token.text for token in tokens[1:])
    assert "�" not in labels or "�" in text
    plain = labels.translate({ord(digit): None for digit in "₀₁₂₃₄₅₆₇₈₉"})
    assert all(character in plain for character in text if character not in "‘’“”₀₁₂₃₄₅₆₇₈₉")


def test_segments_of_a_pair_follow_the_sentences():
    tokenizer = word_tokenizer()
    assert [token.segment for token in encode(tokenizer, "ab", "cd")] == [0, 0, 1, 1]


def test_threads_may_share_a_tokenizer_that_transformers_changes():
    from transformers import PreTrainedTokenizerFast

    shared = PreTrainedTokenizerFast(tokenizer_object=word_tokenizer(), pad_token="<pad>")
    shared("abc", truncation=True, max_length=2, padding="max_length")
    id_lists: list[list[int]] = []

    def work() -> None:
        for _ in range(50):
            id_lists.append([token.id for token in encode(shared, "abcdef")])
            shared("abc", truncation=True, max_length=2)

    threads = [threading.Thread(target=work) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(id_lists) == 200
    assert all(len(ids) == 6 for ids in id_lists)
    assert rust_tokenizer(shared) is rust_tokenizer(shared)


@pytest.mark.parametrize(
    ("text", "is_readable"),
    [("abc", True), ("KqZfBmXdTW", True), ("The cat", False), ("a" * 63, True), ("a" * 64, False)],
)
def test_a_model_reads_what_its_vocabulary_and_its_context_hold(text, is_readable):
    assert can_read(load("induction"), text) is is_readable
    assert can_read(load("induction"), "abc", text) is is_readable


@pytest.mark.parametrize("name", ["induction", "tales-translator", "books-decoder"])
def test_symbols_of_a_vocabulary_are_spelled_as_a_text_of_just_them(name):
    model = load(name)
    ids = symbols_of(model, 6)
    assert len(set(ids)) == 6
    assert ids != symbols_of(model, 6, seed=1)
    text = spell_symbols(model, ids)
    assert [token.id for token in encode(model.tokenizer, text) if not token.special] == (ids if text else [])
    assert text or name == "books-decoder"


def test_a_position_counts_from_either_end():
    check_position(2, 3)
    check_position(-3, 3)
    for position in (3, -4):
        with pytest.raises(UserError, match=f"no position {position}; choose -3 to 2"):
            check_position(position, 3)


@pytest.fixture(scope="module", params=["decoder", "no decoder"])
def added_words(request) -> Tokenizer:
    """A byte-level vocabulary to which words with accents were added later."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if request.param == "decoder":
        tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(["the cat"], trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet))
    tokenizer.add_tokens(["café", "đem", "naïve", "日本"])
    return tokenizer


def test_words_added_to_a_byte_level_vocabulary_are_their_own_text(added_words):
    labels = [token.text for token in encode(added_words, "a café đem naïve日本 né")]
    assert {"café", "đem", "naïve", "日本", "é₁", "é₂"} <= set(labels)
    assert not any("\\x" in label for label in labels)


@pytest.mark.parametrize("text", ["caf\udce9", "x\ud83d", "\ude00 y", "\ud83d\ude00"])
def test_half_a_surrogate_pair_is_read_as_a_replacement_sign(byte_level, text):
    labels = "".join(token.text for token in encode(byte_level, text, None))
    assert ("�" in labels) == ("\ud83d\ude00" not in text)


@pytest.mark.parametrize(("text", "labels"), [("é", ["é₁", "é₂", "</s>"]), ("a日", ["a", "日₁", "日₂", "日₃", "</s>"])])
def test_a_tokenizer_of_bytes_shows_characters(text, labels):
    assert [token.text for token in encode(ByT5Tokenizer(), text)] == labels
