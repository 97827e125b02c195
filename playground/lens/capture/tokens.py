"""Tokenize a text, and label tokens readably in any script, without replacement characters."""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from tokenizers import Tokenizer

from playground.decoding import well_formed
from playground.errors import UserError
from playground.lens.capture.alphabet import Alphabet, alphabet_of, is_byte_level, piece_bytes
from playground.lens.capture.python_tokenizer import (
    PROBES,
    Side,
    python_closing_tokens,
    python_ids,
    python_pieces,
    python_special_ids,
)
from playground.models.adapters.adapter import TOKENIZER_LOCK
from playground.models.rehearsal import encoding_of

if TYPE_CHECKING:
    from playground.models import LoadedModel

TOKEN_LIMIT = 2048
_SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"


class TooLongError(UserError):
    """The text has more tokens than can be traced; `count` and `limit` let a page offer to cut it."""

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(
            "The text has {count:,} tokens; at most {limit:,} fit. Shorten it, or cut it after {limit:,} tokens.",
            count=count,
            limit=limit,
        )
        self.count = count
        self.limit = limit


class EmptyTextError(UserError):
    """The text has no tokens."""

    def __init__(self) -> None:
        super().__init__("The text has no tokens; type a few words.")


@dataclass(frozen=True, kw_only=True)
class Token:
    """One token of a text."""

    id: int
    text: str
    """A readable label."""
    special: bool = False
    """Whether it is a special token, added by the tokenizer or typed."""
    segment: int = 0
    """0 for the first sentence of a pair, 1 for the second."""


def encode(tokenizer: Any, text: str, pair: str | None = None) -> list[Token]:
    """Tokenize a text or a sentence pair, with the special tokens that the model expects.

    Raises UserError where the tokenizer fails, or takes too long.
    """
    rust = rust_tokenizer(tokenizer)
    text, pair = well_formed(text), None if pair is None else well_formed(pair)
    return _encode_slow(tokenizer, text, pair) if rust is None else _encode_fast(rust, text, pair)


def input_tokens(model: "LoadedModel", text: str, pair: str | None = None) -> list[Token]:
    """What a model reads of a text. A decoder's text stays open: its next token follows the text, not a closing token.

    Some tokenizers close every text (`<s> … </s>`), as training wanted it.
    """
    tokens = encode(model.tokenizer, text, pair)
    if model.kind != "decoder" or not tokens or not tokens[-1].special:
        return tokens
    rust, text = rust_tokenizer(model.tokenizer), well_formed(text)
    n_closing = python_closing_tokens(model.tokenizer, text) if rust is None else _closing_tokens(rust, text)
    return tokens[: len(tokens) - n_closing]


def _closing_tokens(tokenizer: Tokenizer, text: str) -> int:
    """How many tokens the tokenizer's template puts behind a text; one without tokens is stood in for."""
    masks = (encoding_of(tokenizer, one).special_tokens_mask for one in (text, *PROBES))
    return next((mask[::-1].index(0) for mask in masks if 0 in mask), 0)


def rust_tokenizer(tokenizer: Any) -> Tokenizer | None:
    """The `tokenizers.Tokenizer` behind a tokenizer, without truncation, padding, dropout; None if it is pure Python.

    A copy, made once per tokenizer: transformers changes the settings of its own at each call, which is not
    thread-safe.
    """
    if isinstance(tokenizer, Tokenizer):
        return tokenizer
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return None
    with TOKENIZER_LOCK:
        if tokenizer not in _copies:
            copy = Tokenizer.from_str(backend.to_str())
            copy.no_truncation()
            copy.no_padding()
            if getattr(copy.model, "dropout", None):
                # BPE-dropout (Provilkov et al. 2020) is for training: a text would be cut otherwise at each reading.
                copy.model.dropout = None
            _copies[tokenizer] = copy
        return _copies[tokenizer]


_copies: WeakKeyDictionary[Any, Tokenizer] = WeakKeyDictionary()


def _encode_fast(tokenizer: Tokenizer, text: str, pair: str | None) -> list[Token]:
    """Encode with the tokenizers library, which reports special tokens and segments."""
    encoding = encoding_of(tokenizer, text, pair)
    added = _special_ids(tokenizer)
    special = [bool(mask) or id in added for mask, id in zip(encoding.special_tokens_mask, encoding.ids, strict=True)]
    segments = _segments(encoding.sequence_ids)
    pieces = [tokenizer.id_to_token(id) or f"#{id}" for id in encoding.ids]
    raw = literal_ids(tokenizer)
    return _labelled_tokens(encoding.ids, pieces, special, segments, raw, alphabet_of(tokenizer))


def _encode_slow(tokenizer: Any, text: str, pair: str | None) -> list[Token]:
    """Encode with a tokenizer written in Python (Marian), which reports ids only."""
    return label(tokenizer, python_ids(tokenizer, text, pair), "source")


def label(tokenizer: Any, ids: list[int], side: Side = "target") -> list[Token]:
    """Label token ids, such as generated ones, and mark the special ones; side: of a tokenizer of two vocabularies."""
    rust = rust_tokenizer(tokenizer)
    if rust is not None:
        added = _special_ids(rust)
        pieces = [rust.id_to_token(id) or f"#{id}" for id in ids]
        raw = literal_ids(rust)
    else:
        added = raw = python_special_ids(tokenizer, side)
        pieces = python_pieces(tokenizer, ids, side)
    alphabet = alphabet_of(tokenizer if rust is None else rust)
    return _labelled_tokens(ids, pieces, [id in added for id in ids], [0] * len(ids), raw, alphabet)


