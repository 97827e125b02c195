"""The characters of a vocabulary's pieces: GPT-2's for bytes, SentencePiece's with ▁ for a space, or the text's."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tokenizers import Tokenizer

BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")
"""A byte in a vocabulary that falls back to bytes."""
METASPACE = "\u2581"
"""How SentencePiece vocabularies write a space."""
TOKENIZERS_KEPT = 8
"""Of how many tokenizers the alphabet is known, and a unigram vocabulary's unknown token."""


@dataclass(frozen=True, kw_only=True)
class Alphabet:
    """What the characters of a vocabulary's pieces stand for: the text's own, where nothing else is said."""

    is_bytes: bool = False
    """Whether each character is a byte, as in GPT-2's vocabulary."""
    space: str = " "
    """What is written for a space: mostly ▁, but a vocabulary may have any sign."""


def alphabet_of(tokenizer: Any) -> Alphabet:
    """The alphabet of a `tokenizers.Tokenizer`, or of a tokenizer written in Python.

    A vocabulary that does not write spaces as ▁ may have that character as a token of its own.
    """
    if not isinstance(tokenizer, Tokenizer):
        return Alphabet(space=METASPACE if _puts_spaces(tokenizer) else " ")
    parts = (tokenizer.decoder, tokenizer.normalizer, tokenizer.pre_tokenizer)
    # Not by repr, which panics where it cuts a long setting within a character.
    return _alphabet_of(*(b"null" if part is None else part.__getstate__() for part in parts))


@lru_cache(maxsize=TOKENIZERS_KEPT)
def _alphabet_of(decoder: bytes, *encoders: bytes) -> Alphabet:
    settings = b"".join((decoder, *encoders))
    if b'"ByteLevel"' in settings:
        return Alphabet(is_bytes=True)
    read = [_read_as_space(part) for part in _parts(json.loads(decoder))]
    written = [_written_for_space(part) for encoder in encoders for part in _parts(json.loads(encoder))]
    signs = [sign for sign in (*read, *written) if sign and sign.strip()]
    return Alphabet(space=signs[0] if signs else METASPACE if METASPACE.encode() in settings else " ")


def _parts(setting: Any) -> Iterator[dict[str, Any]]:
    """A normaliser, pre-tokenizer or decoder and those within it."""
    within = setting if isinstance(setting, list) else setting.values() if isinstance(setting, dict) else ()
    if isinstance(setting, dict):
        yield setting
    for part in within:
        yield from _parts(part)


def _written_for_space(part: dict[str, Any]) -> str | None:
    """What a normaliser or pre-tokenizer makes of a space."""
    is_space = part.get("type") == "Replace" and part["pattern"].get("String") == " "
    return part["content"] if is_space else part.get("replacement")


def _read_as_space(part: dict[str, Any]) -> str | None:
    """What a decoder makes a space of."""
    is_space = part.get("type") == "Replace" and part["content"] == " "
    return part["pattern"].get("String") if is_space else part.get("replacement")


def is_byte_level(tokenizer: Tokenizer) -> bool:
    """Whether the vocabulary is written in GPT-2's byte alphabet."""
    return alphabet_of(tokenizer).is_bytes


def _puts_spaces(tokenizer: Any) -> bool:
    """Whether a tokenizer written in Python makes a space of ▁."""
    try:
        return METASPACE not in tokenizer.convert_tokens_to_string(["a", f"{METASPACE}b"])
    except (KeyError, TypeError, ValueError):  # ByT5 takes characters of one byte only
        return False


def piece_bytes(piece: str, alphabet: Alphabet) -> bytes:
    """The bytes that a piece of the vocabulary encodes."""
    if alphabet.is_bytes:
        table = _byte_level_table()
        return bytes(table[c] for c in piece) if all(c in table for c in piece) else piece.encode()
    match = BYTE_TOKEN.fullmatch(piece)
    if match:
        return bytes([int(match[1], 16)])
    return piece.replace(alphabet.space, " ").encode()


@lru_cache(maxsize=1)
def _byte_level_table() -> dict[str, int]:
    """GPT-2's byte alphabet: a printable character for each of the 256 bytes (Radford et al. 2019)."""
    printable = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    ]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}
