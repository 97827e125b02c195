"""What is minimised: the surprise at the right tokens, and at the right classes, in nats."""

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from playground.tasks.task import IGNORED, Batch
from playground.transformer import Transformer

SPARSE = 0.5
"""The share of labels below which picking them out costs less than the logits of all."""


def loss_of(model: Transformer, batch: Batch) -> Tensor:
    """The mean surprise at the labels that count, plus the weighted one at the classes, where there are any."""
    *tokens, last = losses_of(model, batch)
    return sum(tokens, start=last if batch.classes is None else batch.class_weight * last)


def losses_of(model: Transformer, batch: Batch) -> list[Tensor]:
    """The tokens' mean surprise, then the classes', whichever of them the batch counts."""
    read = model.read(batch.ids, batch.target_ids, segments=batch.segments, mask=batch.mask)
    parts = []
    if batch.labels is not None:
        parts.append(_surprise(model, read.flatten(0, 1), batch.labels.flatten()))
    if batch.classes is not None:
        parts.append(functional.cross_entropy(model.classify(read), batch.classes))
    return parts


def _surprise(model: Transformer, read: Float[Tensor, "position width"], labels: Int[Tensor, "position"]) -> Tensor:
    """The mean surprise at the labels that count; where they are few, the head computes nothing else."""
    counted = labels != IGNORED
    if counted.sum() < SPARSE * len(labels):
        read, labels = read[counted], labels[counted]
    return functional.cross_entropy(model.head(read), labels, ignore_index=IGNORED)
