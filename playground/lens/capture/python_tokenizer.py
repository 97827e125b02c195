"""Tokenizers written in Python: their pieces, in one vocabulary or two, and what they put behind a text.

Marian's may have a vocabulary for each side, FSMT's always has: one id is spelled otherwise in source and target.
"""

from typing import Any, Literal
from weakref import WeakKeyDictionary

from playground.models.adapters.adapter import TOKENIZER_LOCK

Side = Literal["source", "target"]
PROBES = ("a", "A", "0")
"""Texts that stand in for one without tokens."""


def python_pieces(tokenizer: Any, ids: list[int], side: Side) -> list[str]:
    """The vocabulary's spelling of token ids; a byte as <0xNN>."""
    spelled = _two_vocabularies(tokenizer).get(side)
    if spelled is not None:
        return [spelled.get(id, f"#{id}") for id in ids]
    pieces = [str(piece) for piece in tokenizer.convert_ids_to_tokens(ids)]
    if getattr(tokenizer, "_utf_vocab_size", None) == 256:
        # ByT5 and Perceiver spell the byte 195 as the character 195.
        return [piece if len(piece) > 1 else f"<0x{ord(piece):02X}>" for piece in pieces]
    return pieces


def python_special_ids(tokenizer: Any, side: Side) -> set[int]:
    """Ids of the special tokens in one side's vocabulary."""
    spelled = _two_vocabularies(tokenizer).get(side)
    if spelled is None:
        return set(tokenizer.all_special_ids)
    special = set(tokenizer.all_special_tokens)
    return {id for id, piece in spelled.items() if piece in special}


def python_ids(tokenizer: Any, text: str, pair: str | None = None, **options: bool) -> list[int]:
    """What the tokenizer makes of a text, or of two; options: as transformers names them."""
    with TOKENIZER_LOCK:  # somebody's target may have switched the tokenizer to its target side
        return [int(id) for id in tokenizer(text, pair, **options)["input_ids"]]


def python_closing_tokens(tokenizer: Any, text: str) -> int:
    """How many tokens the tokenizer puts behind a text."""
    for one in (text, *PROBES):
        bare = python_ids(tokenizer, one, add_special_tokens=False)
        read = python_ids(tokenizer, one)
        fits = (at for at in range(len(read) - len(bare) + 1) if read[at : at + len(bare)] == bare)
        if bare:
            return len(read) - len(bare) - next(fits, len(read) - len(bare))
    return 0


def _two_vocabularies(tokenizer: Any) -> dict[Side, dict[int, str]]:
    """The spellings of ids in source and target; empty for a tokenizer of one vocabulary."""
    if tokenizer not in _vocabularies:
        source, target = getattr(tokenizer, "encoder", None), getattr(tokenizer, "decoder", None)
        found: dict[Side, dict[int, str]] = {}
        if isinstance(source, dict) and isinstance(target, dict):
            inverse = {id: piece for piece, id in source.items()}
            found = {} if inverse == target else {"source": inverse, "target": target}
        _vocabularies[tokenizer] = found
    return _vocabularies[tokenizer]


_vocabularies: WeakKeyDictionary[Any, dict[Side, dict[int, str]]] = WeakKeyDictionary()
