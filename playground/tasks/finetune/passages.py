"""The next token of a text of one's own. Right is the token that stands there."""

from dataclasses import dataclass

import numpy as np

from playground.errors import UserError
from playground.tasks.finetune.next_token import NextTokenTask, TokenRow, require_next_token
from playground.tasks.finetune.reader import Reader
from playground.tasks.finetune.rows import Rows, SplitRows
from playground.tasks.sources import check_held_out, check_sources, read_texts

MOST_CHARACTERS = 8_000_000
PIECE = 4_000
"""Characters of a text that are encoded at a time."""


@dataclass(frozen=True, kw_only=True)
class PassagesConfig:
    """Where the text comes from."""

    sources: tuple[str, ...] = ()
    """Paths of .txt files or .zip archives of them."""
    text: str = ""
    """Typed in."""
    held_out: float = 0.1
    """The last share of each text, never trained on."""

    def __post_init__(self) -> None:
        check_sources(self.sources, self.text)
        check_held_out(self.held_out)


def read_passages(config: PassagesConfig) -> SplitRows:
    """The texts in two parts. Raises UserError for texts that cannot be read."""
    pieces: list[tuple[str, str]] = []
    for text in read_texts(config.sources, config.text):
        if len(text) > MOST_CHARACTERS:
            raise UserError(
                "A text has {n:,} characters; at most {most:,} are read.", n=len(text), most=MOST_CHARACTERS
            )
        cut = text.rfind(" ", 0, int(len(text) * (1 - config.held_out))) + 1
        pieces += [(text[:cut], "train"), (text[cut:], "held_out")]
    train, held_out = (tuple(text for text, part in pieces if part == name) for name in ("train", "held_out"))
    return SplitRows(train=_unlabelled(train), held_out=_unlabelled(held_out))


def _unlabelled(texts: tuple[str, ...]) -> Rows:
    return Rows(texts=texts, labels=tuple("" for _ in texts))


def encode_passages(split: SplitRows, reader: Reader, length: int) -> NextTokenTask:
    """Texts in rows of `length` tokens. Raises UserError for a base that predicts no next token, or too little text."""
    require_next_token(reader)
    longest = min(length, reader.context)
    train, held_out = (
        [row for text in rows.texts for row in _rows_of(text, reader, longest)]
        for rows in (split.train, split.held_out)
    )
    if not train or not held_out:
        raise UserError("The text is too short: some of it has to be held out, and some to be trained on.")
    return NextTokenTask(reader=reader, split=split, train=train, held_out=held_out)


def _rows_of(text: str, reader: Reader, longest: int) -> list[TokenRow]:
    """The text in rows of `longest` tokens and one more, each with what the model reads before every text."""
    prefix = reader.prefix()
    ids: list[int] = []
    for start in range(0, len(text), PIECE):
        ids += reader.encode(text[start : start + PIECE])[len(prefix) :]
    size = max(1, longest + 1 - len(prefix))
    rows = []
    for start in range(0, len(ids), size):
        part = ids[start : start + size]
        if len(part) + len(prefix) > 1:
            n_bytes = len(reader.tokenizer.decode(part if prefix else part[1:]).encode())
            rows.append(TokenRow(ids=[*prefix, *part], first=max(1, len(prefix)), n_bytes=n_bytes))
    order = np.random.default_rng(0).permutation(len(rows))
    return [rows[row] for row in order]
