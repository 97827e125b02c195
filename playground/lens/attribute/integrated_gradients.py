"""Which tokens a logit came from: integrated gradients (Sundararajan et al. 2017) over the token embeddings.

captum walks the straight line from a baseline to the embeddings and adds up gradients. A line through a deep model has
cliffs, which evenly spread steps miss: so the line is cut into pieces, and the piece whose shares are furthest from
the change of the logit over it is halved, until all add up or the steps are spent. The embeddings are put in at the
model's own embedding module, seen by this context only, so that a shared model stays as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.activations import Reading, logits_of
from playground.lens.capture.anatomy import embedding_of
from playground.lens.capture.hooks import editing
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel

Baseline = Literal["filler", "mean", "zero"]
COMPLETE = 0.05
"""The completeness error, as a share of the change explained, up to which a result counts as converged."""


AIM = 0.02
"""Pieces are halved until their errors add up to less than this share."""
PIECE_STEPS = 8

Logit = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Piece:
    """A part of the line: each token's share of the logit's change over it, and that change."""

    begin: float
    end: float
    shares: Float[np.ndarray, "token"]
    change: float

    @property
    def error(self) -> float:
        """How far the shares are from adding up."""
        return abs(float(self.shares.sum()) - self.change)


@dataclass(frozen=True, kw_only=True, eq=False)
class TokenAttribution:
    """Each token's share of the change of a logit from the baseline to the text.

    The shares add up to explained = at_text - at_baseline, but for `error`, which more steps make smaller.
    """

    shares: Float[np.ndarray, "token"]
    at_text: float
    at_baseline: float
    error: float
    steps: int

    @property
    def explained(self) -> float:
        """What the shares should add up to."""
        return self.at_text - self.at_baseline

    @property
    def is_complete(self) -> bool:
        """Whether the shares add up well enough to be shown."""
        return abs(self.error) <= COMPLETE * max(abs(self.explained), 0.1)


def integrated_gradients(
    model: "LoadedModel",
    reading: Reading,
    *,
    position: int,
    token: int,
    steps: int = 512,
    baseline: Baseline = "filler",
    on_progress: OnProgress = no_progress,
) -> TokenAttribution:
    """The share of each token in the logit of `token` at a position, by at most so many steps (gradients).

    baseline: the embedding of a token that says nothing (padding, else the end of a text, else the first), the mean
    embedding of the vocabulary, or zero. A small model needs far fewer steps than it may take; SmolLM2 takes some 500.
    An encoder-decoder's shares are those of its source. Raises UserError for a model without an output head and for a
    prediction that is not there.
    """
    if not model.has_output_head:
        raise UserError("{name} has no output head, so that there is no prediction to explain.", name=model.name)
    if steps < PIECE_STEPS:
        raise UserError("The line needs at least {piece_steps} steps.", piece_steps=PIECE_STEPS)
    embedding = embedding_of(model)
    name = "ids" if model.family == "playground" else "input_ids"
    ids = reading.arguments[name]
    done, most = 0, steps

    def logit(embedded: Tensor) -> Tensor:
        nonlocal done
        logits = _logits_with(model, reading, ids, embedded)
        # Gradients are steps; the two ends of a piece are looked at without.
        done += len(embedded) * torch.is_grad_enabled()
        on_progress(min(done, most), most)
        return logits[:, position, token]

    if not -len(reading.tokens) <= position < len(reading.tokens) or not 0 <= token < _vocabulary(model):
        raise UserError(
            "Choose a position from {n_tokens} to {n_tokens_2} and a known token.",
            n_tokens=-len(reading.tokens),
            n_tokens_2=len(reading.tokens) - 1,
        )
    with torch.no_grad():
        end = embedding(ids)
        begin = _baseline(model, baseline).expand_as(end)
        at_text, at_baseline = (float(_logits_with(model, reading, ids, e)[0, position, token]) for e in (end, begin))
    shares, steps = _shares_along(logit, begin, end, steps)
    return TokenAttribution(
        shares=shares,
        at_text=at_text,
        at_baseline=at_baseline,
        error=float(shares.sum()) - (at_text - at_baseline),
        steps=steps,
    )


def _shares_along(logit: Logit, begin: Tensor, end: Tensor, most: int) -> tuple[Float[np.ndarray, "token"], int]:
    """Each token's share over the line, and how many steps it took; the worst piece is halved first."""
    pieces = [_piece(logit, begin, end, 0.0, 1.0)]
    change = pieces[0].change
    steps = PIECE_STEPS
    while steps + 2 * PIECE_STEPS <= most and sum(piece.error for piece in pieces) > AIM * max(abs(change), 0.1):
        worst = max(pieces, key=lambda piece: piece.error)
        pieces.remove(worst)
        middle = (worst.begin + worst.end) / 2
        pieces.append(_piece(logit, begin, end, worst.begin, middle))
        pieces.append(_piece(logit, begin, end, middle, worst.end))
        steps += 2 * PIECE_STEPS
    return np.sum([piece.shares for piece in pieces], axis=0), steps


def _piece(logit: Logit, begin: Tensor, end: Tensor, first: float, last: float) -> _Piece:
    """The part of the line from one fraction of it to another."""
    from captum.attr import IntegratedGradients

    here, there = begin + first * (end - begin), begin + last * (end - begin)
    with torch.enable_grad():
        found = IntegratedGradients(logit).attribute(
            there, here, n_steps=PIECE_STEPS, method="gausslegendre", internal_batch_size=PIECE_STEPS
        )
    shares = found[0].sum(-1).detach().float().cpu().numpy()
    with torch.no_grad():
        change = float((logit(there) - logit(here))[0])
    return _Piece(begin=first, end=last, shares=shares, change=change)


def _vocabulary(model: "LoadedModel") -> int:
    return int(embedding_of(model).num_embeddings)  # type: ignore[arg-type]


def _baseline(model: "LoadedModel", baseline: Baseline) -> Tensor:
    """The embedding that every token's line begins at."""
    chosen = [_filler(model)] if baseline == "filler" else range(_vocabulary(model))
    embedding = torch.as_tensor(embedding_of(model)(torch.tensor(list(chosen), device=model.device))).mean(0)
    return torch.zeros_like(embedding) if baseline == "zero" else embedding


def _filler(model: "LoadedModel") -> int:
    """The id of a token that says nothing."""
    tokenizer = model.tokenizer
    if model.family == "playground":
        return int(tokenizer.token_to_id("<|pad|>") or 0)
    found = (getattr(tokenizer, name, None) for name in ("pad_token_id", "eos_token_id"))
    return next((int(id) for id in found if id is not None and id < _vocabulary(model)), 0)


def _logits_with(model: "LoadedModel", reading: Reading, ids: Tensor, embedded: Tensor) -> Tensor:
    """The logits with the embeddings of the text's ids replaced, for as many rows as there are."""
    rows = len(embedded)
    arguments = {
        name: value.expand(rows, *value.shape[1:]) if isinstance(value, Tensor) else value
        for name, value in reading.arguments.items()
    }
    width = ids.shape[1]
    first = True

    def put(found: Tensor) -> Tensor | None:
        # An encoder-decoder embeds its target with the same module, after the source.
        nonlocal first
        here, first = first and found.shape[1] == width, False
        return embedded if here else None

    with editing({(embedding_of(model), "output"): put}):
        logits = logits_of(model, model.module(**arguments))
    assert logits is not None
    return logits
