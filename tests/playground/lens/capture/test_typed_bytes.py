"""The bytes of the typed text that tokens cover, held against what stands behind the first of them."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from playground.lens.capture.text_tokens import text_tokens
from playground.lens.capture.typed_bytes import covered_bytes, typed_contents, typed_ends
from tests.helpers.families import small_model

CORPUS = ["the cat un caf me naive é ते cat dog"] * 20


def byte_level(normalizer: Any = None, *, corpus: list[str] = CORPUS, suffix: str = "", size: int = 330) -> Tokenizer:
    word_end: dict[str, Any] = {"end_of_word_suffix": suffix} if suffix else {}
    tokenizer = Tokenizer(models.BPE(**word_end))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False, **word_end)
    tokenizer.train_from_iterator(corpus, trainer)
    return tokenizer


def with_added(token: AddedToken, normalizer: Any = None) -> Tokenizer:
    tokenizer = byte_level(normalizer)
    tokenizer.add_tokens([token])
    return tokenizer


def words(normalizer: Any = None) -> Tokenizer:
    vocabulary = {"<unk>": 0, "<s>": 1, "w1": 2, "w2": 3}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(["<s>"])
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    return tokenizer


def opened_words() -> Tokenizer:
    tokenizer = words()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def metaspace() -> Tokenizer:
    vocabulary = {"<unk>": 0, **{f"<0x{byte:02X}>": 1 + byte for byte in range(256)}}
    vocabulary |= {piece: 257 + n for n, piece in enumerate(["▁", "a", "b", "日", "本"])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>", byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


def decomposing() -> Tokenizer:
    pieces = [("<unk>", 0.0), ("▁the", -1.0), ("▁", -2.0), ("e", -3.0), ("\u0301", -4.0), ("c", -3.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, 0, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFD()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


def trimming() -> Tokenizer:
    tokenizer = byte_level(corpus=["the  cat "] * 20)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    return tokenizer


def spaced() -> Tokenizer:
    """As RoBERTa's with `add_prefix_space` (tokenizers 1300): the span behind an added token begins one too late."""
    tokenizer = byte_level()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    tokenizer.add_tokens(["<x>", "</x>"])
    return tokenizer


def behind_first(tokenizer: Any, text: str) -> int | None:
    ends = typed_ends(dataclasses.replace(small_model("gpt2"), tokenizer=tokenizer), text)
    return covered_bytes(ends, [False, *[True] * (len(ends) - 1)])


@pytest.mark.parametrize(
    ("tokenizer", "text", "behind"),
    [
        (words(), "zzz w1 w2", " w1 w2"),
        (words(), "<s> w1 w2", " w1 w2"),
        (words(), "  w1  w2 ", "  w2 "),
        (opened_words(), "zzz w1", "zzz w1"),
        (words(normalizers.Replace(Regex("[^w12 ]"), "")), "w1 xyz w2", "  w2"),
        (byte_level(normalizers.NFC()), "e\u0301 the cat", " the cat"),
        (byte_level(normalizers.NFKC(), corpus=["ガ the"] * 20), "ｶﾞ the", " the"),
        (byte_level(normalizers.NFC(), corpus=["한 the"] * 20), "\u1112\u1161\u11ab the", " the"),
        (byte_level(normalizers.Strip()), "   the cat", " cat"),
        (byte_level(normalizers.Lowercase(), corpus=["the é"] * 3, size=256), "The", "he"),
        (byte_level(suffix="</w>", corpus=["cat dog cat dog"] * 20), "cat dog", " dog"),
        (trimming(), "  the cat", " the cat"),
        (with_added(AddedToken("<x>", rstrip=True)), "<x>   the cat", "the cat"),
        (with_added(AddedToken("KELVIN\u212a", normalized=True), normalizers.Lowercase()), "kelvink the", " the"),
        (spaced(), "<x>the cat</x>dog", "the cat</x>dog"),
        (spaced(), "<x>é", "é"),
        (byte_level(normalizers.Replace("``", '"')), "``the``", "the``"),
        (byte_level(normalizers.Replace("--", "-")), "e -- dog", " -- dog"),
        (metaspace(), "日本", "日本"),
        (metaspace(), "ab", "ab"),
        (metaspace(), "é", "é"),
        (decomposing(), "é the", "é the"),
    ],
)
def test_what_stands_behind_the_first_token(tokenizer, text, behind):
    assert behind_first(tokenizer, text) == len(behind.encode())


@pytest.mark.parametrize(
    ("tokenizer", "text"),
    [
        (byte_level(normalizers.NFKC()), "\ufdfa"),
        (byte_level(normalizers.NFC()), "\u0958 the"),
        (byte_level(normalizers.NFC()), "\U0001d160 the"),
        (byte_level(normalizers.Lowercase()), "İ cat"),
        (byte_level(normalizers.Replace("the", "naive cat")), "the"),
    ],
)
def test_a_character_that_becomes_other_tokens_is_no_number(tokenizer, text):
    assert behind_first(tokenizer, text) is None


