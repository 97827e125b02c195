"""What is minimised: the surprise at the right tokens, and at the right classes, in nats."""

from torch import Tensor
from torch.nn import functional

from playground.tasks.task import IGNORED, Batch
from playground.transformer import Transformer


def loss_of(model: Transformer, batch: Batch) -> Tensor:
    """The mean surprise at the labels that count, plus the mean surprise at the classes where there are any."""
    parts = losses_of(model, batch)
    return sum(parts[1:], start=parts[0])


def losses_of(model: Transformer, batch: Batch) -> list[Tensor]:
    """The tokens' mean surprise, then the classes', whichever of them the batch counts."""
    read = model.read(batch.ids, batch.target_ids, segments=batch.segments, mask=batch.mask)
    parts = []
    if batch.labels is not None:
        logits = model.head(read)
        parts.append(functional.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORED))
    if batch.classes is not None:
        parts.append(functional.cross_entropy(model.classify(read), batch.classes))
    return parts
