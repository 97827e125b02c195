"""Limits on what training runs may use: larger ones are refused, running ones are stopped, old ones are deleted."""

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playground.errors import UserError

if TYPE_CHECKING:
    from playground.settings import Settings
    from playground.training.config import RunSettings, TrainConfig
    from playground.transformer import TransformerConfig


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of an executor's runs; sizes are checked before a run starts."""

    steps: int = 100_000
    minutes: float = 120.0
    """Training time after which a run is stopped."""
    parameters: int = 30_000_000
    layers: int = 64
    tokens: int = 262_144
    """Per step."""
    disk_bytes: int = 2 * 2**30
    """Size of the run's folder at which the run is stopped."""
    queued: int = 30
    """Waiting runs."""
    runs_each: int = 30
    """Runs of one visitor that wait or train."""
    paused_minutes: float = math.inf
    """Minutes after which a paused run gives its slot back."""
    all_bytes: float = math.inf
    """Size of the folder of all runs at which none can be started."""
    retention_days: float = math.inf
    """Days after which a run that nobody continues is deleted."""

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            if not value > 0:
                raise UserError("The limit {name} is {value}; it must be more than 0.", name=name, value=value)


def limits_of(settings: "Settings") -> Limits:
    """The limits that a server's settings set."""
    return Limits(
        steps=settings.steps,
        minutes=settings.minutes,
        parameters=settings.parameters,
        disk_bytes=settings.run_megabytes * 2**20,
        queued=settings.queued,
        runs_each=settings.runs_each,
        paused_minutes=settings.paused_minutes,
        all_bytes=settings.all_megabytes * 2**20 or math.inf,
        retention_days=settings.retention_days or math.inf,
    )


def check_limits(config: "RunSettings", limits: Limits) -> None:
    """Raise UserError, saying what to change, for a run beyond the limits."""
    tokens = config.batch * config.accumulation * config.row_length
    if config.steps > limits.steps:
        raise UserError(
            "The run has {value:,} steps, and at most {limit:,} are allowed here; choose fewer steps.",
            value=config.steps,
            limit=limits.steps,
        )
    if tokens > limits.tokens:
        raise UserError(
            "The run has {value:,} tokens in a step, and at most {limit:,} are allowed here; choose a smaller batch or "
            "context.",
            value=tokens,
            limit=limits.tokens,
        )
    from playground.training.config import TrainConfig

    if isinstance(config, TrainConfig):
        _check_shape(config, limits)


def _check_shape(config: "TrainConfig", limits: Limits) -> None:
    """Raise UserError for a model that would have too many layers or parameters."""
    if config.model.layers > limits.layers:
        raise UserError(
            "The run has {value:,} layers, and at most {limit:,} are allowed here; choose fewer layers.",
            value=config.model.layers,
            limit=limits.layers,
        )
    parameters = _parameter_count(config.model, limits)
    if parameters > limits.parameters:
        raise UserError(
            "The run has {value:,} parameters, and at most {limit:,} are allowed here; choose a smaller model.",
            value=parameters,
            limit=limits.parameters,
        )


def _parameter_count(model: "TransformerConfig", limits: Limits) -> int:
    """Number of parameters, or only that of the largest matrix if it alone exceeds the limit."""
    largest = model.width * max(model.vocabulary, model.width, model.hidden or 0)
    if largest > limits.parameters:
        return largest
    from playground.training.sizes import parameters_by_part

    return sum(parameters_by_part(model).values())


def check_cost(config: "RunSettings", *, available: float, minutes: float) -> None:
    """Raise UserError, with both numbers, for a run whose step needs more than the `available` bytes.

    Also for a fine-tuning that would be stopped after these minutes: it can be timed before it starts.
    """
    from playground.training.config import TrainConfig
    from playground.training.estimate import memory_of
    from playground.training.finetune.cost import check_finetuning
    from playground.training.finetune.finetune_config import FinetuneConfig
    from playground.training.sizes import parameters_by_part

    if isinstance(config, FinetuneConfig):
        check_finetuning(config, available=available, minutes=minutes)
    if not isinstance(config, TrainConfig):
        return
    needed = memory_of(config, parameters_by_part(config.model)).total
    if needed > available:
        raise UserError(
            "The run needs about {needed:.1f} GB, and {available:.1f} GB are free for it; choose a smaller model, "
            "batch or context.",
            needed=needed / 1e9,
            available=available / 1e9,
        )
