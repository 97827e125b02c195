"""What a run will cost, before it starts: parameters, floating-point operations, memory and time."""

from dataclasses import dataclass

from playground.training.calibration import Throughput
from playground.training.config import TrainConfig
from playground.training.sizes import activations, embedding_flops, layers, parameters_by_part, product_flops, stacks

BYTES = 4
"""Of a number in float32, in which weights, gradients and the optimiser's state are kept."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Bytes that a step holds at its peak, by what they are for."""

    weights: int
    gradients: int
    optimizer: int
    activations: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.weights + self.gradients + self.optimizer + self.activations


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a run will cost. parameters and flops_per_step are by part; flops and seconds are those of all steps."""

    parameters: dict[str, int]
    flops_per_step: dict[str, int]
    flops: int
    memory: Memory
    tokens_per_step: int
    seconds_per_step: float
    seconds: float

    @property
    def total_parameters(self) -> int:
        """The exact number of the model's parameters."""
        return sum(self.parameters.values())


def estimate(config: TrainConfig, speed: Throughput) -> Estimate:
    """What the run of this config will cost on a machine of this speed (calibration.measured_throughput).

    Rows are taken to be as long as the context, and targets as long as sources. Evaluations are left out.
    """
    parameters = parameters_by_part(config.model)
    flops = flops_per_step(config)
    seconds = seconds_per_step(config, speed)
    return Estimate(
        parameters=parameters,
        flops_per_step=flops,
        flops=config.steps * sum(flops.values()),
        memory=memory_of(config, parameters),
        tokens_per_step=config.accumulation * config.batch * config.model.context * stacks(config.model),
        seconds_per_step=seconds,
        seconds=config.steps * seconds,
    )


def flops_per_step(config: TrainConfig) -> dict[str, int]:
    """The operations of one step by part; the backward pass takes twice the forward pass's (Hoffmann et al. 2022)."""
    length, rows = config.model.context, config.accumulation * config.batch
    forward = {**product_flops(config.model, length), "embedding": embedding_flops(config.model, length)}
    return {part: 3 * rows * flops for part, flops in forward.items()}


def memory_of(config: TrainConfig, parameters: dict[str, int]) -> Memory:
    """Bytes at the end of a forward pass, when everything that the backward pass needs is there."""
    total = sum(parameters.values())
    # One token is multiplied with each weight of a block's matrices once.
    products = product_flops(config.model, 1)
    matrices = (products["projections"] + products["feed_forward"]) // 2
    kept = {"adamw": 2 * total, "sgd": total, "muon": 2 * total - matrices}[config.optimizer]
    return Memory(
        weights=BYTES * total,
        gradients=BYTES * total,
        optimizer=BYTES * kept,
        activations=BYTES * config.batch * activations(config.model, config.model.context),
    )


def seconds_per_step(config: TrainConfig, speed: Throughput) -> float:
    """Matrix products at the measured rate, all else by the numbers that are touched, and an overhead per layer."""
    shape = config.model
    products = 3 * config.batch * sum(product_flops(shape, shape.context).values())
    numbers = config.batch * activations(shape, shape.context)
    overhead = (layers(shape) + 1) * speed.seconds_per_layer
    part = products / speed.flops_per_second + numbers * speed.seconds_per_value + overhead
    return config.accumulation * part + sum(parameters_by_part(shape).values()) * speed.seconds_per_value
