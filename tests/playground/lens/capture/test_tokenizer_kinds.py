"""Tokenizers of every make: what was read is shown, the same at each reading."""

import json
from dataclasses import replace

import pytest
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from playground.lens.capture.text_tokens import text_tokens
from playground.lens.capture.tokens import encode, input_tokens
from tests.helpers.families import small_model

CORPUS = ["the café sat on the mat, naïve résumé 北京 \U0001f600 the cat"] * 20
TEXT = "the café sat on the mat"


def fast(tokenizer: Tokenizer) -> transformers.PreTrainedTokenizerFast:
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer)


@pytest.fixture(scope="module")
def byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def test_dropout_of_merges_is_off(byte_level):
    saved = json.loads(byte_level.to_str())
    saved["model"]["dropout"] = 0.5
    random = fast(Tokenizer.from_str(json.dumps(saved)))
    readings = {tuple(token.id for token in encode(random, TEXT)) for _ in range(10)}
    assert readings == {tuple(byte_level.encode(TEXT).ids)}


def test_truncation_and_padding_that_were_saved_are_off(byte_level):
    saved = Tokenizer.from_str(byte_level.to_str())
    saved.enable_truncation(3)
    saved.enable_padding(length=20)
    assert "".join(token.text for token in encode(fast(saved), TEXT)) == TEXT


def test_a_unigram_vocabulary_with_decomposed_accents():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.normalizer = normalizers.NFD()
    trainer = trainers.UnigramTrainer(vocab_size=60, unk_token="<unk>", special_tokens=["<unk>"], show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    labels = [token.text for token in encode(fast(tokenizer), "the café 北☃")]
    # The accent is a character of its own; what no piece covers is one unknown token.
    assert "".join(labels) == " the cafe\u0301 北<unk>"


@pytest.mark.parametrize("sign", ["_", "·", "Ġ", "▁"])
@pytest.mark.parametrize("part", ["metaspace", "normaliser", "decoder"])
def test_whatever_a_vocabulary_writes_for_a_space_is_shown_as_a_space(sign, part):
    """Only ▁ was known."""
    tokenizer = Tokenizer(models.BPE())
    if part == "metaspace":
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=sign, prepend_scheme="never")
    else:
        # What the hyphen becomes is no sign of a space.
        steps = [normalizers.Replace("-", " "), normalizers.Replace(Regex("!+"), "!"), normalizers.Replace(" ", sign)]
        tokenizer.normalizer = normalizers.Sequence(steps)
    if part == "decoder":
        tokenizer.decoder = decoders.Sequence([decoders.Replace(sign, " "), decoders.Fuse()])
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=90, show_progress=False))
    assert "".join(token.text for token in encode(fast(tokenizer), TEXT)) == TEXT
    model = replace(small_model("gpt2"), tokenizer=fast(tokenizer))
    assert b"".join(token.content for token in text_tokens(model, TEXT)).decode() == TEXT


def test_a_word_piece_vocabulary_in_lower_case_with_a_pair():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.WordPieceTrainer(vocab_size=90, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    tokens = encode(fast(tokenizer), "The CAFÉ", "mat")
    assert [token.text for token in tokens] == ["[CLS]", "the", "cafe", "[SEP]", "mat", "[SEP]"]
    assert [token.segment for token in tokens] == [0, 0, 0, 0, 1, 1]
    assert [token.special for token in tokens] == [True, False, False, True, False, True]


def test_a_template_that_opens_twice(byte_level):
    opening = Tokenizer.from_str(byte_level.to_str())
    opening.add_special_tokens(["<s>"])
    start = opening.token_to_id("<s>")
    opening.post_processor = processors.TemplateProcessing(single="<s> <s> $A", special_tokens=[("<s>", start)])
    assert [token.text for token in encode(fast(opening), "the cat")] == ["<s>", "<s>", "the", " cat"]


def test_a_normaliser_that_replaces_words_shows_what_was_read(byte_level):
    replacing = Tokenizer.from_str(byte_level.to_str())
    replacing.normalizer = normalizers.Replace("cat", "mat")
    assert "".join(token.text for token in encode(fast(replacing), "the cat")) == "the mat"


def closed_letters(normalizer: normalizers.Normalizer | None = None, *, unknown: bool) -> Tokenizer:
    vocabulary = {piece: id for id, piece in enumerate(["<s>", "</s>", "<unk>", "A", "C", "G", "T"])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>" if unknown else None))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.add_special_tokens(["<s>", "</s>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    return tokenizer


@pytest.mark.parametrize(
    "tokenizer",
    [
        closed_letters(unknown=True),
        closed_letters(unknown=False),
        closed_letters(normalizers.Replace(Regex("[^ACGT]"), ""), unknown=True),
    ],
)
def test_a_decoder_s_text_stays_open_whatever_letters_the_vocabulary_has(tokenizer):
    model = replace(small_model("llama"), tokenizer=tokenizer)
    assert [token.text for token in input_tokens(model, "ACGT")] == ["<s>", "A", "C", "G", "T"]
    # One that is typed is no part of the template.
    assert [token.text for token in input_tokens(model, "AC</s>")] == ["<s>", "A", "C", "</s>"]
    assert [token.text for token in input_tokens(model, "")] == ["<s>"]


@pytest.mark.parametrize(("text", "ids"), [("ab", [100, 101]), ("", []), ("é", [198, 172])])
def test_a_decoder_s_text_stays_open_with_a_tokenizer_in_python(text, ids):
    model = replace(small_model("llama"), tokenizer=transformers.ByT5Tokenizer())
    assert [token.id for token in input_tokens(model, text)] == ids


def test_a_line_of_its_own_is_a_space_only_where_the_vocabulary_writes_spaces_so():
    vocabulary = {"[UNK]": 0, "cat": 1, "\u2581": 2}
    pieces = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    pieces.decoder = decoders.WordPiece()
    assert [token.text for token in encode(fast(pieces), "cat \u2581")] == ["cat", "\u2581"]
    spaced = Tokenizer(models.WordLevel({"[UNK]": 0, "\u2581cat": 1}, unk_token="[UNK]"))
    # As Llama's tokenizers are written: without the pre-tokenizer of that name.
    spaced.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    assert [token.text for token in encode(fast(spaced), "cat")] == [" cat"]
    assert [token.text for token in encode(transformers.ByT5Tokenizer(), "\u2581")][:3] == [
        "\u2581₁",
        "\u2581₂",
        "\u2581₃",
    ]
