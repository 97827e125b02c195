"""Ask a classifier: the labels of a text with their probabilities, of one text or of many.

The numbers are those of transformers' text-classification pipeline. Texts of one length are read in one pass, so that
none is padded: a row's answer does not depend on what it is read with.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground.errors import UserError
from playground.lens.generate.encoded_rows import EncodedRow, encode_row
from playground.lens.generate.predictions import require_finite_logits
from playground.models.heads import HeadTask, ModelHead, Scale, rows_at_once
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel

TASK_NAMES: dict[HeadTask, str] = {"text": "classify", "token": "label_tokens", "span": "find_answers"}
"""The function that asks each kind of head."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Classification:
    """What a classifier answers about one text."""

    text: str
    pair: str | None
    labels: tuple[str, ...]
    logits: Float[np.ndarray, "label"]
    scale: Scale
    scores: Float[np.ndarray, "label"]
    """Probabilities: of one label among all (softmax) or of each for itself (sigmoid); a regression's values."""
    is_cut: bool = False
    """Whether the text was longer than the context, and only its beginning was read."""

    @property
    def best(self) -> int:
        """The number of the label with the highest score."""
        return int(self.scores.argmax())

    def ranked(self, most: int | None = None) -> list[int]:
        """The numbers of the labels, highest score first; equal ones in their order."""
        return [int(index) for index in np.argsort(-self.scores, kind="stable")[:most]]


def classify(
    model: "LoadedModel",
    texts: Sequence[str],
    pairs: Sequence[str | None] | None = None,
    *,
    truncate: bool = False,
    on_progress: OnProgress = no_progress,
) -> tuple[Classification, ...]:
    """The labels of each text. pairs: a second text for each, or None.

    truncate: read the beginning of a text that does not fit. Raises UserError for a model without such a head, a text
    of nothing but spaces or that does not fit, and for a head that computes what is not a number.
    """
    head = require_head(model, "text")
    pairs = [None] * len(texts) if pairs is None else pairs
    rows = [encode_row(model, *both, truncate=truncate) for both in zip(texts, pairs, strict=True)]
    logits: list[Tensor | None] = [None] * len(rows)
    done = 0
    for chosen in batches_of(rows):
        answered = ask(model, head, [rows[index] for index in chosen])
        for index, row in zip(chosen, answered, strict=True):
            logits[index] = row
        done += len(chosen)
        on_progress(done, len(rows))
    return tuple(_classification(head, row, answer) for row, answer in zip(rows, logits, strict=True))


def require_head(model: "LoadedModel", task: HeadTask) -> ModelHead:
    """The model's head for this task. Raises UserError for a model that has another head, or none."""
    head = model.head
    if head is None:
        raise UserError("{name} has no classifier; choose a model that was trained as one.", name=model.name)
    if head.task != task:
        raise UserError(
            "The head of {name} ({architecture}) is asked with {function}, not with {wanted}.",
            name=model.name,
            architecture=head.architecture,
            function=TASK_NAMES[head.task],
            wanted=TASK_NAMES[task],
        )
    return head


def batches_of(rows: Sequence[EncodedRow]) -> Iterator[list[int]]:
    """Numbers of rows of one length, as many as are read in one pass; the shortest first."""
    by_length: dict[int, list[int]] = {}
    for index, row in enumerate(rows):
        by_length.setdefault(len(row.ids), []).append(index)
    for length in sorted(by_length):
        indices, size = by_length[length], rows_at_once(length)
        yield from (indices[start : start + size] for start in range(0, len(indices), size))


@torch.inference_mode()
def ask(model: "LoadedModel", head: ModelHead, rows: Sequence[EncodedRow]) -> Float[Tensor, "row ..."]:
    """The head's logits for rows of one length, in float32 on the CPU. Raises UserError for what is not a number."""
    ids, segments = tensors_of(model, rows)
    try:
        logits = head.answer(ids, segments).float().cpu()
    except UserError:
        raise
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            "{architecture} of {name} does not answer: {reason}",
            architecture=head.architecture,
            name=model.name,
            reason=reason[:300],
        ) from error
    require_finite_logits(logits)
    return logits


def tensors_of(
    model: "LoadedModel", rows: Sequence[EncodedRow]
) -> tuple[Int[Tensor, "row token"], Int[Tensor, "row token"]]:
    """Ids and segments of rows of one length, on the model's device."""
    ids = torch.tensor([row.ids for row in rows], device=model.device)
    return ids, torch.tensor([row.segments for row in rows], device=model.device)


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelQuestion:
    """One text that a head is asked about, as often at once as one wants."""

    row: EncodedRow
    ids: Int[Tensor, "1 token"]
    label: str
    """The name of the label that is to be explained."""
    answer: Callable[[int], Float[Tensor, "copy label"]]
    """The labels' logits of so many copies: of the text, or of the token that is asked about."""


def ask_label(
    model: "LoadedModel", text: str, pair: str | None, *, label: int, position: int | None, truncate: bool
) -> LabelQuestion:
    """A text, and what the model's head answers about it, for whoever explains a label.

    label: its number; of a span 0 for the start and 1 for the end. position: which token's label, where tokens are
    labelled. Raises UserError for a model without a head, and for a label or a token that is not there.
    """
    head = model.head
    if head is None:
        raise UserError("{name} has no classifier, so that there is no label to explain.", name=model.name)
    row = encode_row(model, text, pair, truncate=truncate)
    head.check_label(label, position, len(row.ids))
    ids, segments = tensors_of(model, [row])

    def answer(copies: int) -> Tensor:
        logits = head.answer(ids.expand(copies, -1), segments.expand(copies, -1))
        return logits if position is None else logits[:, position]

    return LabelQuestion(row=row, ids=ids, label=head.labels[label], answer=answer)


def scores_of(logits: Float[Tensor, "... label"], scale: Scale) -> Float[np.ndarray, "... label"]:
    """What is shown of logits, in float64.

    >>> scores_of(torch.tensor([0.0, 0.0]), "softmax").tolist(), scores_of(torch.tensor([2.5]), "none").tolist()
    ([0.5, 0.5], [2.5])
    """
    exact = logits.double()
    scaled = exact.softmax(-1) if scale == "softmax" else exact.sigmoid() if scale == "sigmoid" else exact
    return scaled.numpy()


def _classification(head: ModelHead, row: EncodedRow, logits: Tensor | None) -> Classification:
    assert logits is not None
    return Classification(
        text=row.text,
        pair=row.pair,
        labels=head.labels,
        logits=logits.numpy(),
        scale=head.scale,
        scores=scores_of(logits, head.scale),
        is_cut=row.is_cut,
    )
