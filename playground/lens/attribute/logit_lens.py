"""What the model would say if it stopped after each layer: the logit lens of nostalgebraist (2020).

The residual stream after each block is put in the last block's place, and the model itself makes logits of it: its
final norm, its head, and whatever else its family does there (BERT's layers in the head, Gemma 2's soft cap).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.anatomy import Parts
from playground.lens.capture.discovery import find_parts
from playground.lens.capture.hooks import Edit, editing
from playground.lens.generate.predictions import refuse_not_a_number, require_output_head
from playground.lens.intervene.interventions import read_out

if TYPE_CHECKING:
    from playground.models import LoadedModel

BYTES = 128 * 2**20
"""The most memory that the logits of some layers may take at once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LogitLens:
    """What each row of the stream would predict at each position; row 0 is the embedding, row i what block i left.

    answers: the token ids that are followed through the layers (by default what the last row ranks first), with their
    probability, and rank: how many tokens are more probable. top: the k most probable ids with their probabilities.
    entropy in nats; divergence: KL(last row || this row) in nats. settled: the first row from which the answer is the
    most probable token in it and all later ones; -1 where it is not even in the last.
    """

    answers: Int[np.ndarray, "position"]
    probability: Float[np.ndarray, "row position"]
    rank: Int[np.ndarray, "row position"]
    top: Int[np.ndarray, "row position k"]
    top_probability: Float[np.ndarray, "row position k"]
    entropy: Float[np.ndarray, "row position"]
    divergence: Float[np.ndarray, "row position"]

    @property
    def settled(self) -> Int[np.ndarray, "position"]:
        """The first row from which the answer is the top one and stays so."""
        wrong = self.rank > 0
        rows = len(wrong)
        last_wrong = rows - 1 - np.argmax(wrong[::-1], axis=0)
        first = np.where(wrong.any(axis=0), last_wrong + 1, 0)
        return np.where(first == rows, -1, first)


@torch.inference_mode()
def logit_lens(
    model: "LoadedModel", arguments: dict[str, Any], *, k: int = 5, answers: Sequence[int] | None = None
) -> LogitLens:
    """The lens over all layers and positions of a pass with these arguments, of the stack that predicts.

    answers: one token id for each position, or one for all. Raises UserError for a model without an output head.
    """
    require_output_head(model)
    parts = find_parts(model)
    arguments = {name: value for name, value in arguments.items() if name != "logits_to_keep"}
    stream, final = _stream(model, parts, arguments)
    wanted = final.argmax(-1) if answers is None else _answers(model, answers, final)
    read = _reader(model, parts, arguments)
    last = final.log_softmax(-1)
    found: list[dict[str, Tensor]] = []
    most = max(1, BYTES // (final.numel() * 4))
    for begin in range(0, len(stream) - 1, most):
        logits = read(stream[begin : min(begin + most, len(stream) - 1)]).float()
        refuse_not_a_number(logits)
        found += [_row(row.log_softmax(-1), last, wanted, k) for row in logits]
    found.append(_row(last, last, wanted, k))
    tables = {name: torch.stack([row[name] for row in found]).cpu().numpy() for name in found[0]}
    return LogitLens(answers=wanted.cpu().numpy(), **tables)


def _stream(
    model: "LoadedModel", parts: Parts, arguments: dict[str, Any]
) -> tuple[Float[Tensor, "row position width"], Float[Tensor, "position vocabulary"]]:
    """The residual stream before the first block and after each, and the model's own logits."""
    noted: list[Tensor] = []

    def note(tensor: Tensor) -> None:
        noted.append(tensor[0])

    edits: dict[Any, Edit] = {(block.module, "output"): note for block in parts.stack}
    edits[parts.stack[0].module, "input"] = note
    with editing(edits):
        logits = _logits(model.module(**arguments))
    refuse_not_a_number(logits)
    return torch.stack(noted), logits[0].float()


def _reader(
    model: "LoadedModel", parts: Parts, arguments: dict[str, Any]
) -> Callable[[Float[Tensor, "row position width"]], Float[Tensor, "row position vocabulary"]]:
    """What makes logits of rows of the stream: norm and unembedding, or the model with its last block replaced."""
    if parts.reads_out:
        return lambda rows: read_out(model, parts, rows)

    def through_the_model(rows: Tensor) -> Tensor:
        with editing({(parts.stack[-1].module, "output"): lambda _: rows}):
            return _logits(model.module(**arguments))

    return through_the_model


def _logits(output: Any) -> Float[Tensor, "row position vocabulary"]:
    logits: Tensor = output if isinstance(output, Tensor) else output.logits
    return logits


def _answers(model: "LoadedModel", answers: Sequence[int], final: Float[Tensor, "position vocabulary"]) -> Tensor:
    """The ids to follow, one for each position. Raises UserError for ids that are not in the vocabulary."""
    length, vocabulary = final.shape
    if len(answers) not in (1, length) or not all(0 <= answer < vocabulary for answer in answers):
        raise UserError("Choose one token to follow, or one for each of the {length} positions.", length=length)
    return torch.tensor(answers, device=model.device).expand(length)


def _row(
    logs: Float[Tensor, "position vocabulary"], last: Float[Tensor, "position vocabulary"], wanted: Tensor, k: int
) -> dict[str, Tensor]:
    """One row of every table."""
    probabilities = logs.exp()
    answer = logs.gather(1, wanted[:, None])
    best = probabilities.topk(min(k, logs.shape[-1]))
    # Tokens that are ruled out have probability 0 and log minus infinity, whose product is no number.
    return {
        "probability": answer[:, 0].exp(),
        "rank": (logs > answer).sum(-1),
        "top": best.indices,
        "top_probability": best.values,
        "entropy": -(probabilities * logs.clamp(min=-1e30)).sum(-1),
        "divergence": (last.exp() * (last.clamp(min=-1e30) - logs.clamp(min=-1e30))).sum(-1),
    }
