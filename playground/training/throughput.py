"""Measure this machine's training throughput in a fifth of a second: three numbers that predict a step's time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import torch

from playground.tasks.task import Batch
from playground.training.objective import loss_of
from playground.training.sizes import activations, product_flops
from playground.transformer import Transformer, TransformerConfig

SECONDS = 0.06
"""The duration of each of the three measurements."""
LAYERS = 2
MOST_MEASUREMENTS = 4
PAUSE_SECONDS = 8.0


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """The speed of a device in training."""

    flops_per_second: float
    """Of matrix products."""
    seconds_per_value: float
    """Per activation that the forward pass keeps, forward and backward."""
    seconds_per_layer: float
    """Overhead of a layer of any size; embedding, head and loss count as one more."""


@cache
def measured_throughput(device: str = "cpu") -> Throughput:
    """The throughput of a device, measured once per process."""
    return measure_throughput(device)


class ThroughputCache:
    """The best of a few measurements per device, because the first is taken while the server is still starting."""

    def __init__(self, measure: Callable[[str], Throughput] | None = None) -> None:
        self._measure = measure or measure_throughput
        self._measurements: dict[str, list[tuple[float, Throughput]]] = {}
        self._guard = threading.Lock()

    def of(self, device: str, now: float | None = None) -> Throughput:
        """The best throughput so far, measured again after PAUSE_SECONDS; at most MOST_MEASUREMENTS in all."""
        now = time.monotonic() if now is None else now
        with self._guard:
            measurements = self._measurements.setdefault(device, [])
            if not measurements or (
                len(measurements) < MOST_MEASUREMENTS and now - measurements[-1][0] > PAUSE_SECONDS
            ):
                measurements.append((now, self._measure(device)))
            speeds = [speed for _, speed in measurements]
        return Throughput(
            flops_per_second=max(speed.flops_per_second for speed in speeds),
            seconds_per_value=min(speed.seconds_per_value for speed in speeds),
            seconds_per_layer=min(speed.seconds_per_layer for speed in speeds),
        )


def measure_throughput(device: str) -> Throughput:
    """The throughput of a device; of a CPU that of one thread, as a run trains."""
    with _one_thread():
        return _measure_speed(device)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Measure as a run trains: one thread each, and threads of one product would wait for each other under load."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _measure_speed(device: str) -> Throughput:
    rate = _product_rate(device)
    smallest = _shape(width=8, context=4)
    per_layer = _step_seconds(smallest, rows=1, device=device) / (LAYERS + 1)
    shape, rows = _shape(width=64, context=64), 8
    products = 3 * rows * sum(product_flops(shape, shape.context).values())
    rest = _step_seconds(shape, rows=rows, device=device) - products / rate - (LAYERS + 1) * per_layer
    return Throughput(
        flops_per_second=rate,
        seconds_per_value=max(0.0, rest) / (rows * activations(shape, shape.context)),
        seconds_per_layer=per_layer,
    )


def _shape(*, width: int, context: int) -> TransformerConfig:
    return TransformerConfig(vocabulary=64, width=width, context=context, layers=LAYERS, n_heads=2)


def _product_rate(device: str) -> float:
    """FLOPs per second of the products of a small model: 1,024 tokens through 256 x 256 weights."""
    tokens, weights = torch.ones(1024, 256, device=device), torch.ones(256, 256, device=device)
    return 2 * 1024 * 256 * 256 / _fastest_seconds(lambda: torch.mm(tokens, weights), device)


def _step_seconds(shape: TransformerConfig, *, rows: int, device: str) -> float:
    """The duration of a forward and a backward pass."""
    with torch.random.fork_rng(devices=[]):
        model = Transformer(shape).to(device)
    ids = torch.arange(rows * shape.context, device=device).view(rows, -1) % shape.vocabulary
    batch = Batch(ids=ids, labels=ids)

    def step() -> None:
        loss_of(model, batch).backward()  # type: ignore[no-untyped-call]
        model.zero_grad()

    return _fastest_seconds(step, device)


def _fastest_seconds(action: Callable[[], object], device: str) -> float:
    """Seconds of the fastest repetition within SECONDS: other load can only slow one down."""
    # On a CPU the time of this thread: the clock would count what other processes do meanwhile.
    clock = time.thread_time if device == "cpu" else time.perf_counter
    best, until = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        start = clock()
        action()
        if device != "cpu":
            torch.accelerator.synchronize()
        best = min(best, clock() - start)
    return best
