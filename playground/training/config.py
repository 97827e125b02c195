"""Everything that decides a training run, in one frozen record."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from playground.errors import UserError
from playground.tasks.text import TextTaskConfig
from playground.transformer import TransformerConfig

ScheduleName = Literal["cosine", "linear", "stable-decay", "constant"]


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A run: the same config and seed give the same weights on one CPU thread, bit for bit.

    learning_rate is the highest, final_learning_rate the last; warm_up is in steps; batch is in rows of one
    model context each.
    """

    task: TextTaskConfig
    model: TransformerConfig
    steps: int = 2000
    batch: int = 12
    learning_rate: float = 1e-3
    final_learning_rate: float = 1e-4
    warm_up: int = 100
    schedule: ScheduleName = "cosine"
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.1
    clip: float = 1.0
    seed: int = 0
    evaluate_every: int = 250
    evaluate_rows: int = 64

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "evaluate_every", "evaluate_rows"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}; it must be at least 1.")
        if not 0 < self.learning_rate <= 1:
            raise UserError(f"A learning rate of {self.learning_rate} is outside 0 to 1; 0.001 is a good start.")
        if self.clip <= 0:
            raise UserError(f"The gradient is clipped at {self.clip}; choose a positive number.")
        if self.warm_up > self.steps:
            raise UserError(f"The warm-up of {self.warm_up} steps is longer than the run of {self.steps}.")

    def to_dict(self) -> dict[str, Any]:
        """The record as it stands in a run folder's config.json."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainConfig":
        """Read back what `to_dict` wrote."""
        task = TextTaskConfig(**{**values["task"], "sources": tuple(values["task"]["sources"])})
        model = TransformerConfig.from_dict(values["model"])
        rest = {name: value for name, value in values.items() if name not in ("task", "model", "betas")}
        return cls(task=task, model=model, betas=tuple(values["betas"]), **rest)
