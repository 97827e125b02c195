"""The learning rate of each step."""

import math
from collections.abc import Callable

from playground.training.config import ScheduleName, TrainConfig


def learning_rate(config: TrainConfig, step: int) -> float:
    """The rate of step `step` (the first is 1): a straight rise over the warm-up, then the schedule's fall."""
    if step <= config.warm_up:
        return config.learning_rate * step / config.warm_up
    progress = (step - config.warm_up) / max(1, config.steps - config.warm_up)
    fall = SHAPES[config.schedule](progress)
    return config.final_learning_rate + (config.learning_rate - config.final_learning_rate) * fall


def _stable_decay(progress: float) -> float:
    """High for the first four fifths, then straight down (Hu et al. 2024, section 4)."""
    return min(1.0, (1.0 - progress) / 0.2)


SHAPES: dict[ScheduleName, Callable[[float], float]] = {
    "cosine": lambda progress: 0.5 * (1 + math.cos(math.pi * progress)),
    "linear": lambda progress: 1 - progress,
    "stable-decay": _stable_decay,
    "constant": lambda progress: 1.0,
}
