"""How fast this machine trains, from a fifth of a second of measuring: three numbers that give a step's time."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch

from playground.tasks.task import Batch
from playground.training.objective import loss_of
from playground.training.sizes import activations, product_flops
from playground.transformer import Transformer, TransformerConfig

SECONDS = 0.06
"""How long each of the three measurements may take."""
LAYERS = 2


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Of matrix products in floating-point operations per second; of all else in seconds.

    seconds_per_number: for each number that the forward pass keeps, there and back. seconds_per_layer: what a layer
    costs however small it is; embedding, head and loss count as one more.
    """

    products_per_second: float
    seconds_per_number: float
    seconds_per_layer: float


@cache
def measured_speed(device: str = "cpu") -> Speed:
    """The speed of a device with the threads that torch now has; measured once in a process."""
    rate = _product_rate(device)
    smallest = _shape(width=8, context=4)
    per_layer = _step_seconds(smallest, rows=1, device=device) / (LAYERS + 1)
    shape, rows = _shape(width=64, context=64), 8
    products = 3 * rows * sum(product_flops(shape, shape.context).values())
    rest = _step_seconds(shape, rows=rows, device=device) - products / rate - (LAYERS + 1) * per_layer
    return Speed(
        products_per_second=rate,
        seconds_per_number=max(0.0, rest) / (rows * activations(shape, shape.context)),
        seconds_per_layer=per_layer,
    )


def _shape(*, width: int, context: int) -> TransformerConfig:
    return TransformerConfig(vocabulary=64, width=width, context=context, layers=LAYERS, heads=2)


def _product_rate(device: str) -> float:
    """Operations per second of products as a small model has them: 1,024 tokens through 256 x 256 weights."""
    tokens, weights = torch.ones(1024, 256, device=device), torch.ones(256, 256, device=device)
    return 2 * 1024 * 256 * 256 / _fastest(lambda: torch.mm(tokens, weights), device)


def _step_seconds(shape: TransformerConfig, *, rows: int, device: str) -> float:
    """Of a forward and a backward pass."""
    with torch.random.fork_rng(devices=[]):
        model = Transformer(shape).to(device)
    ids = torch.arange(rows * shape.context, device=device).view(rows, -1) % shape.vocabulary
    batch = Batch(ids=ids, labels=ids)

    def step() -> None:
        loss_of(model, batch).backward()  # type: ignore[no-untyped-call]
        model.zero_grad()

    return _fastest(step, device)


def _fastest(action: Callable[[], object], device: str) -> float:
    """Seconds of the fastest of as many repetitions as fit into the time: what others do only ever slows one down."""
    best, until = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        began = time.perf_counter()
        action()
        if device != "cpu":
            torch.accelerator.synchronize()
        best = min(best, time.perf_counter() - began)
    return best
