"""Limits on what a training run may use: larger ones are refused, and running ones are stopped."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from playground.errors import UserError

if TYPE_CHECKING:
    from playground.training.config import TrainConfig
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

    def __post_init__(self) -> None:
        for name in ("steps", "minutes", "parameters", "layers", "tokens", "disk_bytes", "queued"):
            if not getattr(self, name) > 0:
                raise UserError(
                    "The limit {name} is {value}; it must be more than 0.", name=name, value=getattr(self, name)
                )


def check_limits(config: "TrainConfig", limits: Limits) -> None:
    """Raise UserError, saying what to change, for a run beyond the limits."""
    tokens = config.batch * config.accumulation * config.model.context
    if config.steps > limits.steps:
        raise UserError(
            "The run has {value:,} steps, and at most {limit:,} are allowed here; choose fewer steps.",
            value=config.steps,
            limit=limits.steps,
        )
    if config.model.layers > limits.layers:
        raise UserError(
            "The run has {value:,} layers, and at most {limit:,} are allowed here; choose fewer layers.",
            value=config.model.layers,
            limit=limits.layers,
        )
    if tokens > limits.tokens:
        raise UserError(
            "The run has {value:,} tokens in a step, and at most {limit:,} are allowed here; choose a smaller batch or "
            "context.",
            value=tokens,
            limit=limits.tokens,
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
