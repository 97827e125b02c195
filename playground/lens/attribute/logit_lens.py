"""Logit lens: what the model would predict if it stopped after each layer (nostalgebraist 2020).

The residual stream after each block replaces the last block's output, and the model itself turns it into logits: final
norm, head, and whatever else its family does there (BERT's layers in the head, Gemma 2's soft cap).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.anatomy import Parts, find_parts
from playground.lens.capture.hooks import editing, record
from playground.lens.generate.predictions import require_finite_logits, require_output_head
from playground.lens.intervene.interventions import read_out

if TYPE_CHECKING:
    from playground.models import LoadedModel

BYTES = 128 * 2**20
"""The most memory that the logits of some layers may take at once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LogitLens:
    """Predictions from each row of the residual stream: row 0 is the embedding, row i the output of block i."""

    answers: Int[np.ndarray, "position"]
    """The token ids that are tracked through the layers, by default the final top-1 predictions."""
    probability: Float[np.ndarray, "row position"]
    """The answers' probability."""
    rank: Int[np.ndarray, "row position"]
    """How many tokens are more probable than the answer."""
    top: Int[np.ndarray, "row position k"]
    """The k most probable token ids."""
    top_probability: Float[np.ndarray, "row position k"]
    entropy: Float[np.ndarray, "row position"]
    """In nats."""
    divergence: Float[np.ndarray, "row position"]
    """KL(last row || this row) in nats."""

    @property
    def settled(self) -> Int[np.ndarray, "position"]:
        """The first row from which the answer stays top-1; -1 where it is not even in the last."""
        wrong = self.rank > 0
        rows = len(wrong)
        last_wrong = rows - 1 - np.argmax(wrong[::-1], axis=0)
        first = np.where(wrong.any(axis=0), last_wrong + 1, 0)
        return np.where(first == rows, -1, first)


@torch.inference_mode()
def logit_lens(
    model: "LoadedModel", arguments: dict[str, Any], *, k: int = 5, answers: Sequence[int] | None = None
) -> LogitLens:
    """Apply the lens to all layers and positions of a pass, of the stack that predicts.

    answers: one token id for each position, or one for all. Raises UserError for a model without an output head.
    """
    require_output_head(model)
    parts = find_parts(model)
    arguments = {name: value for name, value in arguments.items() if name != "logits_to_keep"}
    stream, final = _stream(model, parts, arguments)
    tracked = final.argmax(-1) if answers is None else _tracked_ids(model, answers, final)
    unembed = _unembedding(model, parts, arguments)
    last = final.log_softmax(-1)
    rows: list[dict[str, Tensor]] = []
    most = max(1, BYTES // (final.numel() * 4))
    for begin in range(0, len(stream) - 1, most):
        logits = unembed(stream[begin : min(begin + most, len(stream) - 1)]).float()
        require_finite_logits(logits)
        rows += [_row_tables(row.log_softmax(-1), last, tracked, k) for row in logits]
    rows.append(_row_tables(last, last, tracked, k))
    tables = {name: torch.stack([row[name] for row in rows]).cpu().numpy() for name in rows[0]}
    return LogitLens(answers=tracked.cpu().numpy(), **tables)


def _stream(
    model: "LoadedModel", parts: Parts, arguments: dict[str, Any]
) -> tuple[Float[Tensor, "row position width"], Float[Tensor, "position vocabulary"]]:
    """The residual stream before the first block and after each, and the model's own logits."""
    blocks = [block.module for block in parts.stack]
    with record(inputs=blocks[:1], outputs=blocks) as recording:
        logits = _logits(model, arguments)
    require_finite_logits(logits)
    rows = [recording.inputs[blocks[0]], *(item.output for item in recording.outputs)]
    return torch.stack([row[0] for row in rows]), logits[0].float()


def _unembedding(
    model: "LoadedModel", parts: Parts, arguments: dict[str, Any]
) -> Callable[[Float[Tensor, "row position width"]], Float[Tensor, "row position vocabulary"]]:
    """Rows of the stream to logits: final norm and unembedding, or the model with its last block's output replaced."""
    if parts.reads_out:
        return lambda rows: read_out(model, parts, rows)

    def through_the_model(rows: Tensor) -> Tensor:
        with editing({(parts.stack[-1].module, "output"): lambda _: rows}):
            return _logits(model, arguments)

    return through_the_model


def _logits(model: "LoadedModel", arguments: dict[str, Any]) -> Float[Tensor, "row position vocabulary"]:
    logits = model.adapter.logits(model.module(**arguments))
    assert logits is not None
    return logits


def _tracked_ids(model: "LoadedModel", answers: Sequence[int], final: Float[Tensor, "position vocabulary"]) -> Tensor:
    """The ids to track, one for each position. Raises UserError for ids that are not in the vocabulary."""
    length, vocabulary = final.shape
    if len(answers) not in (1, length) or not all(0 <= answer < vocabulary for answer in answers):
        raise UserError("Choose one token to track, or one for each of the {length} positions.", length=length)
    return torch.tensor(answers, device=model.device).expand(length)


def _row_tables(
    logs: Float[Tensor, "position vocabulary"], last: Float[Tensor, "position vocabulary"], tracked: Tensor, k: int
) -> dict[str, Tensor]:
    """One row of every table."""
    probabilities = logs.exp()
    answer = logs.gather(1, tracked[:, None])
    best = probabilities.topk(min(k, logs.shape[-1]))
    # Tokens that are ruled out have probability 0 and log probability -inf, whose product is NaN: clamp.
    return {
        "probability": answer[:, 0].exp(),
        "rank": (logs > answer).sum(-1),
        "top": best.indices,
        "top_probability": best.values,
        "entropy": -(probabilities * logs.clamp(min=-1e30)).sum(-1),
        "divergence": (last.exp() * (last.clamp(min=-1e30) - logs.clamp(min=-1e30))).sum(-1),
    }
