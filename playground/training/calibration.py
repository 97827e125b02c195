"""How fast this machine trains, from a fifth of a second of measuring: three numbers that give a step's time."""

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
"""How long each of the three measurements may take."""
LAYERS = 2
TIMES = 4
PAUSE_SECONDS = 8.0


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """Of matrix products in floating-point operations per second; of all else in seconds.

    seconds_per_value: for each number that the forward pass keeps, there and back. seconds_per_layer: what a layer
    costs however small it is; embedding, head and loss count as one more.
    """

    flops_per_second: float
    seconds_per_value: float
    seconds_per_layer: float


@cache
def measured_throughput(device: str = "cpu") -> Throughput:
    """The speed of a device; measured once in a process."""
    return measure_throughput(device)


class ThroughputCache:
    """The best of a few measurements of each device: a server measures first while it is still busy starting."""

    def __init__(self, measure: Callable[[str], Throughput] | None = None) -> None:
        self._measure = measure or measure_throughput
        self._found: dict[str, list[tuple[float, Throughput]]] = {}
        self._guard = threading.Lock()

    def of(self, device: str, now: float | None = None) -> Throughput:
        """The best speed found yet, measured anew where the last time was a while ago; at most TIMES in all."""
        now = time.monotonic() if now is None else now
        with self._guard:
            found = self._found.setdefault(device, [])
            if not found or (len(found) < TIMES and now - found[-1][0] > PAUSE_SECONDS):
                found.append((now, self._measure(device)))
            speeds = [speed for _, speed in found]
        return Throughput(
            flops_per_second=max(speed.flops_per_second for speed in speeds),
            seconds_per_value=min(speed.seconds_per_value for speed in speeds),
            seconds_per_layer=min(speed.seconds_per_layer for speed in speeds),
        )


def measure_throughput(device: str) -> Throughput:
    """The speed of a device; of a CPU that of one thread, as a run trains, on a core that nobody else uses."""
    with _one_thread():
        return _measure_speed(device)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Runs have a thread each; several would also wait for each other on a busy machine."""
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
    # On a CPU the time that this thread was at work: the clock would count what others do meanwhile.
    clock = time.thread_time if device == "cpu" else time.perf_counter
    best, until = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        began = clock()
        action()
        if device != "cpu":
            torch.accelerator.synchronize()
        best = min(best, clock() - began)
    return best
