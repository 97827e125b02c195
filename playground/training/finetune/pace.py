"""How fast a fine-tuning is here: one step and one reading of real rows, timed once for each base and what is trained.

Texts are shorter than the longest row that is allowed, which no formula knows. What is timed is the work of one core:
what else the machine does at that moment is not the run's.
"""

import copy
import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

import numpy as np
import torch

from playground.evaluation.text_table import TableNote
from playground.models.adapters.finetuned import tunable
from playground.models.adapters.hub_model import HubShape, as_ours
from playground.models.cache import folder_stamp
from playground.models.loading import LoadedModel, load
from playground.tasks.finetune.labels import LabelsConfig
from playground.tasks.finetune.reader import reader_for
from playground.tasks.finetune.registry import FinetuneTaskConfig, finetune_kind_of
from playground.tasks.finetune.rows import Rows, SplitRows
from playground.tasks.task import Batch, Task
from playground.training.finetune.finetune_config import FinetuneConfig
from playground.training.finetune.trained_parts import TrainedParts, choose_trained
from playground.training.objective import loss_of
from playground.transformer import Transformer

LoadBase = Callable[..., LoadedModel]
"""Called with a name and `revision`."""
SAMPLED = 48
"""Rows that are drawn to be timed."""
SAMPLED_CHARACTERS = 20_000
"""Of each."""
TIMED_TOKENS = 6e10
"""Tokens times parameters of the timed batch: about a second of one core."""
REPEATS = 2


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds of one core for each row."""

    step: float
    """Forward and backward."""
    reading: float
    """Forward alone, as an evaluation reads."""
    sampled: int
    """Texts that were drawn to be timed."""
    left_out: int
    """Of these, how many are longer than is read, and not trained on."""
    notes: tuple[TableNote, ...]
    """On the source."""


@dataclass(frozen=True)
class _Timed:
    """What a pace depends on; `load` brings the base and does not count."""

    base: str
    revision: str | None
    stamp: int
    parts: TrainedParts
    task: FinetuneTaskConfig
    length: int
    batch: int
    load: LoadBase = field(compare=False)


def measured_pace(config: FinetuneConfig, *, load: LoadBase = load) -> Pace:
    """The pace of a fine-tuning, timed at the first call. Raises UserError as preparing it does.

    LoRA's rank and the number of labels hardly matter to it and share one measurement.
    """
    parts = TrainedParts(method="all") if config.from_scratch else dataclasses.replace(config.parts, rank=1, alpha=1.0)
    task = dataclasses.replace(config.task, labels=0) if isinstance(config.task, LabelsConfig) else config.task
    stamp = folder_stamp(config.base)
    timed = _Timed(config.base, config.revision, stamp, parts, task, config.length, config.batch, load)
    return _pace(timed)


@lru_cache(maxsize=64)
def _pace(timed: _Timed) -> Pace:
    base = timed.load(timed.base, revision=timed.revision)
    kind = finetune_kind_of(timed.task)
    split = kind.read(timed.task)
    sample = _sample(split)
    task: Any = kind.encode(sample, reader_for(base), timed.length)
    model, parameters = _prepared(base, task, timed.parts)
    rows = _rows_to_time(task, timed, parameters)
    batch = task.training_batch(rows)
    step = min(_seconds(lambda: _learn(model, batch)) for _ in range(REPEATS))
    with torch.no_grad():
        reading = min(_seconds(lambda: loss_of(model, batch)) for _ in range(REPEATS))
    return Pace(
        step=step / len(rows),
        reading=reading / len(rows),
        sampled=len(sample.train) + len(sample.held_out),
        left_out=task.left_out,
        notes=split.notes,
    )


def _sample(split: SplitRows) -> SplitRows:
    """Some rows of both parts; very long texts are cut."""
    drawn = np.random.default_rng(0).permutation(len(split.train))[:SAMPLED].tolist()
    train, held_out = split.train.only(drawn), split.held_out.only(range(min(SAMPLED, len(split.held_out))))
    return SplitRows(train=_cut(train), held_out=_cut(held_out))


def _cut(rows: Rows) -> Rows:
    return Rows(texts=tuple(text[:SAMPLED_CHARACTERS] for text in rows.texts), labels=rows.labels)


def _prepared(base: LoadedModel, task: Task, parts: TrainedParts) -> tuple[Transformer, int]:
    """A copy of the base of which these parts can learn, and how many parameters it has."""
    own = dataclasses.replace(base, module=copy.deepcopy(base.module).float().cpu())
    made = tunable(own, task.class_names, 0)
    with torch.random.fork_rng(devices=[]):
        choose_trained(made.whole, parts, is_new=made.is_head)
    whole = made.whole
    shape = HubShape(kind=base.kind, context=base.context, classes=len(task.class_names))
    # A HubModel has the same methods.
    return cast(Transformer, as_ours(whole, shape).train()), sum(parameter.numel() for parameter in whole.parameters())


def _rows_to_time(task: Any, timed: _Timed, parameters: int) -> list[int]:
    """As many rows of a batch as take about a second."""
    generator = np.random.default_rng(0)
    rows: list[int] = generator.integers(0, len(task.train), min(timed.batch, SAMPLED)).tolist()
    tokens = int(task.training_batch(rows).ids.shape[1])
    return rows[: max(1, int(TIMED_TOKENS / (parameters * tokens)))]


def _learn(model: Transformer, batch: Batch) -> None:
    loss_of(model, batch).backward()  # type: ignore[no-untyped-call]
    model.zero_grad()


def _seconds(work: Callable[[], object]) -> float:
    """Of this thread's own work, as a run trains: on one thread, in which autograd goes back, too."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        begun = time.thread_time()
        work()
        return time.thread_time() - begun
    finally:
        torch.set_num_threads(threads)
