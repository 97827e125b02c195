"""A learning rate by trying: raise it exponentially over a hundred steps and watch the loss. Smith 2017, section 3.3.

What is tried is a copy of the model that is thrown away. An iterator, so that a person sees it rise and may stop it.
"""

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from playground.errors import UserError
from playground.tasks.task import Task
from playground.training.config import TrainConfig
from playground.training.trainer import TrainingState, start_state, take_step
from playground.transformer import check_count

SMOOTHING = 0.9
"""How much of the smoothed loss is kept at each step."""
DIVERGED = 1.3
"""How many times the least smoothed loss ends the search."""
SHARE = 10.0
"""The suggestion lies this factor below the rate of the least loss, where training is about to break."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One step of the search: the rate, the loss in nats, and the loss smoothed over the steps so far."""

    rate: float
    loss: float
    smoothed: float


def find_rate(
    config: TrainConfig,
    task: Task,
    *,
    state: TrainingState | None = None,
    lowest: float = 1e-6,
    highest: float = 1.0,
    steps: int = 100,
) -> Iterator[Trial]:
    """Yield one trial per step, rates rising from lowest to highest, until the loss runs away or is no number.

    Raises UserError for rates that do not rise, and for a task that the model does not fit. `state` stays as it is.
    """
    check_count("steps", steps, smallest=2)
    if not 0 < lowest < highest:
        raise UserError(
            "Rates from {lowest} to {highest} do not rise; choose two positive numbers in order.",
            lowest=lowest,
            highest=highest,
        )
    task.check_fits(config.model)
    tried = start_state(config) if state is None else copy.deepcopy(state)
    mean, least = 0.0, math.inf
    for index in range(steps):
        rate = lowest * (highest / lowest) ** (index / (steps - 1))
        try:
            loss = take_step(config, task, tried, rate=rate).loss
        except UserError:
            return
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        # The mean begins at zero; divided by the weights so far it is one (Kingma and Ba 2015, section 3).
        smoothed = mean / (1 - SMOOTHING ** (index + 1))
        yield Trial(rate=rate, loss=loss, smoothed=smoothed)
        least = min(least, smoothed)
        if smoothed > DIVERGED * least:
            return


def suggested_rate(trials: Sequence[Trial]) -> float | None:
    """A tenth of the rate with the least smoothed loss; None where the loss never fell."""
    if not trials:
        return None
    best = min(trials, key=lambda trial: trial.smoothed)
    fell = best.smoothed < trials[0].smoothed - 1e-6
    return best.rate / SHARE if fell else None
