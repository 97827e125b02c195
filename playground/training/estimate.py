"""Estimate a run before it starts: parameters, FLOPs, memory and time."""

from dataclasses import dataclass

from playground.training.config import TrainConfig
from playground.training.sizes import (
    activations,
    embedding_flops,
    n_stacks,
    parameters_by_part,
    product_flops,
    total_layers,
)
from playground.training.throughput import Throughput

BYTES = 4
"""float32, the type of weights, gradients and optimiser state."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Peak memory of a step, in bytes."""

    weights: int
    gradients: int
    optimizer: int
    activations: int

    @property
    def total(self) -> int:
        """Their sum."""
        return self.weights + self.gradients + self.optimizer + self.activations


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a run will cost."""

    parameters: dict[str, int]
    """By part of the model."""
    flops_per_step: dict[str, int]
    """By part of the model, forward and backward."""
    flops: int
    """Of all steps."""
    memory: Memory
    """At the peak of a step."""
    tokens_per_step: int
    """An encoder-decoder's source and target both count."""
    seconds_per_step: float
    seconds: float
    """Of all steps, without evaluations."""

    @property
    def total_parameters(self) -> int:
        """The exact number of the model's parameters."""
        return sum(self.parameters.values())


def estimate(config: TrainConfig, speed: Throughput) -> Estimate:
    """Estimate the run of a config on a machine of that throughput (`throughput.measured_throughput`).

    Assumes rows as long as the context, and targets as long as sources. Leaves evaluations out.
    """
    parameters = parameters_by_part(config.model)
    flops = flops_per_step(config)
    seconds = seconds_per_step(config, speed)
    return Estimate(
        parameters=parameters,
        flops_per_step=flops,
        flops=config.steps * sum(flops.values()),
        memory=memory_of(config, parameters),
        tokens_per_step=config.accumulation * config.batch * config.model.context * n_stacks(config.model),
        seconds_per_step=seconds,
        seconds=config.steps * seconds,
    )


def flops_per_step(config: TrainConfig) -> dict[str, int]:
    """FLOPs of one step by part; the backward pass costs twice the forward pass (Hoffmann et al. 2022)."""
    length, rows = config.model.context, config.accumulation * config.batch
    forward = {**product_flops(config.model, length), "embedding": embedding_flops(config.model, length)}
    return {part: 3 * rows * flops for part, flops in forward.items()}


def memory_of(config: TrainConfig, parameters: dict[str, int]) -> Memory:
    """Memory at the end of a forward pass, when all activations are held."""
    total = sum(parameters.values())
    # Muon keeps one buffer for the blocks' matrices, AdamW two for the rest. Two FLOPs per token and weight.
    products = product_flops(config.model, 1)
    matrices = (products["projections"] + products["feed_forward"]) // 2
    state = {"adamw": 2 * total, "sgd": total, "muon": 2 * total - matrices}[config.optimizer]
    return Memory(
        weights=BYTES * total,
        gradients=BYTES * total,
        optimizer=BYTES * state,
        activations=BYTES * config.batch * activations(config.model, config.model.context),
    )


def seconds_per_step(config: TrainConfig, speed: Throughput) -> float:
    """Matrix products at the measured rate, everything else by memory traffic, and an overhead per layer."""
    shape = config.model
    products = 3 * config.batch * sum(product_flops(shape, shape.context).values())
    values = config.batch * activations(shape, shape.context)
    overhead = (total_layers(shape) + 1) * speed.seconds_per_layer
    micro_batch = products / speed.flops_per_second + values * speed.seconds_per_value + overhead
    return config.accumulation * micro_batch + sum(parameters_by_part(shape).values()) * speed.seconds_per_value
