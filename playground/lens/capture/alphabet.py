"""The characters of a vocabulary's pieces: GPT-2's for bytes, SentencePiece's with ▁ for a space, or the text's."""

import re
from functools import lru_cache
from typing import Any, Literal

from tokenizers import Tokenizer

Alphabet = Literal["bytes", "metaspace", "letters"]
BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")
"""A byte in a vocabulary that falls back to bytes."""
METASPACE = "\u2581"
"""How SentencePiece vocabularies write a space."""


def alphabet_of(tokenizer: Any) -> Alphabet:
    """The alphabet of a `tokenizers.Tokenizer`, or of a tokenizer written in Python.

    A vocabulary that does not write spaces as ▁ may have that character as a token of its own.
    """
    if not isinstance(tokenizer, Tokenizer):
        return "metaspace" if _puts_spaces(tokenizer) else "letters"
    if is_byte_level(tokenizer):
        return "bytes"
    settings = _settings(tokenizer)
    return "metaspace" if b'"Metaspace"' in settings or METASPACE.encode() in settings else "letters"


def is_byte_level(tokenizer: Tokenizer) -> bool:
    """Whether the vocabulary is written in GPT-2's byte alphabet."""
    return b'"ByteLevel"' in _settings(tokenizer)


def _puts_spaces(tokenizer: Any) -> bool:
    """Whether a tokenizer written in Python makes a space of ▁."""
    try:
        return METASPACE not in tokenizer.convert_tokens_to_string(["a", f"{METASPACE}b"])
    except (KeyError, TypeError, ValueError):  # ByT5 takes characters of one byte only
        return False


def _settings(tokenizer: Tokenizer) -> bytes:
    parts = (tokenizer.decoder, tokenizer.pre_tokenizer, tokenizer.normalizer)
    # Not by repr, which panics where it cuts a long setting within a character.
    return b"".join(part.__getstate__() for part in parts if part is not None)


def piece_bytes(piece: str, alphabet: Alphabet) -> bytes:
    """The bytes that a piece of the vocabulary encodes."""
    if alphabet == "bytes":
        table = _byte_level_table()
        return bytes(table[c] for c in piece) if all(c in table for c in piece) else piece.encode()
    match = BYTE_TOKEN.fullmatch(piece)
    if match:
        return bytes([int(match[1], 16)])
    return (piece.replace(METASPACE, " ") if alphabet == "metaspace" else piece).encode()


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
