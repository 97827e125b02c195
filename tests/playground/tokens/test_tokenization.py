"""A text as bytes, pieces and ids: what the tokenizer answers, and whether the steps lead there."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import ByT5Tokenizer

from playground.errors import UserError
from playground.lens.capture.tokens import input_tokens
from playground.models import load
from playground.tokens.pretokens import pretokens
from playground.tokens.tokenization import tokenize
from tests.helpers.families import small_model

SHIPPED = ("books-decoder", "books-encoder", "tales-translator", "induction")
HARD = [
    "",
    " ",
    "a",
    "The cat sat.",
    "unbelievable “quotes” it’s",
    "你好，世界",
    "👋🏽 👨‍👩‍👧",
    "\x00\x07\r\n\t \u200b\ufeff",
    "<|start|> typed <|end|>",
    "İstanbul ΣΑΣ ﬁ",
    "\ud83d half",
]


def with_tokenizer(tokenizer):
    """A small model that reads with this tokenizer."""
    return replace(_small(), tokenizer=tokenizer)


loaded = cache(load)


@cache
def _small():
    return small_model("bert")


@cache
def sentencepiece_like() -> Tokenizer:
    """A unigram model as SentencePiece writes it: spaces marked, a prefix, added tokens, a closing token."""
    pieces = [("<unk>", 0.0), ("</s>", 0.0), ("▁", -2.0), ("▁the", -3.0), ("▁c", -4.0), ("at", -3.5), ("s", -4.0)]
    pieces += [(letter, -6.0) for letter in "abcdefghijklmnoprtuvwy."]
    tokenizer = Tokenizer(models.Unigram(pieces, 0, False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.add_special_tokens(["</s>"])
    tokenizer.add_tokens([AddedToken("<extra>", normalized=False, lstrip=True)])
    return tokenizer


@cache
def llama_like() -> Tokenizer:
    """A BPE without a pre-tokenizer: the normaliser writes the spaces, unknown characters are bytes."""
    tokens = [
        "<unk>",
        *(f"<0x{byte:02X}>" for byte in range(256)),
        "▁",
        *"abcdefghijklmnoprstuvwy",
        "th",
        "the",
        "▁the",
    ]
    tokenizer = Tokenizer(
        models.BPE(
            {token: n for n, token in enumerate(tokens)},
            [("t", "h"), ("th", "e"), ("▁", "the")],
            unk_token="<unk>",
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.add_special_tokens(["<s>"])
    return tokenizer


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("text", HARD)
def test_the_steps_lead_to_the_tokenizers_answer(name, text):
    model = loaded(name)
    cut = tokenize(model, text)
    assert [token.token for token in cut.tokens] == input_tokens(model, text)
    assert cut.agreeing == cut.replayed == sum(not part.is_added for part in cut.pretokens)


@pytest.mark.parametrize("make", [sentencepiece_like, llama_like])
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(text=st.text("the cats. THE é你\n", max_size=20), is_special=st.booleans())
def test_other_pipelines_lead_to_the_tokenizers_answer(make, text, is_special):
    tokenizer = make()
    typed = f"{text} <extra><s>{text}" if is_special else text
    cut = tokenize(with_tokenizer(tokenizer), typed)
    assert [token.token.id for token in cut.tokens] == tokenizer.encode(typed).ids
    assert cut.agreeing == cut.replayed


def test_pre_tokens_keep_their_place_in_the_typed_text():
    parts = pretokens(sentencepiece_like(), "The CAT <extra> sat")
    assert [(part.text, part.start, part.end, part.is_added) for part in parts] == [
        ("▁the", 0, 3, False),
        ("▁cat", 3, 7, False),
        (" <extra>", 7, 15, True),
        ("▁sat", 15, 19, False),
    ]


def test_bytes_of_a_character_in_several_tokens():
    cut = tokenize(loaded("books-decoder"), "你")
    assert b"".join(token.content for token in cut.content) == "你".encode()
    assert [(token.start, token.end, token.pretoken) for token in cut.content] == [(0, 1, 0)] * 3
    assert cut.template == "<|start|> …"


def test_a_pair_and_its_template():
    cut = tokenize(loaded("books-encoder"), "the cat", "a dog")
    assert cut.template == "<|start|> … <|end|> … <|end|>"
    assert [cut.pretokens[token.pretoken].text for token in cut.content] == ["the", "Ġcat", "a", "Ġdog"]
    assert [token.token.segment for token in cut.content] == [0, 0, 1, 1]


def test_a_typed_special_token_is_no_template():
    cut = tokenize(loaded("books-decoder"), "<|start|>a")
    assert [(token.is_template, token.token.special) for token in cut.tokens] == [
        (True, True),
        (False, True),
        (False, False),
    ]
    assert cut.replayed == 1


def test_unknown_words_are_counted():
    cut = tokenize(loaded("tales-translator"), "Anna zyzzyva")
    assert cut.unknown == 1
    assert [token.content for token in cut.content] == [b"Anna", b"zyzzyva"]
    assert cut.algorithm == "WordLevel"


def test_a_tokenizer_in_python_tells_pieces_and_ids():
    cut = tokenize(with_tokenizer(ByT5Tokenizer()), "é!")
    assert cut.algorithm is None
    assert [token.content.hex() for token in cut.content] == ["c3", "a9", "21"]
    assert cut.template == "… </s>"
    assert tokenize(with_tokenizer(ByT5Tokenizer()), "").content == ()


def test_a_broken_tokenizer_is_told():
    class Broken:
        all_special_ids = ()

        def __call__(self, *_texts):
            raise IndexError("out of range")

    with pytest.raises(UserError, match=r"fails on this text: out of range"):
        tokenize(with_tokenizer(Broken()), "a")


def test_twenty_thousand_characters():
    cut = tokenize(loaded("books-decoder"), "the cat sat. " * 1_600)
    assert len(cut.text) > 20_000
    assert cut.agreeing == cut.replayed > 6_000
