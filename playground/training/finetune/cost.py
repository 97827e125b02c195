"""What a fine-tuning costs, before it starts: parameters, memory, time; and whether it fits."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from playground.errors import UserError
from playground.models.adapters.finetuned import tunable
from playground.models.adapters.low_rank import is_linear, sides_of
from playground.models.cache import written_at
from playground.models.catalogue import Kind
from playground.models.loading import LoadedModel, load
from playground.training.calibration import Throughput
from playground.training.estimate import BYTES, Memory
from playground.training.finetune.finetune_config import FinetuneConfig
from playground.training.finetune.trained_parts import TrainedParts, choose_trained, stacks_of

KEPT_PER_TOKEN = 16
"""Vectors of the model's width that a layer keeps of each token for the backward pass."""
CLASSES = 2
"""Where the labels are not read: a head's size hardly depends on them."""


@dataclass(frozen=True, kw_only=True)
class FinetuneEstimate:
    """What a fine-tuning will cost."""

    base: str
    kind: Kind
    layers: int
    total: int
    """Parameters, those of LoRA and a new head included."""
    trainable: int
    modules: tuple[str, ...]
    """The layers that get LoRA."""
    memory: Memory
    """At the peak of a step."""
    seconds_per_step: float
    seconds: float
    """Of all steps, without evaluations."""

    @property
    def file_bytes(self) -> int:
        """Of a checkpoint's trained weights."""
        return BYTES * self.trainable


@dataclass(frozen=True, kw_only=True)
class _Counts:
    kind: Kind
    layers: int
    width: int
    vocabulary: int
    total: int
    trainable: int
    trained_layers: int
    """Layers from the lowest one that learns up to the head: through them the gradient flows."""
    products: int
    """Numbers in matrices that every token is multiplied with."""
    modules: tuple[str, ...]


def estimate_finetuning(config: FinetuneConfig, speed: Throughput) -> FinetuneEstimate:
    """Estimate a fine-tuning on a machine of that throughput (`calibration.measured_throughput`).

    Assumes rows as long as `length`, which most texts are not. Loads the base once to count. Raises UserError for a
    base that cannot be loaded, or does not have the parts that are to learn.
    """
    parts = TrainedParts(method="all") if config.from_scratch else config.parts
    counts = _counts(config.base, config.revision, parts, config.task_name == "labels", written_at(config.base))
    tokens = config.batch * config.length
    values = tokens * counts.width * KEPT_PER_TOKEN * counts.trained_layers
    logits = 0 if config.task_name == "labels" else 2 * tokens * counts.vocabulary
    memory = Memory(
        weights=BYTES * counts.total,
        gradients=BYTES * counts.trainable,
        optimizer=BYTES * counts.trainable * (2 if config.optimizer == "adamw" else 1),
        activations=BYTES * (values + logits),
    )
    share = counts.trained_layers / max(1, counts.layers)
    # Forward through all layers, backward to the lowest one that learns; gradients of frozen weights are not computed.
    passes = 2 + 2 * share + 2 * counts.trainable / counts.total
    seconds = config.accumulation * (
        passes * tokens * counts.products / speed.flops_per_second
        + values * speed.seconds_per_value
        + (counts.layers + 1) * speed.seconds_per_layer
    )
    return FinetuneEstimate(
        base=config.base,
        kind=counts.kind,
        layers=counts.layers,
        total=counts.total,
        trainable=counts.trainable,
        modules=counts.modules,
        memory=memory,
        seconds_per_step=seconds,
        seconds=config.steps * seconds,
    )


def check_finetuning(config: FinetuneConfig, *, available: float) -> None:
    """Raise UserError, with both numbers, for a fine-tuning whose step needs more than the `available` bytes."""
    needed = estimate_finetuning(config, NO_SPEED).memory.total
    if needed > available:
        raise UserError(
            "Fine-tuning {name} that way needs about {needed:.1f} GB, and {available:.1f} GB are free for it; train "
            "fewer parts (LoRA, the last layers), or choose a smaller batch or shorter rows.",
            name=config.base,
            needed=needed / 1e9,
            available=available / 1e9,
        )


NO_SPEED = Throughput(flops_per_second=1.0, seconds_per_value=0.0, seconds_per_layer=0.0)


@lru_cache(maxsize=64)
def _counts(base: str, revision: str | None, parts: TrainedParts, is_labelled: bool, written: int) -> _Counts:
    """Count without keeping the model: its shapes are rebuilt without memory where they can be."""
    model = load(base, revision=revision, device="cpu", dtype="float32")
    labels = tuple(map(str, range(CLASSES))) if is_labelled else ()
    made = tunable(model, labels, 0)
    with torch.random.fork_rng(devices=[]):
        modules = choose_trained(made.whole, parts, is_new=made.is_head)
    return _counted(model, made.whole, modules)


def _counted(model: LoadedModel, whole: nn.Module, modules: tuple[str, ...]) -> _Counts:
    embedding: Any = model.adapter.embedding()
    stacks = stacks_of(whole)
    linear = [module for module in whole.modules() if is_linear(module)]
    layers = sum(stacks.values()) or model.layers
    return _Counts(
        kind=model.kind,
        layers=layers,
        width=int(embedding.weight.shape[1]),
        vocabulary=int(embedding.weight.shape[0]),
        total=sum(p.numel() for p in whole.parameters()),
        trainable=sum(p.numel() for p in whole.parameters() if p.requires_grad),
        trained_layers=_layers_that_learn(whole, stacks, layers),
        products=sum(rows * columns for rows, columns in map(sides_of, linear)),
        modules=modules,
    )


def _layers_that_learn(whole: nn.Module, stacks: dict[str, int], layers: int) -> int:
    """How many layers the gradient passes: from the lowest trained parameter up."""
    from playground.training.finetune.trained_parts import depth_of

    depth = depth_of(whole)
    deepest = max(stacks.values(), default=layers)
    lowest = min(depth(name) for name, p in whole.named_parameters() if p.requires_grad)
    return min(layers, max(0, deepest + 1 - max(1, lowest)) * max(1, len(stacks)))
