"""What a model writes when it always takes its most probable token."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from playground.transformer import Transformer


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
    written = torch.full((len(ids), 1), start, device=ids.device)
    for _ in range(min(most, model.config.context)):
        chosen = _most_probable(model, model.decode(written, encoded, mask))
        written = _append(written, chosen, end)
        if bool((written[:, -1] == end).all()):
            break
    return written[:, 1:]


@torch.no_grad()
def greedy_continuation(
    model: Transformer, ids: Int[Tensor, "row token"], *, most: int, end: int | None = None
) -> Int[Tensor, "row position"]:
    """What a decoder writes after rows of one length, which are not repeated; it reads its last context of tokens.

    With `end`, a row that has written it goes on with nothing else.
    """
    begin, written = ids.shape[1], ids
    for _ in range(most):
        chosen = _most_probable(model, model.read(written[:, -model.config.context :]))
        written = _append(written, chosen, end if written.shape[1] > begin else None)
        if end is not None and bool((written[:, -1] == end).all()):
            break
    return written[:, begin:]


def _most_probable(model: Transformer, read: Tensor) -> Int[Tensor, "row"]:
    """The most probable token after the last position."""
    chosen: Tensor = model.head(read[:, -1]).argmax(-1)
    return chosen


def _append(written: Tensor, chosen: Tensor, end: int | None) -> Int[Tensor, "row position"]:
    """The rows and their next tokens; a row whose last token is END gets END again."""
    if end is not None:
        chosen = torch.where(written[:, -1] == end, end, chosen)
    return torch.cat([written, chosen[:, None]], dim=1)
