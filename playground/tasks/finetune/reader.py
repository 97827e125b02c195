"""How the model that learns on reads a text: its tokenizer, its kind, and its special tokens."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.tokens import input_tokens
from playground.models.catalogue import Kind

if TYPE_CHECKING:
    from playground.models import LoadedModel

ROWS_AT_ONCE = 16
"""Rows of one pass of an evaluation."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Reader:
    """A tokenizer, and what its model expects around a text."""

    model: "LoadedModel"
    """The base, whose own module may learn: here only its tokenizer and its numbers are used."""
    name: str
    kind: Kind
    tokenizer: Any
    context: int
    padding: int
    """Fills short rows; the mask hides it."""
    ends: tuple[int, ...]
    """The tokens that end a text; empty where the vocabulary has none."""

    def encode(self, text: str) -> list[int]:
        """A text as the model reads it; a decoder's stays open."""
        return [token.id for token in input_tokens(self.model, text)]

    def prefix(self) -> list[int]:
        """What the model reads in front of every text."""
        tokens = input_tokens(self.model, "a")
        first = next((place for place, token in enumerate(tokens) if not token.special), 0)
        return [token.id for token in tokens[:first]]

    def decode(self, ids: list[int]) -> str:
        """The text of tokens, without special ones."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True)).strip()


def reader_for(model: "LoadedModel") -> Reader:
    """The reader of a loaded model."""
    return Reader(
        model=model,
        name=model.name,
        kind=model.kind,
        tokenizer=model.tokenizer,
        context=model.context,
        padding=_padding(model),
        ends=tuple(sorted(model.adapter.end_ids())),
    )


def refuse_kind(template: str, kinds: tuple[Kind, ...], name: str, kind: Kind) -> None:
    """Raise UserError, with the task's sentence, for a model of a kind that the task does not take."""
    if kind not in kinds:
        raise UserError(template, name=name)


def _padding(model: "LoadedModel") -> int:
    """The vocabulary's padding; without one a token without meaning."""
    stated = getattr(model.tokenizer, "pad_token_id", None)
    return int(stated) if isinstance(stated, int) else model.adapter.neutral_id()


def padded(rows: list[list[int]], filler: int) -> tuple[Int[Tensor, "row token"], Bool[Tensor, "row token"] | None]:
    """Rows filled to the longest, and where they are real; None if all are equally long."""
    longest = max(map(len, rows))
    lengths = np.array([len(row) for row in rows])
    ids = torch.tensor([row + [filler] * (longest - len(row)) for row in rows])
    mask = np.arange(longest)[None] < lengths[:, None]
    return ids, None if mask.all() else torch.from_numpy(mask)


def by_length(rows: list[list[int]]) -> list[list[int]]:
    """Indices of the rows in groups of ROWS_AT_ONCE, similar lengths together: little is padded."""
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    return [order[start : start + ROWS_AT_ONCE] for start in range(0, len(order), ROWS_AT_ONCE)]
