"""Pre-tokens: what a tokenizer's algorithm gets, after added tokens, normaliser and pre-tokenizer.

The library does not report them. A tokenizer with the same settings, whose vocabulary is every single character,
gives them back: its tokens are characters, numbered by pre-token.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

from playground.lens.capture.alphabet import METASPACE

_UNKNOWN = "\x00?"


@dataclass(frozen=True, kw_only=True)
class Pretoken:
    """A stretch of text that is cut into tokens by itself."""

    text: str
    """In the vocabulary's spelling, such as "Ġcat" for " cat"."""
    start: int
    """The first character in the text that was typed."""
    end: int
    """Behind its last character."""
    is_added: bool = False
    """Whether it is a token that was added to the vocabulary, which no algorithm sees."""


def pretokens(tokenizer: Tokenizer, text: str) -> tuple[Pretoken, ...]:
    """The pre-tokens of a text, without what the template adds.

    >>> from tokenizers import normalizers
    >>> lowercase = Tokenizer(models.BPE()); lowercase.normalizer = normalizers.Lowercase()
    >>> lowercase.pre_tokenizer = pre_tokenizers.Whitespace()
    >>> [(part.text, part.start) for part in pretokens(lowercase, "The cat")]
    [('the', 0), ('cat', 4)]
    """
    twin = _character_twin(tokenizer, text)
    encoding = twin.encode(text, add_special_tokens=False)
    added = set(twin.get_added_tokens_decoder())
    characters = zip(encoding.word_ids, encoding.tokens, encoding.offsets, encoding.ids, strict=True)
    return tuple(_joined(characters, added))


def _joined(characters: Iterable[tuple[int | None, str, tuple[int, int], int]], added: set[int]) -> Iterator[Pretoken]:
    """The characters of each pre-token put together; an added token is one piece."""
    for _word, group in groupby(characters, key=lambda character: character[0]):
        _ids, pieces, spans, ids = zip(*group, strict=True)
        starts, ends = zip(*spans, strict=True)
        is_added = len(ids) == 1 and ids[0] in added
        yield Pretoken(text="".join(pieces), start=min(starts), end=max(ends), is_added=is_added)


def _character_twin(tokenizer: Tokenizer, text: str) -> Tokenizer:
    """A tokenizer with the same settings before its algorithm, which cuts pre-tokens into characters."""
    letters = {*pre_tokenizers.ByteLevel.alphabet(), *text, METASPACE, " "}
    if tokenizer.normalizer is not None:
        letters |= set(tokenizer.normalizer.normalize_str(text))
        # Normalised alone a character may become another one: ς and σ are both Σ in small letters.
        letters |= {letter for each in set(text) for letter in tokenizer.normalizer.normalize_str(each)}
    vocabulary = {_UNKNOWN: 0} | {letter: index for index, letter in enumerate(sorted(letters), 1)}
    twin = Tokenizer(models.BPE(vocabulary, [], unk_token=_UNKNOWN))
    if tokenizer.normalizer is not None:
        twin.normalizer = tokenizer.normalizer
    if tokenizer.pre_tokenizer is not None:
        twin.pre_tokenizer = tokenizer.pre_tokenizer
    twin.add_tokens(_occurring(tokenizer, text))
    twin.encode_special_tokens = tokenizer.encode_special_tokens
    return twin


def _occurring(tokenizer: Tokenizer, text: str) -> list[AddedToken]:
    """The added tokens that may stand in a text: some vocabularies have thousands."""
    normalise = tokenizer.normalizer.normalize_str if tokenizer.normalizer is not None else str
    normalised = normalise(text)
    added = tokenizer.get_added_tokens_decoder()
    return [
        added[id]
        for id in sorted(added)
        if added[id].content in text or (added[id].normalized and normalise(added[id].content) in normalised)
    ]
