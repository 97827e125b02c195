"""Tokenizers that were made to harm: refused in a sentence, while everybody else goes on."""

import json
import threading
import time
from pathlib import Path

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from playground.errors import UserError
from playground.lens.capture.tokens import encode
from playground.models.loading import load
from playground.models.rehearsal import encoding_of, rehearsals, rehearse, risky_texts
from playground.models.tokenizer_risks import growth_of, has_tame_decoder, pattern_risk, risk_of
from tests.helpers.own_models import letters_tokenizer, random_model
from tests.helpers.own_models import save_model as save_own

PANICS, SLOW = "a" * 40 + "b", ("a" * 22 + "b ") * 5_000
GPT_4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+(?!\S)|\s+"


def splitting(pattern: str) -> Tokenizer:
    """A tokenizer that splits texts by a pattern."""
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "<unk>": 1}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), "isolated")
    return tokenizer


@pytest.fixture(autouse=True, scope="module")
def own_processes():
    yield
    rehearsals().close()


@pytest.mark.parametrize(
    ("pattern", "risk"),
    [
        (r"[\s\S]", "none"),
        (r"[‘’]", "none"),
        (r" (?=[.,;:?!…)\]])| (?='\w\b)|(?<=\w') (?=\w)", "none"),
        (r"\p{Han}|[\w&&[^\p{Han}]]+|[^\w\s]", "long"),
        (r"\(\)\[+", "long"),
        ("(a+)+$", "any"),
        ("(?:a|aa)(?:a|aa)b", "any"),
        ("a?a?a?aaa", "any"),
        (r"(a)\1", "any"),
        ("(a{0,9}){0,9}b", "any"),
        ("(?~a+)", "any"),
        (GPT_4, "any"),
        ("a" * 20_000, "any"),
    ],
)
def test_the_risk_of_a_pattern_is_told_from_its_spelling(pattern: str, risk: str):
    assert pattern_risk(pattern) == risk
    assert risk_of(splitting(pattern)) == risk


def test_replacements_that_multiply_are_a_risk_and_those_in_use_are_none():
    doubling = normalizers.Sequence([normalizers.Replace("a", "aa")] * 40)
    llama = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    assert growth_of(json.loads(doubling.__getstate__())) == 2**40
    tokenizer = letters_tokenizer("decoder")
    tokenizer.normalizer = llama
    assert risk_of(tokenizer) == "none"
    tokenizer.normalizer = doubling
    assert risk_of(tokenizer) == "any"


def test_wordpiece_without_a_longest_word_is_a_risk_for_long_texts():
    vocabulary = {"[UNK]": 0, "a": 1, "##a": 2}
    usual = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    endless = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=10**9))
    assert (risk_of(usual), risk_of(endless)) == ("none", "long")


def test_only_decoders_that_end_are_opened():
    tokenizer = splitting("a")
    for decoder, is_tame in (
        (decoders.ByteLevel(), True),
        (decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]), True),
        (decoders.Replace(Regex("(a+)+$"), ""), False),
        (decoders.Replace("a", "a" * 1000), False),
    ):
        tokenizer.decoder = decoder
        assert has_tame_decoder(tokenizer) == is_tame


def test_what_is_read_apart_is_read_here_with_the_same_tokens():
    tokenizer = splitting(GPT_4)
    assert risky_texts(tokenizer, "a b", None, "") == ("a b",)
    assert encoding_of(tokenizer, "a b a").ids == tokenizer.encode("a b a").ids
    assert [token.id for token in encode(tokenizer, "a")] == [0]


def test_a_panic_is_a_sentence_and_the_next_text_is_read():
    tokenizer = splitting("(a+)+$")
    with pytest.raises(UserError, match="fails on this text: Onig: Regex search error"):
        encode(tokenizer, PANICS)
    assert encode(tokenizer, "a")
    with pytest.raises(UserError, match="fails on this text"):
        encode(tokenizer, PANICS)


def test_a_text_that_never_ends_is_given_up_while_everybody_else_goes_on():
    tokenizer, other, refusals, beats = splitting("(a+)+$"), letters_tokenizer("decoder"), [], 0

    def read() -> None:
        with pytest.raises(UserError) as caught:
            rehearse(tokenizer, SLOW)
        refusals.append(str(caught.value))

    thread = threading.Thread(target=read)
    thread.start()
    deadline = time.monotonic() + 60
    while thread.is_alive() and time.monotonic() < deadline:
        assert len(encode(other, "hello")) == 6
        beats += 1
        time.sleep(0.01)
    thread.join()
    assert beats > 20  # the interpreter was never held for the second of work that the text took
    assert "takes more than 1 s for this text" in refusals[0]
    started = time.process_time()
    with pytest.raises(UserError, match="takes more than 1 s"):
        encode(tokenizer, SLOW)
    assert time.process_time() - started < 0.5


def test_memory_that_a_text_asks_for_is_refused():
    tokenizer = letters_tokenizer("decoder")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Replace("a", "aaaaaaaa")] * 11)
    with pytest.raises(UserError, match=r"The tokenizer (takes more|fails)"):
        encode(tokenizer, "a" * 30)


def own_folder(folder: Path, **parts: object) -> str:
    """A model of our own whose tokenizer.json has other parts."""
    save_own(random_model(), folder)
    path = folder / "tokenizer.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **parts}))
    return str(folder)


def regex(pattern: str) -> dict[str, object]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


@pytest.mark.parametrize(
    "parts",
    [
        {"pre_tokenizer": regex("([a-zA-Z .]+)+[^a-zA-Z .]")},
        {"pre_tokenizer": regex("(((")},
        {"normalizer": {"type": "Replace", "pattern": {"Regex": "([a-zA-Z .]+)+[^a-zA-Z .]"}, "content": ""}},
        {"normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "a" * 4_000_000}] * 12}},
        {"decoder": {"type": "Replace", "pattern": {"Regex": "(a+)+$"}, "content": ""}},
        {"model": {"type": "WordLevel", "vocab": {}, "unk_token": "none"}},
    ],
    ids=["slow", "broken", "normaliser", "growing", "decoder", "empty"],
)
def test_a_model_with_such_a_tokenizer_is_refused_when_it_is_opened(tmp_path: Path, parts: dict[str, object]):
    from playground.lens import trace

    started = time.process_time()
    with pytest.raises(UserError):
        trace(load(own_folder(tmp_path / "own", **parts)), "The cat sat.")
    assert time.process_time() - started < 5


def test_letters_written_as_numbers_hide_nothing(tmp_path: Path):
    folder = Path(own_folder(tmp_path / "own", pre_tokenizer=regex("([a-zA-Z .]+)+[^a-zA-Z .]")))
    path = folder / "tokenizer.json"
    path.write_text(path.read_text().replace('"Regex"', '"\\u0052egex"'))
    with pytest.raises(UserError, match=r"tokenizer of .* cannot be read"):
        load(str(folder))


def test_padding_to_a_billion_tokens_is_not_done(tmp_path: Path):
    from playground.lens import trace

    padding = {"strategy": {"Fixed": 10**9}, "direction": "Right", "pad_id": 0, "pad_type_id": 0, "pad_token": "a"}
    folder = own_folder(tmp_path / "own", padding={**padding, "pad_to_multiple_of": None})
    assert len(trace(load(folder), "abc").source) == 4
