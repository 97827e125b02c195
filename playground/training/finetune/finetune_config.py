"""Everything that decides a fine-tuning, in one frozen record: a base, what is trained of it, and on what."""

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.errors import UserError
from playground.legacy_names import modernise_run_config
from playground.tasks.finetune.registry import FinetuneTaskConfig, finetune_task_from_dict, finetune_task_to_dict
from playground.tasks.finetune.registry import finetune_kind_of as task_kind
from playground.training.config import OptimizerName, RunSettings, ScheduleName, reading_config
from playground.training.finetune.trained_parts import TrainedParts
from playground.transformer_config import check_count, check_truth

if TYPE_CHECKING:
    from torch import nn

    from playground.tasks.task import Task
    from playground.training.trainer import TrainingState

LONGEST_NAME = 500
LONGEST_ROW = 4096


@dataclass(frozen=True, kw_only=True)
class FinetuneConfig(RunSettings):
    """A fine-tuning: the same config, base and seed give the same weights on one CPU thread, bit for bit."""

    base: str
    """The model that learns on: any name that `load` takes."""
    task: FinetuneTaskConfig
    parts: TrainedParts = field(default_factory=TrainedParts)
    revision: str | None = None
    length: int = 128
    """The most tokens of a row."""
    layer_decay: float = 1.0
    """Each layer learns at this share of the rate of the one above it."""
    from_scratch: bool = False
    """Random weights instead of the base's, all of them trained: what pre-training is compared with."""
    steps: int = 300
    batch: int = 16
    learning_rate: float = 5e-4
    final_learning_rate: float = 0.0
    warm_up: int = 20
    schedule: ScheduleName = "linear"
    weight_decay: float = 0.01
    evaluate_every: int = 50
    evaluate_rows: int = 500
    optimizer: OptimizerName = "adamw"
    checkpoint_every: int = 100
    frames: int = 12

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.base, str) or not self.base.strip() or len(self.base) > LONGEST_NAME:
            raise UserError("No model is named that could be fine-tuned; give a catalogue name, a folder or a hub id.")
        check_count("length", self.length, smallest=4, largest=LONGEST_ROW)
        check_truth("from_scratch", self.from_scratch)
        decay = self.layer_decay
        if isinstance(decay, bool) or not isinstance(decay, int | float) or not 0 < decay <= 1 or math.isnan(decay):
            raise UserError("layer_decay is {decay!r}; choose a number above 0 and up to 1.", decay=decay)
        if self.optimizer == "muon":
            raise UserError("Muon starts a training; choose adamw or sgd to fine-tune.")

    @property
    def row_length(self) -> int:
        """The most tokens of a row."""
        return self.length

    @property
    def drops(self) -> bool:
        """Whatever dropout the base states is at work."""
        return True

    @property
    def measures_start(self) -> bool:
        """What the base measures is the before of every before and after."""
        return True

    @property
    def task_name(self) -> str:
        """The name of the task."""
        return task_kind(self.task).name

    def prepare_task(self) -> "Task":
        """The task, its texts read and encoded with the base's tokenizer."""
        from playground.training.finetune.base import reader_of

        kind = task_kind(self.task)
        return kind.encode(kind.read(self.task), reader_of(self.base, self.revision), self.length)

    def restore_task(self, folder: Path) -> "Task":
        """The task as it was saved in a run folder."""
        from playground.tasks.finetune.rows import read_split
        from playground.training.finetune.base import reader_of

        return task_kind(self.task).encode(read_split(folder), reader_of(self.base, self.revision), self.length)

    def check_task(self, task: "Task") -> None:
        """A task was prepared with the base's own tokenizer and kind, so that it fits."""

    def start(self, device: Any, task: "Task | None") -> "TrainingState":
        """The base with what is to learn, and an optimiser for that."""
        from playground.training.finetune.base import start_finetuning

        return start_finetuning(self, device, (task or self.prepare_task()).class_names)

    def rate_shares(self, model: "nn.Module") -> Iterable[tuple[float, "list[nn.Parameter]"]]:
        """What is trained, by layer; without layer-wise decay all at the whole rate."""
        from playground.training.finetune.trained_parts import depth_of

        trained = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
        depth = depth_of(model)
        deepest = max(depth(name) for name, _ in trained)
        by_depth: dict[int, list[nn.Parameter]] = {}
        for name, parameter in trained:
            by_depth.setdefault(depth(name) if self.layer_decay < 1 else deepest, []).append(parameter)
        return [(self.layer_decay ** (deepest - k), by_depth[k]) for k in sorted(by_depth)]

    def to_dict(self) -> dict[str, Any]:
        """The record as it stands in a run folder's config.json."""
        rest = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**rest, "task": finetune_task_to_dict(self.task), "parts": dataclasses.asdict(self.parts)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "FinetuneConfig":
        """Read back what `to_dict` wrote. Raises UserError for what is missing, unknown or of the wrong kind."""
        with reading_config():
            values = modernise_run_config(values)
            parts: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in values.get("parts", {}).items()
            }
            rest = {name: value for name, value in values.items() if name not in ("task", "parts", "betas")}
            return cls(
                task=finetune_task_from_dict(values["task"]),
                parts=TrainedParts(**parts),
                betas=tuple(values.get("betas", cls.betas)),
                **rest,
            )
