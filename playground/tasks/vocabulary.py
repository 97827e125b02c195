"""Train vocabularies on the spot with the tokenizers library: byte-level BPE, words, characters.

A decoder reads START and the text. An encoder, and the source of an encoder-decoder, read START, the text and END,
or START, one text, END, a second text and END; the five special tokens then have the same ids in every vocabulary.
"""

from collections.abc import Iterable
from typing import Literal, get_args

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from playground.errors import UserError
from playground.special_tokens import END, END_ID, SPECIALS, START, START_ID, UNKNOWN
from playground.transformer import ModelKind, check_choice

VocabularyKind = Literal["bpe", "characters", "words"]
LARGEST_VOCABULARY = 65536
"""Token ids are stored in 16 bits."""

_ELISION = r"\w+'(?=\w\w)|'\w\b"
_WORDS = rf"{_ELISION}|\p{{Han}}|[\w&&[^\p{{Han}}]]+|[^\w\s]"
"""A word: l' before its noun, 's after its owner, one Chinese character, a run of letters, or one sign."""
_HAN = r"\p{Han}。，？！：；"
_GLUED = rf" (?=[.,;:?!…)\]])| (?='\w\b)|(?<=\w') (?=\w)|(?<=[(\[]) |(?<=[{_HAN}]) (?=[{_HAN}])"
"""Spaces between tokens that plain text does not have."""


def train_vocabulary(
    kind: VocabularyKind, texts: Iterable[str], size: int, *, model: ModelKind = "decoder"
) -> Tokenizer:
    """Train a tokenizer of at most `size` tokens; its encodings have the special tokens of that kind of model."""
    check_vocabulary(kind, size, model=model)
    return _finish(_BUILDERS[kind](texts, size, model), model)


def word_vocabulary(words: Iterable[str], *, model: ModelKind = "decoder") -> Tokenizer:
    """One token per word, in order; Chinese text is split into the longest of these words."""
    specials = _specials("words", model)
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys([*specials, *words]))}
    chinese = sorted((word for word in vocabulary if _is_han(word)), key=len, reverse=True)
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    _split_words(tokenizer, "|".join([*chinese, _WORDS]))
    tokenizer.add_special_tokens(specials)
    return _finish(tokenizer, model)


def check_vocabulary(kind: str, size: object, *, model: ModelKind = "decoder") -> None:
    """Raise UserError for an unknown kind of vocabulary, or a size out of its range."""
    check_choice("vocabulary", kind, get_args(VocabularyKind))
    if not isinstance(size, int) or isinstance(size, bool) or size > LARGEST_VOCABULARY:
        raise UserError(
            "vocabulary_size is {size!r}; choose at most {largest_vocabulary} tokens.",
            size=size,
            largest_vocabulary=LARGEST_VOCABULARY,
        )
    special = len(_specials(kind, model))
    if kind == "bpe" and size < 256 + special:
        raise UserError(
            "A byte-level vocabulary needs at least {smallest} tokens: 256 bytes and the special tokens ({special}).",
            smallest=256 + special,
            special=special,
        )
    if size < special + 1:
        raise UserError(
            "A vocabulary of {kind} needs at least {smallest} tokens: one and the special tokens ({special}).",
            kind=kind,
            smallest=special + 1,
            special=special,
        )


def _specials(kind: str, model: ModelKind) -> list[str]:
    """The special tokens in the order of their ids. Bytes spell everything, so BPE needs no UNKNOWN in a decoder."""
    if model == "decoder":
        return [START] if kind == "bpe" else [START, UNKNOWN]
    return list(SPECIALS)


def _finish(tokenizer: Tokenizer, model: ModelKind) -> Tokenizer:
    """Add the special tokens around every encoding."""
    steps = [processors.ByteLevel(trim_offsets=False)] if isinstance(tokenizer.model, models.BPE) else []
    tokenizer.post_processor = processors.Sequence([*steps, _template(model)])
    return tokenizer


def _template(model: ModelKind) -> processors.TemplateProcessing:
    if model == "decoder":
        return processors.TemplateProcessing(single=f"{START} $A", special_tokens=[(START, START_ID)])
    return processors.TemplateProcessing(
        single=f"{START} $A {END}",
        pair=f"{START}:0 $A:0 {END}:0 $B:1 {END}:1",
        special_tokens=[(START, START_ID), (END, END_ID)],
    )


def _train_bpe(texts: Iterable[str], size: int, model: ModelKind) -> Tokenizer:
    """Byte-level BPE (Radford et al. 2019, section 2.2): any text in any script has tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = _straight_quotes()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=_specials("bpe", model),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _train_characters(texts: Iterable[str], size: int, model: ModelKind) -> Tokenizer:
    """One token for each of the most frequent characters, and one for all others."""
    specials = _specials("characters", model)
    counts: dict[str, int] = {}
    for text in texts:
        for character in text:
            counts[character] = counts.get(character, 0) + 1
    kept = sorted(sorted(counts), key=lambda character: -counts[character])[: max(1, size - len(specials))]
    vocabulary = {token: index for index, token in enumerate([*specials, *kept])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([token for token in specials if token != UNKNOWN])
    return tokenizer


def _train_words(texts: Iterable[str], size: int, model: ModelKind) -> Tokenizer:
    """One token for each of the most frequent words and signs, and one for all others."""
    specials = _specials("words", model)
    tokenizer = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
    tokenizer.normalizer = _straight_quotes()
    _split_words(tokenizer, _WORDS)
    trainer = trainers.WordLevelTrainer(vocab_size=size, special_tokens=specials, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _split_words(tokenizer: Tokenizer, pattern: str) -> None:
    """Split text by a pattern, and decode words with the spaces that plain text has."""
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    # The prefix is the mark of a word's continuation in WordPiece; a space never stands within a word.
    spaced = decoders.WordPiece(prefix=" ", cleanup=False)
    tokenizer.decoder = decoders.Sequence([spaced, decoders.Fuse(), decoders.Replace(Regex(_GLUED), "")])


def _straight_quotes() -> normalizers.Normalizer:
    return normalizers.Sequence(
        [
            normalizers.Replace(Regex("[\u2018\u2019]"), "'"),
            normalizers.Replace(Regex("[\u201c\u201d]"), '"'),
        ]
    )


def _is_han(word: str) -> bool:
    return all("\u4e00" <= character <= "\u9fff" for character in word)


_BUILDERS = {"bpe": _train_bpe, "characters": _train_characters, "words": _train_words}
