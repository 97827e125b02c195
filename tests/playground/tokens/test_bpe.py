"""Byte-pair encoding, replayed: equal to the library on any table and text."""

import json
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from playground.models import load
from playground.tokens.bpe import MergeTable, merge_table, replay_merges

quick = settings(max_examples=60, suppress_health_check=list(HealthCheck))
LETTERS = "abcd"
PAIRS = list(product(LETTERS, repeat=2))


def random_table(seeds: list[int]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """A vocabulary of four letters, and merges of pieces that it has, in the order of the seeds."""
    vocabulary = {letter: index for index, letter in enumerate(LETTERS)}
    merges: list[tuple[str, str]] = []
    for seed in seeds:
        known = list(vocabulary)
        pair = known[seed % len(known)], known[seed // 7 % len(known)]
        if pair not in merges and len("".join(pair)) < 9:
            merges.append(pair)
            vocabulary.setdefault("".join(pair), len(vocabulary))
    return vocabulary, merges


def test_merges_of_low_in_order():
    table = MergeTable(vocabulary={"l": 0, "o": 1, "w": 2, "lo": 3, "low": 4}, ranks={("l", "o"): 0, ("lo", "w"): 1})
    replay = replay_merges(table, "lowlo")
    assert [(m.rank, m.left, m.right, m.start, m.end) for m in replay.merges] == [
        (0, "l", "o", 0, 2),
        (0, "l", "o", 3, 5),
        (1, "lo", "w", 0, 3),
    ]
    assert [replay.after(step) for step in range(4)] == [
        ["l", "o", "w", "l", "o"],
        ["lo", "w", "l", "o"],
        ["lo", "w", "lo"],
        ["low", "lo"],
    ]
    assert replay.spans == ((0, 3), (3, 5))


@quick
@given(st.lists(st.integers(0, 5_000), max_size=30), st.text(LETTERS, max_size=24))
def test_any_merge_table_cuts_as_the_library_does(seeds, text):
    vocabulary, merges = random_table(seeds)
    library = models.BPE(vocabulary, merges)
    replay = replay_merges(merge_table(Tokenizer(library)), text)
    assert list(replay.pieces) == [token.value for token in library.tokenize(text)]
    assert replay.after(len(replay.merges)) == list(replay.pieces)


@quick
@given(st.lists(st.integers(0, 5_000), max_size=20), st.text("abcd é你", max_size=12), st.booleans(), st.booleans())
def test_unknown_characters_as_the_library_has_them(seeds, text, fuses, has_bytes):
    vocabulary, merges = random_table(seeds)
    vocabulary = {**vocabulary, "<unk>": len(vocabulary)}
    if has_bytes:
        vocabulary |= {f"<0x{byte:02X}>": len(vocabulary) + byte for byte in range(256)}
    library = models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=fuses, byte_fallback=has_bytes)
    replay = replay_merges(merge_table(Tokenizer(library)), text)
    assert [vocabulary[piece] for piece in replay.pieces] == [token.id for token in library.tokenize(text)]


@quick
@given(st.text(LETTERS, min_size=1, max_size=12))
def test_marks_of_beginning_and_end(text):
    vocabulary = {token: n for n, token in enumerate([*LETTERS, *(f"##{x}" for x in LETTERS), "ab", "ab##c", "abc"])}
    library = models.BPE(vocabulary, [("a", "##b"), ("ab", "##c")], continuing_subword_prefix="##")
    replay = replay_merges(merge_table(Tokenizer(library)), text)
    assert list(replay.pieces) == [token.value for token in library.tokenize(text)]
    ended = {token: n for n, token in enumerate([*LETTERS, *(f"{x}</w>" for x in LETTERS), "ab", "abc</w>"])}
    library = models.BPE(ended, [("a", "b"), ("ab", "c</w>")], end_of_word_suffix="</w>")
    replay = replay_merges(merge_table(Tokenizer(library)), text)
    assert list(replay.pieces) == [token.value for token in library.tokenize(text)]


def test_a_whole_token_needs_no_merges_where_the_table_says_so():
    vocabulary, merges = {"a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4}, [("a", "b")]
    for ignores, pieces in ((True, ("abc",)), (False, ("ab", "c"))):
        library = models.BPE(vocabulary, merges, ignore_merges=ignores)
        assert replay_merges(merge_table(Tokenizer(library)), "abc").pieces == pieces
        assert tuple(token.value for token in library.tokenize("abc")) == pieces


@pytest.fixture(scope="module")
def byte_level() -> Tokenizer:
    """The shipped byte-level vocabulary."""
    return load("books-decoder").tokenizer


@quick
@given(text=st.text(max_size=30))
def test_byte_level_bpe_equals_the_tokenizer_on_any_text(byte_level, text):
    table = merge_table(byte_level)
    words = byte_level.pre_tokenizer.pre_tokenize_str(byte_level.normalizer.normalize_str(text))
    ids = [table.vocabulary[piece] for word, _span in words for piece in replay_merges(table, word).pieces]
    assert ids == byte_level.encode(text, add_special_tokens=False).ids or "<|start|>" in text


@quick
@given(text=st.text("abc de", max_size=40))
def test_trained_character_bpe_equals_the_tokenizer(text):
    tokenizer = trained()
    table = merge_table(tokenizer)
    words = [word for word, _span in tokenizer.pre_tokenizer.pre_tokenize_str(text)]
    pieces = [piece for word in words for piece in replay_merges(table, word).pieces]
    assert pieces == tokenizer.encode(text).tokens


_trained: list[Tokenizer] = []


def trained() -> Tokenizer:
    """A character BPE that was learned by the library."""
    if not _trained:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        tokenizer.train_from_iterator(["abc abd abcabc de abde cab"] * 4, trainers.BpeTrainer(vocab_size=24))
        _trained.append(tokenizer)
    return _trained[0]


def test_old_files_write_a_merge_as_one_string():
    tokenizer = Tokenizer.from_str(json.dumps({**json.loads(trained().to_str())}))
    assert merge_table(tokenizer).ranks == merge_table(trained()).ranks
