"""Everything that decides a training run, in one frozen record."""

import dataclasses
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from playground.errors import UserError
from playground.legacy_names import modernise_run_config
from playground.tasks.registry import task_from_dict, task_kind_of, task_to_dict
from playground.tasks.task import TaskConfig
from playground.transformer import Transformer, TransformerConfig, check_choice, check_count

if TYPE_CHECKING:
    from torch import nn

    from playground.tasks.task import Task
    from playground.training.trainer import TrainingState

ScheduleName = Literal["cosine", "linear", "stable-decay", "constant"]
OptimizerName = Literal["adamw", "sgd", "muon"]
Precision = Literal["float32", "bfloat16"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
LARGEST_SEED = 2**63 - 1


@contextmanager
def reading_config() -> Iterator[None]:
    """Raise UserError for a field that is missing, unknown or of the wrong kind."""
    try:
        yield
    except KeyError as error:
        raise UserError("The configuration lacks the field {error}.", error=error) from error
    except (TypeError, AttributeError) as error:
        raise UserError(
            "The configuration has a field that is unknown or of the wrong kind: {error}.", error=error
        ) from error


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What every run decides, from random weights or a model's: steps, batch, rate, and what is kept on the way."""

    steps: int = 2000
    batch: int = 12
    """Rows in a batch, each of at most one context."""
    learning_rate: float = 1e-3
    """The peak."""
    final_learning_rate: float = 1e-4
    warm_up: int = 100
    """In steps."""
    schedule: ScheduleName = "cosine"
    betas: tuple[float, float] = (0.9, 0.99)
    """The first is the momentum of sgd and muon."""
    weight_decay: float = 0.1
    clip: float = 1.0
    """The largest norm of the gradient."""
    seed: int = 0
    evaluate_every: int = 250
    evaluate_rows: int = 64
    optimizer: OptimizerName = "adamw"
    accumulation: int = 1
    """Batches in a step."""
    precision: Precision = "float32"
    """bfloat16 is autocast: weights and optimiser stay in float32."""
    device: DeviceName = "cpu"
    checkpoint_every: int = 500
    """In steps."""
    frames: int = 60
    """Frames of the probe's attention, more of them early (run/film.py)."""

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "evaluate_every", "evaluate_rows", "accumulation", "checkpoint_every"):
            check_count(name, getattr(self, name))
        for name in ("warm_up", "seed", "frames"):
            check_count(name, getattr(self, name), smallest=0)
        check_choice("schedule", self.schedule, get_args(ScheduleName))
        check_choice("optimizer", self.optimizer, get_args(OptimizerName))
        check_choice("precision", self.precision, get_args(Precision))
        check_choice("device", self.device, get_args(DeviceName))
        if self.seed > LARGEST_SEED:
            raise UserError("seed is {seed}; choose at most {largest_seed}.", seed=self.seed, largest_seed=LARGEST_SEED)
        if self.warm_up > self.steps:
            raise UserError(
                "The warm-up of {warm_up} steps is longer than the run of {steps}.",
                warm_up=self.warm_up,
                steps=self.steps,
            )
        self.check_precision(self.device)
        self._check_optimiser()

    def check_precision(self, device: str) -> None:
        """Raise UserError for bfloat16 on a CPU, where it only slows the run down."""
        if self.precision == "bfloat16" and device == "cpu":
            raise UserError("bfloat16 is two to three times slower than float32 on a CPU; choose float32.")

    def _check_optimiser(self) -> None:
        for name in ("learning_rate", "final_learning_rate", "clip", "weight_decay"):
            _check_number(name, getattr(self, name))
        if not 0 < self.learning_rate <= 1:
            raise UserError(
                "A learning rate of {learning_rate} is outside 0 to 1; 0.001 is a good start.",
                learning_rate=self.learning_rate,
            )
        if not 0 <= self.final_learning_rate <= 1:
            raise UserError(
                "A final learning rate of {final_learning_rate} is outside 0 to 1.",
                final_learning_rate=self.final_learning_rate,
            )
        if not self.clip > 0:
            raise UserError("The gradient is clipped at {clip}; choose a positive number.", clip=self.clip)
        if not 0 <= self.weight_decay < math.inf:
            raise UserError(
                "A weight decay of {weight_decay} makes no sense; choose 0 or a positive number.",
                weight_decay=self.weight_decay,
            )
        if not isinstance(self.betas, tuple) or len(self.betas) != 2 or not all(_is_share(beta) for beta in self.betas):
            raise UserError(
                "The betas are {betas}; choose two numbers from 0 up to but not including 1.", betas=self.betas
            )

    @property
    def row_length(self) -> int:
        """The most tokens of a row."""
        raise NotImplementedError

    @property
    def drops(self) -> bool:
        """Whether the model drops units while it trains."""
        raise NotImplementedError

    @property
    def measures_start(self) -> bool:
        """Whether the model is measured before the first step, too: one that has learned before."""
        raise NotImplementedError

    @property
    def task_name(self) -> str:
        """The name of the task."""
        raise NotImplementedError

    def prepare_task(self) -> "Task":
        """The task, from its sources. Raises UserError if they cannot be read."""
        raise NotImplementedError

    def check_task(self, task: "Task") -> None:
        """Raise UserError, with what to change, if the model cannot learn the task."""
        raise NotImplementedError

    def restore_task(self, folder: Path) -> "Task":
        """The task as it was saved in a run folder. Raises UserError if its files are damaged."""
        raise NotImplementedError

    def start(self, device: Any, task: "Task | None") -> "TrainingState":
        """The state before the first step, decided by the seed and, for what a new head tells apart, by the task."""
        raise NotImplementedError

    def rate_shares(self, model: "nn.Module") -> Iterable[tuple[float, "list[nn.Parameter]"]]:
        """The trained parameters, each once, by the share of the learning rate that they get."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """The record as it stands in a run folder's config.json."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class TrainConfig(RunSettings):
    """A run: the same config and seed give the same weights on one CPU thread, bit for bit."""

    task: TaskConfig
    model: TransformerConfig

    @property
    def row_length(self) -> int:
        """The context of the model."""
        return self.model.context

    @property
    def drops(self) -> bool:
        """Whether the model has dropout."""
        return self.model.dropout > 0

    @property
    def measures_start(self) -> bool:
        """Random weights know nothing."""
        return False

    @property
    def task_name(self) -> str:
        """The name of the task."""
        return task_kind_of(self.task).name

    def prepare_task(self) -> "Task":
        """The task, from its sources."""
        return task_kind_of(self.task).prepare(self.task)

    def check_task(self, task: "Task") -> None:
        """Raise UserError, with what to change, if the model cannot learn the task."""
        task.check_fits(self.model)

    def restore_task(self, folder: Path) -> "Task":
        """The task as it was saved in a run folder."""
        return task_kind_of(self.task).restore(self.task, folder)

    def start(self, device: Any, task: "Task | None") -> "TrainingState":
        """A fresh model and optimiser."""
        from playground.training.optimizers import make_optimizer
        from playground.training.trainer import TrainingState, seeded

        model = seeded(self.seed, lambda: Transformer(self.model).eval())
        model.to(device)
        return TrainingState(model=model, optimizer=make_optimizer(self, model))

    def rate_shares(self, model: "nn.Module") -> Iterable[tuple[float, "list[nn.Parameter]"]]:
        """All parameters at the whole rate."""
        return [(1.0, list(model.parameters()))]

    def to_dict(self) -> dict[str, Any]:
        """The record as it stands in a run folder's config.json."""
        rest = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**rest, "task": task_to_dict(self.task), "model": self.model.to_dict()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainConfig":
        """Read back what `to_dict` wrote. Raises UserError for what is missing, unknown or of the wrong kind."""
        with reading_config():
            values = modernise_run_config(values)
            task = task_from_dict(values["task"])
            model = TransformerConfig.from_dict(values["model"])
            rest = {name: value for name, value in values.items() if name not in ("task", "model", "betas")}
            return cls(task=task, model=model, betas=tuple(values.get("betas", cls.betas)), **rest)


def _check_number(name: str, value: object) -> None:
    """Raise UserError unless the value is a number; nan is one, and refused by the range it is held against."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise UserError("{name} is {value!r}; it must be a number.", name=name, value=value)


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1
