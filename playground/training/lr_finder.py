"""Learning-rate range test: raise the rate exponentially over a hundred steps and watch the loss.

Smith 2017, section 3.3. It trains a throwaway copy of the model, and yields every step so that a page can plot and
stop it.
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
"""Weight of the past in the moving average of the loss."""
DIVERGED = 1.3
"""The test ends when the smoothed loss exceeds its minimum by this factor."""
MARGIN = 10.0
"""The suggestion is this factor below the rate of the minimum, where training is about to diverge."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One step of the test: the rate, and the loss in nats, raw and smoothed."""

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
    """Yield one trial per step, at rates from lowest to highest, until the loss diverges or is not finite.

    Starts from a copy of `state`, or from a new model. Raises UserError for rates that do not rise, and for a task that
    the model does not fit.
    """
    check_count("steps", steps, smallest=2)
    if not 0 < lowest < highest:
        raise UserError(
            "Rates from {lowest} to {highest} do not rise; choose two positive numbers in order.",
            lowest=lowest,
            highest=highest,
        )
    task.check_fits(config.model)
    trial_state = start_state(config) if state is None else copy.deepcopy(state)
    mean, lowest_loss = 0.0, math.inf
    for index in range(steps):
        rate = lowest * (highest / lowest) ** (index / (steps - 1))
        try:
            loss = take_step(config, task, trial_state, rate=rate).loss
        except UserError:
            return
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        # Correct the bias of a moving average that starts at zero (Kingma and Ba 2015, section 3).
        smoothed = mean / (1 - SMOOTHING ** (index + 1))
        yield Trial(rate=rate, loss=loss, smoothed=smoothed)
        lowest_loss = min(lowest_loss, smoothed)
        if smoothed > DIVERGED * lowest_loss:
            return


def suggested_rate(trials: Sequence[Trial]) -> float | None:
    """A tenth of the rate with the lowest smoothed loss; None if the loss never fell."""
    if not trials:
        return None
    best = min(trials, key=lambda trial: trial.smoothed)
    fell = best.smoothed < trials[0].smoothed - 1e-6
    return best.rate / MARGIN if fell else None
