"""What a fine-tuning costs, before it starts: parameters, memory, time; and whether it fits."""

import copy
import dataclasses
import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

import torch
from torch import nn

from playground.errors import UserError
from playground.evaluation.text_table import TableNote
from playground.models.adapters.finetuned import tunable
from playground.models.adapters.low_rank import sides_of
from playground.models.cache import folder_stamp
from playground.models.catalogue import Kind
from playground.models.loading import LoadedModel, load
from playground.tasks.finetune.reader import refuse_kind
from playground.tasks.finetune.registry import finetune_kind_of
from playground.text import N_
from playground.training.estimate import BYTES, Memory
from playground.training.finetune.finetune_config import FinetuneConfig
from playground.training.finetune.pace import LoadBase, measured_pace
from playground.training.finetune.trained_parts import TrainedParts, choose_trained, stacks_of
from playground.training.lora import LoraLinear, refuse_rank

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
    """Of all steps and evaluations; without what an encoder-decoder writes in these."""
    sampled: int
    """Texts that were looked at."""
    left_out: int
    """Of these, how many are longer than is read, and not trained on."""
    source_notes: tuple[TableNote, ...]
    """On the source: what is left out of it, or counts as one."""

    @property
    def file_bytes(self) -> int:
        """Of a checkpoint's trained weights."""
        return BYTES * self.trainable

    @property
    def notes(self) -> tuple[TableNote, ...]:
        """What is to know before the start."""
        if not self.left_out:
            return ()
        template = N_("Pairs longer than a row are left out: {left_out:,} of the {n:,} looked at.")
        return (TableNote(template=template, values={"n": self.sampled, "left_out": self.left_out}),)


@dataclass(frozen=True)
class _Counts:
    kind: Kind
    layers: int
    width: int
    vocabulary: int
    total: int
    trainable: int
    trained_layers: int
    """Layers from the lowest one that learns up to the head: through them the gradient flows."""
    modules: tuple[str, ...]
    sides: tuple[tuple[int, int], ...] = ()
    """Outputs and inputs of each of the modules."""

    def of_rank(self, rank: int) -> "_Counts":
        """Counted at LoRA's rank 1, these at another: B is outputs x r, A is r x inputs. Raises UserError for too many.

        >>> one = _Counts("encoder", 1, 8, 9, 76, 12, 1, ("query",), ((8, 4),))
        >>> one.of_rank(3).total, one.of_rank(3).trainable
        (100, 36)
        """
        for path, sides in zip(self.modules, self.sides, strict=True):
            refuse_rank(path, rank, sides)
        more = (rank - 1) * sum(map(sum, self.sides))
        return dataclasses.replace(self, total=self.total + more, trainable=self.trainable + more)


def estimate_finetuning(config: FinetuneConfig, *, load: LoadBase = load) -> FinetuneEstimate:
    """Estimate a fine-tuning: counts and memory at rows as long as `length`, time as measured on some of its rows.

    Raises UserError for a base that cannot be loaded, is of a kind that the task does not take, or does not have the
    parts that are to learn, and for a task whose sources cannot be read.
    """
    counts = _counts_of(config, load)
    kind = finetune_kind_of(config.task)
    refuse_kind(kind.refusal, kind.takes, config.base, counts.kind)
    pace = measured_pace(config, load=load)
    step = config.accumulation * config.batch * pace.step
    evaluations = 2 + config.steps // config.evaluate_every
    return FinetuneEstimate(
        base=config.base,
        kind=counts.kind,
        layers=counts.layers,
        total=counts.total,
        trainable=counts.trainable,
        modules=counts.modules,
        memory=_memory(config, counts),
        seconds_per_step=step,
        seconds=config.steps * step + evaluations * config.evaluate_rows * pace.reading,
        sampled=pace.sampled,
        left_out=pace.left_out,
        source_notes=pace.notes,
    )


