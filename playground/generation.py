"""Greedy decoding: always the most probable token."""

from collections.abc import Callable, Collection

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from playground.transformer import Transformer

NextLogits = Callable[[Int[Tensor, "row position"]], Float[Tensor, "row vocabulary"]]
"""The logits of the token after what has been written so far."""


@torch.no_grad()
def greedy(
    next_logits: NextLogits, start: Int[Tensor, "row token"], *, longest: int, ends: Collection[int] = ()
) -> Int[Tensor, "row position"]:
    """What follows `start`, in rows that go on side by side for at most `longest` tokens.

    A row that has written one of `ends` repeats it until the last row has ended; the ends are part of the answer.
    """
    written = start
    has_ended = torch.zeros(len(start), dtype=torch.bool, device=start.device)
    end_ids = torch.tensor(sorted(ends), dtype=torch.long, device=start.device)
    for _ in range(longest):
        chosen = next_logits(written).argmax(-1)
        chosen = torch.where(has_ended, written[:, -1], chosen)
        written = torch.cat([written, chosen[:, None]], dim=1)
        has_ended |= torch.isin(chosen, end_ids)
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
    """What an encoder-decoder answers to each source, without START: at most `most` tokens and at most its context.

    END and everything after it is `end`; the answer is as wide as its longest row, END included.
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
    """What a decoder writes after rows of one length, which are not repeated; it reads its last context of tokens.

    With `end`, a row that has written it goes on with nothing else.
    """
    context = model.config.context
    return greedy(
        lambda written: model.head(model.read(written[:, -context:])[:, -1]),
        ids,
        longest=most,
        ends=() if end is None else (end,),
    )
