"""The classifier of our own encoders as a head that can be asked."""

from typing import Any

from jaxtyping import Float, Int
from torch import Tensor

from playground.models.formats.checkpoint import Checkpoint
from playground.models.heads import ModelHead, is_next_sentence, own_labels
from playground.transformer import Transformer


def own_head(checkpoint: Checkpoint, module: Transformer) -> ModelHead | None:
    """The head of a model with classes; None for every other."""
    config = module.config
    if not config.classes:
        return None
    return head_of(module, own_labels(checkpoint.folder, checkpoint.config, config.classes))


def head_of(module: Transformer, labels: tuple[str, ...]) -> ModelHead:
    """The classifier of a module with these labels."""
    config = module.config

    def answer(ids: Int[Tensor, "row token"], segments: Int[Tensor, "row token"]) -> Float[Tensor, "row label"]:
        arguments: dict[str, Any] = {}
        if config.segments:
            arguments["segments"] = segments.clamp(max=config.segments - 1)
        return module.classify(module.read(ids, **arguments))

    return ModelHead(
        task="text",
        labels=labels,
        scale="softmax",
        answer=answer,
        architecture="Transformer",
        needs_pair=is_next_sentence(labels, config.segments),
    )