def check_position(position: int, length: int) -> None:
    """Raise UserError for a position that `length` tokens do not have; -1 is the last one."""
    if not -length <= position < length:
        raise UserError(
            "There is no position {position}; choose {first} to {last}.",
            position=position,
            first=-length,
            last=length - 1,
        )


def can_read(model: "LoadedModel", *texts: str) -> bool:
    """Whether the vocabulary covers the texts and the context holds each of them."""
    unknown, limit = model.adapter.unknown_id(), min(model.context, TOKEN_LIMIT)
    encoded = [[token.id for token in encode(model.tokenizer, text)] for text in texts]
    return all(unknown not in ids and len(ids) <= limit for ids in encoded)


def symbols_of(model: "LoadedModel", count: int, seed: int = 0) -> list[int]:
    """Ids of at most `count` random tokens of the vocabulary, each another, without special ones."""
    rust = rust_tokenizer(model.tokenizer)
    special: set[int | None] = set() if rust is None else {*_special_ids(rust), model.adapter.unknown_id()}
    ids = [] if rust is None else sorted(set(rust.get_vocab().values()) - special)
    return [ids[index] for index in np.random.default_rng(seed).permutation(len(ids))[:count]]


def spell_symbols(model: "LoadedModel", ids: list[int]) -> str:
    """A text that these tokens, and no others, are read from; empty where there is none."""
    tokenizer = model.tokenizer
    spellings = (str(tokenizer.decode(ids)), "".join(token.text for token in label(tokenizer, ids)))
    read = ([token.id for token in encode(tokenizer, text) if not token.special] for text in spellings)
    return next((text for text, known in zip(spellings, read, strict=True) if known == ids), "")


def _special_ids(tokenizer: Tokenizer) -> set[int]:
    """Ids of the special tokens; a typed one counts, too."""
    return {id for id, token in tokenizer.get_added_tokens_decoder().items() if token.special}


def _segments(sequence_ids: list[int | None]) -> list[int]:
    """The sentence of each token; a separator belongs to the one before it: [None, 0, None, 1] is [0, 0, 0, 1]."""
    current = 0
    segments = []
    for sequence in sequence_ids:
        current = current if sequence is None else sequence
        segments.append(current)
    return segments


def _labelled_tokens(
    ids: list[int], pieces: list[str], special: list[bool], segments: list[int], raw: set[int], alphabet: Alphabet
) -> list[Token]:
    texts = readable(pieces, [id in raw for id in ids], alphabet)
    fields = zip(ids, texts, special, segments, strict=True)
    return [Token(id=id, text=text, special=added, segment=segment) for id, text, added, segment in fields]


def literal_ids(tokenizer: Tokenizer) -> set[int]:
    """Ids whose piece is the text itself: special tokens, and in a byte-level vocabulary every token added later."""
    added = tokenizer.get_added_tokens_decoder()
    return set(added) if is_byte_level(tokenizer) else {id for id, token in added.items() if token.special}


def readable(pieces: list[str], raw: list[bool], alphabet: Alphabet) -> list[str]:
    """Labels for pieces of a vocabulary; a raw one is its own text.

    A character that is split over several tokens is shown in each, numbered: an emoji of three tokens becomes
    😀₁ 😀₂ 😀₃. Bytes that belong to no character are shown as \\xNN.
    """
    chunks = [
        piece.encode() if is_raw else piece_bytes(piece, alphabet) for piece, is_raw in zip(pieces, raw, strict=True)
    ]
    characters = _characters(b"".join(chunks))
    labels, position, parts = [], 0, Counter[int]()
    for chunk in chunks:
        labels.append(_label(characters, position, position + len(chunk), parts))
        position += len(chunk)
    return [label if chunk else piece for label, chunk, piece in zip(labels, chunks, pieces, strict=True)]


def _characters(content: bytes) -> list[tuple[int, int, str]]:
    """The characters in a byte string as (first byte, end, character); stray bytes as \\xNN."""
    spans: list[tuple[int, int, str]] = []
    position = 0
    while position < len(content):
        for length in range(1, 5):
            try:
                character = content[position : position + length].decode()
            except UnicodeDecodeError:
                continue
            spans.append((position, position + length, character))
            break
        else:
            length = 1
            spans.append((position, position + 1, f"\\x{content[position]:02X}"))
        position += length
    return spans


def _label(characters: list[tuple[int, int, str]], begin: int, end: int, parts: Counter[int]) -> str:
    """The characters that overlap a byte range. `parts` counts the tokens of a split one, by its first byte."""
    text = ""
    for first, last, character in _overlapping(characters, begin, end):
        text += character
        if first < begin or end < last:
            parts[first] += 1
            text += _SUBSCRIPTS[parts[first]]
    return text


def _overlapping(characters: list[tuple[int, int, str]], begin: int, end: int) -> list[tuple[int, int, str]]:
    """The spans, sorted, that overlap a byte range."""
    index = max(0, bisect_right(characters, begin, key=lambda span: span[0]) - 1)
    overlapping = []
    while index < len(characters) and characters[index][0] < end:
        if characters[index][1] > begin:
            overlapping.append(characters[index])
        index += 1
    return overlapping
