"""The tokens of a text, each with its piece, its bytes and the characters that it stands for."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tokenizers import Encoding, Tokenizer

from playground.errors import UserError
from playground.lens.capture.alphabet import TOKENIZERS_KEPT, alphabet_of, piece_bytes
from playground.lens.capture.python_tokenizer import python_pieces
from playground.lens.capture.tokens import Token, encode, input_tokens, literal_ids, rust_tokenizer
from playground.models.rehearsal import encoding_of

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, kw_only=True)
class TextToken:
    """One token of a text, with where it comes from."""

    token: Token
    """Its id and readable label."""
    piece: str
    """As the vocabulary writes it."""
    content: bytes
    """The bytes that it stands for; empty for what the template adds."""
    start: int
    """The first of its characters in the text; equal to `end` where it has none, or where that is not known."""
    end: int
    pretoken: int | None
    """Which pre-token it belongs to; None for what the template adds, and where the tokenizer does not say."""
    is_template: bool = False
    """Whether the template added it: no character of the text stands behind it."""
    is_unknown: bool = False
    """Whether it stands for characters that the vocabulary lacks."""


def text_tokens(
    model: "LoadedModel", text: str, pair: str | None = None, *, first_of_pair: int = 0
) -> tuple[TextToken, ...]:
    """The tokens of a text or of a pair; first_of_pair: the number of the pair's first pre-token.

    Raises UserError where the tokenizer fails.
    """
    with tokenizer_errors(model):
        rust, labelled = rust_tokenizer(model.tokenizer), input_tokens(model, text, pair)
        if rust is None:
            return tuple(_python_tokens(model.tokenizer, labelled))
        encoding = encoding_of(rust, text, pair)
        return tuple(_rust_tokens(rust, encoding, labelled, first_of_pair, (text, pair or "")))


@contextmanager
def tokenizer_errors(model: "LoadedModel") -> Iterator[None]:
    """Within the block, whatever a tokenizer raises becomes a UserError."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # Rust panics and tokenizers of strangers: anything
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            "The tokenizer of {name} fails on this text: {reason}", name=model.name, reason=reason[:200]
        ) from error


def _rust_tokens(
    rust: Tokenizer, encoding: Encoding, labelled: list[Token], first_of_pair: int, texts: tuple[str, str]
) -> Iterator[TextToken]:
    """The tokens with pieces, bytes, spans and pre-tokens; what a decoder does not read is left out at the end."""
    alphabet, raw, unknown = alphabet_of(rust), literal_ids(rust), _unknown_ids(rust)
    columns = zip(labelled, encoding.offsets, encoding.word_ids, encoding.sequence_ids, strict=False)
    for token, (start, end), word, sequence in columns:
        piece = rust.id_to_token(token.id) or f"#{token.id}"
        is_template, is_unknown = word is None, word is not None and token.id in unknown
        content = piece.encode() if token.id in raw else piece_bytes(_bare(rust, piece), alphabet)
        if is_template or is_unknown:
            # An unknown token is spelled alike whatever it stands for.
            content = b"" if is_template else texts[sequence or 0][start:end].encode()
        yield TextToken(
            token=token,
            piece=piece,
            content=content,
            start=start,
            end=end,
            pretoken=None if word is None else word + (first_of_pair if sequence == 1 else 0),
            is_template=is_template,
            is_unknown=is_unknown,
        )


def _bare(rust: Tokenizer, piece: str) -> str:
    """A piece without the mark of one that goes on with a word, or ends it."""
    prefix = getattr(rust.model, "continuing_subword_prefix", None) or ""
    return piece.removeprefix(prefix).removesuffix(getattr(rust.model, "end_of_word_suffix", None) or "")


def _unknown_ids(rust: Tokenizer) -> set[int]:
    """The ids that stand for characters which the vocabulary lacks; at most one."""
    if type(rust.model).__name__ == "Unigram":
        return _unigram_unknown(rust)
    name = getattr(rust.model, "unk_token", None)
    unknown = None if name is None else rust.model.token_to_id(name)
    return set() if unknown is None else {int(unknown)}


@lru_cache(maxsize=TOKENIZERS_KEPT)
def _unigram_unknown(rust: Tokenizer) -> set[int]:
    unknown = json.loads(rust.model.__getstate__()).get("unk_id")
    return set() if unknown is None else {int(unknown)}


def _python_tokens(tokenizer: Any, labelled: list[Token]) -> Iterator[TextToken]:
    """What a tokenizer written in Python tells: pieces and ids."""
    unknown = getattr(tokenizer, "unk_token_id", None)
    pieces = python_pieces(tokenizer, [token.id for token in labelled], "source")
    edges, alphabet = _template_edges(tokenizer, labelled), alphabet_of(tokenizer)
    for position, (token, piece) in enumerate(zip(labelled, pieces, strict=True)):
        yield TextToken(
            token=token,
            piece=piece,
            content=b"" if position in edges else piece_bytes(piece, alphabet),
            start=0,
            end=0,
            pretoken=None,
            is_template=position in edges,
            is_unknown=token.id == unknown,
        )


def _template_edges(tokenizer: Any, labelled: list[Token]) -> set[int]:
    """The positions of special tokens at either end: what an empty text would be read as."""
    empty = [token.id for token in encode(tokenizer, "")]
    front = next((n for n, token in enumerate(labelled) if token.id not in empty), len(labelled))
    behind = next((n for n, token in enumerate(reversed(labelled)) if token.id not in empty), len(labelled))
    return {*range(front), *range(len(labelled) - behind, len(labelled))}
