"""What a run may use on this machine. A run that asks for more is refused in a sentence, or stopped with one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from playground.errors import UserError

if TYPE_CHECKING:
    from playground.training.config import TrainConfig
    from playground.transformer import TransformerConfig


@dataclass(frozen=True, kw_only=True)
class Limits:
    """steps, parameters, layers and tokens (of one step) are checked before a run starts; minutes (of training) and
    disk_bytes (of the run's folder) stop it; queued is how many runs may wait at once.
    """

    steps: int = 100_000
    minutes: float = 120.0
    parameters: int = 30_000_000
    layers: int = 64
    tokens: int = 262_144
    disk_bytes: int = 2 * 2**30
    queued: int = 30

    def __post_init__(self) -> None:
        for name in ("steps", "minutes", "parameters", "layers", "tokens", "disk_bytes", "queued"):
            if not getattr(self, name) > 0:
                raise UserError(
                    "The limit {name} is {getattr}; it must be more than 0.", name=name, getattr=getattr(self, name)
                )


def check_limits(config: "TrainConfig", limits: Limits) -> None:
    """Raise UserError, with what to change, where a run asks for more than it may use."""
    _check("steps", config.steps, limits.steps, "fewer steps")
    _check("layers", config.model.layers, limits.layers, "fewer layers")
    tokens = config.batch * config.accumulation * config.model.context
    _check("tokens in a step", tokens, limits.tokens, "a smaller batch or context")
    _check("parameters", _parameters(config.model, limits), limits.parameters, "a smaller model")


def _check(what: str, value: int, limit: int, instead: str) -> None:
    if value > limit:
        raise UserError(
            "The run has {value:,} {what}, and at most {limit:,} are allowed here; choose {instead}.",
            value=value,
            what=what,
            limit=limit,
            instead=instead,
        )


def _parameters(model: "TransformerConfig", limits: Limits) -> int:
    """The number of parameters; of a model far too large, that of its largest matrix."""
    largest = model.width * max(model.vocabulary, model.width, model.hidden or 0)
    if largest > limits.parameters:
        return largest
    from playground.training.sizes import parameters_by_part

    return sum(parameters_by_part(model).values())
