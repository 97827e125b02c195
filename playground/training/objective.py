"""The loss: cross-entropy of the labels and of the classes, in nats."""

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from playground.tasks.task import IGNORED, Batch
from playground.transformer import Transformer

SPARSE = 0.5
"""Below this fraction of counted labels, selecting them costs less than computing the logits of all positions."""


def loss_of(model: Transformer, batch: Batch) -> Tensor:
    """The mean cross-entropy of the labels that count, plus the weighted one of the classes."""
    *tokens, last = losses_of(model, batch)
    return sum(tokens, start=last if batch.classes is None else batch.class_weight * last)


def losses_of(model: Transformer, batch: Batch) -> list[Tensor]:
    """The cross-entropy of the tokens, then of the classes, whichever the batch has."""
    hidden = model.read(batch.ids, batch.target_ids, segments=batch.segments, mask=batch.mask)
    losses = []
    if batch.labels is not None:
        losses.append(_token_loss(model, hidden.flatten(0, 1), batch.labels.flatten()))
    if batch.classes is not None:
        losses.append(functional.cross_entropy(model.classify(hidden, batch.mask), batch.classes))
    return losses


def _token_loss(model: Transformer, hidden: Float[Tensor, "position width"], labels: Int[Tensor, "position"]) -> Tensor:
    """The mean cross-entropy of the labels that count; if they are few, only their logits are computed."""
    counted = labels != IGNORED
    if counted.sum() < SPARSE * len(labels):
        hidden, labels = hidden[counted], labels[counted]
    return functional.cross_entropy(model.head(hidden), labels, ignore_index=IGNORED)
