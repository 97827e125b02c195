"""Greedy decoding of our own models, in batches."""

from collections.abc import Callable, Collection

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from playground.transformer import Transformer

NextLogits = Callable[[Int[Tensor, "row position"]], Float[Tensor, "row vocabulary"]]
"""The logits of the next token, given everything generated so far."""


@torch.no_grad()
def greedy(
    next_logits: NextLogits, start: Int[Tensor, "row token"], *, longest: int, ends: Collection[int] = ()
) -> Int[Tensor, "row position"]:
    """Continue each row of `start` by at most `longest` tokens; returns the new tokens only.

    A row that has generated one of `ends` repeats it until every row has ended; the ends are part of the result.
    """
    written = start
    has_ended = torch.zeros(len(start), dtype=torch.bool, device=start.device)
    end_ids = torch.tensor(sorted(ends), dtype=torch.long, device=start.device)
    for _ in range(longest):
        next_ids = next_logits(written).argmax(-1)
        next_ids = torch.where(has_ended, written[:, -1], next_ids)
        written = torch.cat([written, next_ids[:, None]], dim=1)
        has_ended |= torch.isin(next_ids, end_ids)
        if bool(has_ended.all()):
            break
    return written[:, start.shape[1] :]


@torch.no_grad()
def greedy_answers(
    model: Transformer,
    ids: Int[Tensor, "row token"],
    mask: Bool[Tensor, "row token"] | None,
    *,
    start: int,
    end: int,
    most: int,
) -> Int[Tensor, "row position"]:
    """An encoder-decoder's output for each source, without START: at most `most` tokens and at most its context.

    After its END a row is filled with `end`; the result is as wide as its longest row, END included.
    """
    encoded = model.encode(ids, mask=mask)
    begin = torch.full((len(ids), 1), start, device=ids.device)
    longest = min(most, model.config.context)
    return greedy(
        lambda written: model.head(model.decode(written, encoded, mask)[:, -1]), begin, longest=longest, ends=(end,)
    )


@torch.no_grad()
def greedy_continuation(
    model: Transformer, ids: Int[Tensor, "row token"], *, most: int, end: int | None = None
) -> Int[Tensor, "row position"]:
    """A decoder's continuation of rows of one length, without them; it reads as many last tokens as its context holds.

    With `end`, a row that has generated it is filled with it.
    """
    context = model.config.context
    return greedy(
        lambda written: model.head(model.read(written[:, -context:])[:, -1]),
        ids,
        longest=most,
        ends=() if end is None else (end,),
    )
