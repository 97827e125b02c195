"""Texts as a head reads them: ids, segments and the characters of each token, cut as transformers would cut them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tokenizers import Encoding, Tokenizer

from playground.decoding import well_formed
from playground.errors import UserError
from playground.lens.capture.tokens import TOKEN_LIMIT, EmptyTextError, Token, TooLongError, label, rust_tokenizer
from playground.models.adapters.adapter import TOKENIZER_LOCK
from playground.models.rehearsal import encoding_of

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, kw_only=True)
class EncodedRow:
    """A text, or two, as tokens."""

    text: str
    pair: str | None
    ids: tuple[int, ...]
    segments: tuple[int, ...]
    """The token types that the tokenizer gives."""
    sequences: tuple[int | None, ...]
    """Which text each token is of, 0 or 1; None for one that the tokenizer added."""
    offsets: tuple[tuple[int, int], ...]
    """First character and end of each token in its text; empty where the tokenizer reports none."""
    length: int
    """Tokens before the row was cut to the model's context."""

    @property
    def is_cut(self) -> bool:
        """Whether the model reads less than the text."""
        return len(self.ids) < self.length

    def characters(self, first: int, last: int) -> tuple[int, int]:
        """The first character and the end of a run of tokens of one text."""
        return self.offsets[first][0], self.offsets[last][1]

    def tokens(self, model: "LoadedModel") -> list[Token]:
        """The tokens with labels that a person can read; those that the tokenizer added are special."""
        labelled = label(model.tokenizer, list(self.ids))
        return [
            Token(id=token.id, text=token.text, special=token.special or sequence is None, segment=sequence or 0)
            for token, sequence in zip(labelled, self.sequences, strict=True)
        ]


def encode_row(model: "LoadedModel", text: str, pair: str | None = None, *, truncate: bool = False) -> EncodedRow:
    """Tokenize a text, or two, with all special tokens; a decoder's too, as its classifier was trained.

    truncate: cut the longer text to the context, special tokens kept; of a question and its passage the passage.
    Raises EmptyTextError for a text of nothing but spaces, and TooLongError for one that does not fit.
    """
    text, pair = well_formed(text), None if pair is None else well_formed(pair)
    if not text.strip() or (pair is not None and not pair.strip()):
        raise EmptyTextError()
    rust = rust_tokenizer(model.tokenizer)
    limit = min(model.context, TOKEN_LIMIT)
    if rust is None:
        return _python_row(model.tokenizer, text, pair, limit=limit, truncate=truncate)
    encoding = encoding_of(rust, text, pair)
    length = len(encoding.ids)
    if length > limit:
        if not truncate:
            raise TooLongError(length, limit)
        cuts_pair_only = model.head is not None and model.head.task == "span"
        encoding = _cut(rust, text, pair, limit, cuts_pair_only=cuts_pair_only)
    if not encoding.ids:
        raise EmptyTextError()
    return EncodedRow(
        text=text,
        pair=pair,
        ids=tuple(encoding.ids),
        segments=tuple(encoding.type_ids),
        sequences=tuple(encoding.sequence_ids),
        offsets=tuple(encoding.offsets),
        length=length,
    )


def _cut(rust: Tokenizer, text: str, pair: str | None, limit: int, *, cuts_pair_only: bool) -> Encoding:
    """The encoding of texts that are too long, the longer one cut first. Raises UserError where no room is left."""
    first = encoding_of(rust, text, add_special_tokens=False)
    second = None if pair is None else encoding_of(rust, pair, add_special_tokens=False)
    room = limit - rust.num_special_tokens_to_add(second is not None)
    lengths = (len(first), 0 if second is None else len(second))
    kept = (lengths[0], room - lengths[0]) if cuts_pair_only and second is not None else _shares(*lengths, room)
    if kept[0] < 1 or (second is not None and kept[1] < 1):
        raise UserError("The context of {limit} tokens leaves no room for both texts; shorten the first.", limit=limit)
    first.truncate(kept[0])
    if second is not None:
        second.truncate(kept[1])
    return rust.post_process(first, second)


def _shares(first: int, second: int, room: int) -> tuple[int, int]:
    """How many tokens of each text are kept: the longer one is cut to the other's length, then both in turn.

    >>> _shares(9, 0, 4), _shares(9, 3, 8), _shares(5, 9, 8), _shares(9, 9, 7)
    ((4, 0), (5, 3), (4, 4), (3, 4))
    """
    if first + second <= room:
        return first, second
    shorter = min(first, second)
    if 2 * shorter <= room:
        return (room - second, second) if first > second else (first, room - first)
    return room // 2, room - room // 2


def _python_row(tokenizer: Any, text: str, pair: str | None, *, limit: int, truncate: bool) -> EncodedRow:
    """The row of a tokenizer that is written in Python (Marian), which reports no characters."""
    with TOKENIZER_LOCK:
        length = len(tokenizer(text, pair)["input_ids"])
        read = tokenizer(text, pair, truncation=True, max_length=limit) if length > limit else tokenizer(text, pair)
    if length > limit and not truncate:
        raise TooLongError(length, limit)
    ids = [int(id) for id in read["input_ids"]]
    special = set(tokenizer.all_special_ids)
    return EncodedRow(
        text=text,
        pair=pair,
        ids=tuple(ids),
        segments=tuple(int(kind) for kind in read.get("token_type_ids", [0] * len(ids))),
        sequences=tuple(None if id in special else 0 for id in ids),
        offsets=(),
        length=length,
    )