def _counts_of(config: FinetuneConfig, load: LoadBase) -> _Counts:
    """Counted once for all ranks of LoRA: a sweep over them asks for each."""
    parts = TrainedParts(method="all") if config.from_scratch else config.parts
    is_labelled = config.task_name == "labels"
    one = dataclasses.replace(parts, rank=1, alpha=1.0)
    counts = _counts(_Counted(config.base, config.revision, one, is_labelled, folder_stamp(config.base), load))
    return counts.of_rank(parts.rank)


def _memory(config: FinetuneConfig, counts: _Counts) -> Memory:
    tokens = config.batch * config.length
    values = tokens * counts.width * KEPT_PER_TOKEN * counts.trained_layers
    logits = 0 if config.task_name == "labels" else 2 * tokens * counts.vocabulary
    return Memory(
        weights=BYTES * counts.total,
        gradients=BYTES * counts.trainable,
        optimizer=BYTES * counts.trainable * (2 if config.optimizer == "adamw" else 1),
        activations=BYTES * (values + logits),
    )


def check_finetuning(config: FinetuneConfig, *, available: float, minutes: float = math.inf) -> None:
    """Raise UserError, with both numbers, for a fine-tuning that needs more than `available` bytes, or `minutes`."""
    needed = _memory(config, _counts_of(config, load)).total
    if needed > available:
        raise UserError(
            "Fine-tuning {name} that way needs about {needed:.1f} GB, and {available:.1f} GB are free for it; train "
            "fewer parts (LoRA, the last layers), or choose a smaller batch or shorter rows.",
            name=config.base,
            needed=needed / 1e9,
            available=available / 1e9,
        )
    hours = estimate_finetuning(config).seconds / 3600 if minutes < math.inf else 0.0
    if 60 * hours > minutes:
        raise UserError(
            "Fine-tuning {name} that way would take about {hours:.1f} hours here, and a run ends after {limit:.1f}; "
            "train fewer parts (LoRA, the last layers), or choose fewer steps, a smaller batch or shorter rows.",
            name=config.base,
            hours=hours,
            limit=minutes / 60,
        )


@dataclass(frozen=True)
class _Counted:
    """What the counts depend on; `load` brings the base and does not count."""

    base: str
    revision: str | None
    parts: TrainedParts
    is_labelled: bool
    written: int
    load: LoadBase = field(compare=False)


@lru_cache(maxsize=64)
def _counts(counted: _Counted) -> _Counts:
    """Count on a copy of the base, which is not kept."""
    base = counted.load(counted.base, revision=counted.revision)
    model = dataclasses.replace(base, module=copy.deepcopy(base.module))
    labels = tuple(map(str, range(CLASSES))) if counted.is_labelled else ()
    made = tunable(model, labels, 0)
    with torch.random.fork_rng(devices=[]):
        modules = choose_trained(made.whole, counted.parts, is_new=made.is_head)
    return _counted_modules(model, made.whole, modules)


def _counted_modules(model: LoadedModel, whole: nn.Module, modules: tuple[str, ...]) -> _Counts:
    embedding: Any = model.adapter.embedding()
    stacks = stacks_of(whole)
    layers = sum(stacks.values()) or model.layers
    return _Counts(
        kind=model.kind,
        layers=layers,
        width=int(embedding.weight.shape[1]),
        vocabulary=int(embedding.weight.shape[0]),
        total=sum(p.numel() for p in whole.parameters()),
        trainable=sum(p.numel() for p in whole.parameters() if p.requires_grad),
        trained_layers=_layers_that_learn(whole, stacks, layers),
        modules=modules,
        sides=tuple(sides_of(cast(LoraLinear, whole.get_submodule(path)).base) for path in modules),
    )


def _layers_that_learn(whole: nn.Module, stacks: dict[str, int], layers: int) -> int:
    """How many layers the gradient passes: from the lowest trained parameter up."""
    from playground.training.finetune.trained_parts import depth_of

    depth = depth_of(whole)
    deepest = max(stacks.values(), default=layers)
    lowest = min(depth(name) for name, p in whole.named_parameters() if p.requires_grad)
    return min(layers, max(0, deepest + 1 - max(1, lowest)) * max(1, len(stacks)))
