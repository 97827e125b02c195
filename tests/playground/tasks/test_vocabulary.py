"""Vocabularies trained on the spot: round trips, sizes, the start token."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from playground.errors import UserError
from playground.lens.capture.tokens import encode
from playground.special_tokens import END, END_ID, MASK_ID, PAD_ID, SPECIALS, START, START_ID, UNKNOWN, UNKNOWN_ID
from playground.tasks.vocabulary import train_vocabulary, word_vocabulary

TEXT = "the cat sat on the mat. the dog sat on the log.\nthe end\n" * 5
BPE = train_vocabulary("bpe", [TEXT], 300)
CHARACTERS = train_vocabulary("characters", [TEXT], 300)


@settings(max_examples=100)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\u2018\u2019\u201c\u201d"), max_size=30))
def test_bytes_encode_any_text_and_give_it_back(text):
    if START in text:
        return
    encoding = BPE.encode(text)
    assert encoding.ids[0] == BPE.token_to_id(START)
    assert BPE.decode(encoding.ids) == text


@settings(max_examples=50)
@given(st.text("thecatsondmlg. \n", max_size=30))
def test_characters_encode_their_own_text_one_by_one(text):
    encoding = CHARACTERS.encode(text)
    assert len(encoding.ids) == len(text) + 1
    assert CHARACTERS.decode(encoding.ids) == text


def test_curly_quotes_become_straight():
    assert BPE.decode(BPE.encode("\u201cit\u2019s\u201d").ids) == '"it\'s"'


def test_the_start_token_is_zero_in_both():
    assert BPE.token_to_id(START) == CHARACTERS.token_to_id(START) == 0
    assert BPE.encode("").ids == CHARACTERS.encode("").ids == [0]


@pytest.mark.parametrize("size", [257, 260, 300])
def test_a_byte_vocabulary_is_as_large_as_asked_where_the_text_has_enough_pairs(size):
    tokenizer = train_vocabulary("bpe", [TEXT], size)
    assert tokenizer.get_vocab_size() == min(size, BPE.get_vocab_size())
    assert set(range(tokenizer.get_vocab_size())) == set(tokenizer.get_vocab().values())


def test_merges_are_the_frequent_pairs_by_hand():
    """In "aaab aaab": one space, 6 a, 2 b; the pair aa stands 4 times in the two words, more than any other."""
    tokenizer = train_vocabulary("bpe", ["aaab aaab"], 258)
    assert tokenizer.id_to_token(257) == "aa"


def test_the_most_frequent_characters_are_kept_and_the_others_are_unknown_by_hand():
    """In "aaabbc" with room for four: start, unknown, a, b; c is unknown."""
    tokenizer = train_vocabulary("characters", ["aaa", "bbc"], 4)
    assert tokenizer.get_vocab() == {START: 0, "<|unknown|>": 1, "a": 2, "b": 3}
    assert tokenizer.encode("cab").ids == [0, 1, 2, 3]


def test_equally_frequent_characters_stand_in_the_order_of_their_code_points():
    assert train_vocabulary("characters", ["cab"], 99).encode("abc").ids == [0, 2, 3, 4]
    assert (
        train_vocabulary("characters", ["bca"], 99).get_vocab()
        == train_vocabulary("characters", ["abc"], 99).get_vocab()
    )


def test_the_same_text_gives_the_same_vocabulary():
    assert train_vocabulary("bpe", [TEXT], 300).to_str() == BPE.to_str()


@pytest.mark.parametrize("tokenizer", [BPE, CHARACTERS], ids=["bpe", "characters"])
def test_the_lens_labels_every_token_with_its_text(tokenizer):
    tokens = encode(tokenizer, "the mat.\n")
    assert "".join(token.text for token in tokens[1:]) == "the mat.\n"
    assert tokens[0].special
    assert not any(token.special for token in tokens[1:])


# Words, and what encoders read

WORLD = word_vocabulary(
    [
        "Anna",
        "'s",
        "gave",
        "the",
        "ball",
        "to",
        "Ben",
        ".",
        "?",
        "l'",
        "arbre",
        "rouge",
        "french",
        ":",
        "安娜",
        "在",
        "树",
        "树下",
        "。",
        "球",
    ],
    model="encoder-decoder",
)
WORDS = train_vocabulary("words", ["the cat's mat, (the dog) sat. l'homme 你好 we'll"], 40, model="encoder")


@pytest.mark.parametrize(
    ("tokenizer", "text", "tokens"),
    [
        (WORLD, "Anna's ball?", ["Anna", "'s", "ball", "?"]),
        (WORLD, "french: l'arbre rouge.", ["french", ":", "l'", "arbre", "rouge", "."]),
        (WORLD, "安娜在树下。", ["安娜", "在", "树下", "。"]),
        (WORDS, "the cat's mat, (the dog) sat.", ["the", "cat", "'s", "mat", ",", "(", "the", "dog", ")", "sat", "."]),
        (WORDS, "l'homme 你好 we'll", ["l'", "homme", "你", "好", "we'", "ll"]),
    ],
)
def test_a_text_is_cut_into_words_and_put_together_again_by_hand(tokenizer, text, tokens):
    encoding = tokenizer.encode(text)
    assert encoding.tokens == [START, *tokens, END]
    assert tokenizer.decode(encoding.ids) == text
    assert Tokenizer.from_str(tokenizer.to_str()).encode(text).tokens == encoding.tokens


def test_what_is_no_word_of_the_vocabulary_is_unknown():
    assert WORLD.encode("Anna gave Zebra").ids[3] == UNKNOWN_ID
    assert word_vocabulary(["a"]).get_vocab() == {START: 0, UNKNOWN: 1, "a": 2}


@pytest.mark.parametrize("kind", ["bpe", "characters", "words"])
@pytest.mark.parametrize("model", ["encoder", "encoder-decoder"])
def test_an_encoder_has_five_special_tokens_in_one_order_and_reads_pairs(kind, model):
    tokenizer = train_vocabulary(kind, [TEXT], 300, model=model)
    assert [tokenizer.token_to_id(token) for token in SPECIALS] == [START_ID, END_ID, PAD_ID, MASK_ID, UNKNOWN_ID]
    assert (START_ID, END_ID, PAD_ID, MASK_ID, UNKNOWN_ID) == (0, 1, 2, 3, 4)
    first, second = (tokenizer.encode(text, add_special_tokens=False).ids for text in ("the cat", "the dog"))
    alone, pair = tokenizer.encode("the cat"), tokenizer.encode("the cat", "the dog")
    assert alone.ids == [0, *first, 1]
    assert pair.ids == [0, *first, 1, *second, 1]
    assert pair.type_ids == [0] * (len(first) + 2) + [1] * (len(second) + 1)
    assert tokenizer.decode(alone.ids) == "the cat"


def test_the_most_frequent_words_are_kept_by_hand():
    """In "b b a c" with room for two words: b, then a, the first of the equally frequent ones."""
    assert train_vocabulary("words", ["b b a c"], 4).get_vocab() == {START: 0, UNKNOWN: 1, "b": 2, "a": 3}


@settings(max_examples=100)
@given(
    st.sampled_from(["bpe", "characters", "words", "letters"]),
    st.integers(-1, 400) | st.integers(60000, 70000) | st.booleans() | st.just("many"),
    st.sampled_from(["decoder", "encoder", "encoder-decoder"]),
)
def test_every_vocabulary_is_either_made_or_refused_with_a_sentence(kind, size, model):
    try:
        tokenizer = train_vocabulary(kind, [TEXT], size, model=model)
    except UserError:
        assert kind == "letters" or isinstance(size, bool | str) or size < 261 or size > 65536
        return
    assert tokenizer.get_vocab_size() <= size
    assert tokenizer.encode("the cat").ids[0] == START_ID