def test_bytes_split_as_those_of_the_small_letter():
    # É and é have two bytes each, and no token of both.
    assert behind_first(byte_level(normalizers.Lowercase(), corpus=["the"], size=256), "É the") == 1 + len(" the")


@given(text=st.text(st.characters(codec="utf-8"), min_size=1, max_size=30), first=st.integers(0, 30))
@settings(deadline=None, max_examples=60)
def test_no_number_of_bytes_lies_outside_the_text(text, first):
    for tokenizer in (_NFKC, _METASPACE, _DECOMPOSING):
        ends = typed_ends(dataclasses.replace(small_model("gpt2"), tokenizer=tokenizer), text)
        counted = covered_bytes(ends, [number >= first for number in range(len(ends))])
        assert counted is None or 0 <= counted <= len(text.encode())


_NFKC, _METASPACE, _DECOMPOSING = byte_level(normalizers.NFKC()), metaspace(), decomposing()


@pytest.mark.parametrize(("text", "behind"), [("é a", 3), ("日", 2), ("a", 0)])
def test_a_tokenizer_of_bytes_in_python(text, behind):
    ends = typed_ends(dataclasses.replace(small_model("gpt2"), tokenizer=transformers.ByT5Tokenizer()), text)
    assert covered_bytes(ends, [False, *[True] * len(ends)]) == behind


@pytest.mark.parametrize(
    ("text", "behind"), [("hello world", len("lo world")), ("world hello", len(" hello")), ("qqq world", None)]
)
def test_pieces_of_a_tokenizer_in_python(tmp_path: Path, text, behind):
    pieces = ["<unk>", "hel@@", "lo", "world", "h@@", "e@@", "l@@", "o", "l", "hello"]
    (tmp_path / "vocab.json").write_text(json.dumps({piece: n for n, piece in enumerate(pieces)}))
    merges = ["h e", "he l", "l o</w>", "w o", "wo r", "wor l", "worl d</w>"]
    (tmp_path / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]))
    tokenizer = transformers.CTRLTokenizer(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt"))
    assert behind_first(tokenizer, text) == behind


def typed_and_spelled(tokenizer: Any, *texts: str) -> list[tuple[str, int, str]]:
    """What was typed of each token, with how many others, and its piece's bytes."""
    model = dataclasses.replace(small_model("gpt2"), tokenizer=tokenizer)
    tokens = text_tokens(model, *texts)
    typed = typed_contents(tokenizer, texts, tokens)
    return [
        (one.content.decode(errors="replace"), one.tokens, token.content.decode(errors="replace"))
        for one, token in zip(typed, tokens, strict=True)
    ]


@pytest.mark.parametrize(
    ("tokenizer", "text", "shown"),
    [
        (byte_level(normalizers.Lowercase()), "THE CAT", [("THE", 1, "the"), (" CAT", 1, " cat")]),
        (byte_level(normalizers.NFC()), "cafe\u0301", [("ca", 1, "ca"), ("f", 1, "f"), ("e\u0301", 1, "é")]),
        (byte_level(normalizers.NFKC()), "ﬁ", [("ﬁ", 2, "f"), ("ﬁ", 2, "i")]),
        (byte_level(normalizers.Strip()), "   the cat", [("   the", 1, "the"), (" cat", 1, " cat")]),
        (byte_level(normalizers.Replace("x", "")), "xthe cxat", [("the", 1, "the"), (" cxat", 1, " cat")]),
        (words(), "w1 zebra", [("w1", 1, "w1"), (" zebra", 1, "zebra")]),
        (metaspace(), "ab", [("", 1, " "), ("a", 1, "a"), ("b", 1, "b")]),
    ],
    ids=["lower case", "composed", "ligature", "strip", "dropped", "unknown", "space before"],
)
def test_what_was_typed_stands_beside_what_the_pieces_spell(tokenizer, text, shown):
    assert typed_and_spelled(tokenizer, text) == shown


def test_a_ligature_of_eighteen_letters_is_three_bytes():
    shown = typed_and_spelled(byte_level(normalizers.NFKC()), "\ufdfa the")
    together = [row for row in shown if row[0] == "\ufdfa"]
    assert {count for _typed, count, _piece in together} == {len(together)}
    assert len(together) > 3
    assert "".join(typed for typed, count, _piece in shown if count == 1) == " the"


def test_of_a_pair_each_token_has_bytes_of_its_own_text():
    tokenizer = words(normalizers.Replace("v", "w"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)]
    )
    assert typed_and_spelled(tokenizer, "v1 w2", "v2") == [
        ("", 1, ""),
        ("v1", 1, "w1"),
        (" w2", 1, "w2"),
        ("", 1, ""),
        ("v2", 1, "w2"),
    ]
