"""Cost against length: time and memory of a pass, measured, beside the parts of the formula that grow with n and n².

Every matrix multiplies each of n tokens; attention compares each of them with each (Kaplan et al. 2020, table 1;
Hoffmann et al. 2022, appendix F). A multiply-add is two FLOPs; the whole square of positions counts, masked ones too.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import torch

from playground.architecture.architecture import Architecture
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel

LENGTHS = (16, 32, 64, 128, 256, 512, 1024)
REPEATS = 3
REPEAT_SECONDS = 1.0
"""Passes are repeated until they have taken so long together, REPEATS times at most."""
_profiling = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class LengthFormula:
    """What a pass over n tokens needs: a part that grows with n, and one that grows with n²."""

    linear_flops: float
    """For each token."""
    quadratic_flops: float
    """For each pair of tokens."""
    logits_bytes: int
    """For each token: the logits and the state that they are made from. 0 without an output matrix."""
    pattern_bytes: int
    """For each pair of tokens: one layer's attention weights, if a kernel writes them down. Fused ones do not."""

    @property
    def balance(self) -> float:
        """The length at which both parts of the compute are equal."""
        return self.linear_flops / self.quadratic_flops if self.quadratic_flops else float("inf")

    def linear(self, length: int) -> float:
        """FLOPs of all matrices."""
        return self.linear_flops * length

    def quadratic(self, length: int) -> float:
        """FLOPs of scores and weighted sums."""
        return self.quadratic_flops * length**2

    def quadratic_share(self, length: int) -> float:
        """The n² part's share of the compute."""
        quadratic = self.quadratic(length)
        return quadratic / (quadratic + self.linear(length)) if quadratic else 0.0


@dataclass(frozen=True, kw_only=True)
class LengthCost:
    """One pass over so many tokens, measured."""

    length: int
    seconds: float
    """The median of all passes."""
    passes: int
    peak_bytes: int | None
    """The most memory that was allocated at once beyond the weights; None on devices whose allocator does not tell."""


def length_formula(architecture: Architecture, *, bytes_per_number: int = 4) -> LengthFormula:
    """The formula of an architecture; an encoder-decoder reads a target as long as its source."""
    placed = list(architecture.placed())
    linear = sum(2 * entry.runs * entry.box.multiplied for entry in placed if entry.box.is_per_token)
    attending = [entry for entry in placed if entry.box.n_heads]
    quadratic = sum(
        2 * entry.runs * entry.box.n_heads * (entry.box.head_width + entry.box.value_width) for entry in attending
    )
    heads = [entry.box for entry in placed if entry.box.role == "head"]
    vocabulary = max((weight.shape[0] for box in heads for weight in box.weights if weight.is_matrix), default=0)
    return LengthFormula(
        linear_flops=float(linear),
        quadratic_flops=float(quadratic),
        logits_bytes=bytes_per_number * (vocabulary + architecture.width) if vocabulary else 0,
        pattern_bytes=bytes_per_number * max((entry.box.n_heads for entry in attending), default=0),
    )


def measured_lengths(model: "LoadedModel") -> tuple[int, ...]:
    """The lengths that a model can read; for one that reads few tokens shorter ones."""
    fitting = tuple(length for length in LENGTHS if length <= model.context)
    return fitting if len(fitting) > 1 else tuple(dict.fromkeys(max(1, model.context // part) for part in (4, 2, 1)))


@torch.inference_mode()
def measure_length(model: "LoadedModel", length: int, on_progress: OnProgress = no_progress) -> LengthCost:
    """Time a pass over `length` tokens, and count the memory that it allocates.

    The first pass counts memory and warms up; the others are timed.
    """
    run = _pass(model, length)
    on_progress(0, REPEATS + 1)
    peak = allocated_peak(run, model.device)
    times: list[float] = []
    while len(times) < REPEATS and sum(times) < REPEAT_SECONDS:
        on_progress(1 + len(times), REPEATS + 1)
        start = time.perf_counter()
        run()
        _wait_for(model.device)
        times.append(time.perf_counter() - start)
    return LengthCost(length=length, seconds=median(times), passes=len(times), peak_bytes=peak)


def _pass(model: "LoadedModel", length: int) -> Callable[[], object]:
    """A pass over the vocabulary's first tokens, over and over."""
    rows = int(model.adapter.embedding().num_embeddings)  # type: ignore[arg-type]
    ids = (torch.arange(length, device=model.device) % rows)[None]
    target = ids if model.kind == "encoder-decoder" else None
    arguments = model.adapter.arguments(ids, target_ids=target)
    return lambda: model.module(**arguments)


def _wait_for(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()


def allocated_peak(run: Callable[[], object], device: str) -> int | None:
    """The most bytes that the pass had allocated at once, as torch's allocator reports each of them.

    Other threads do not count: on a CPU the report is the thread's own. None on devices without one.
    """
    if device.startswith("cuda"):
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        run()
        return int(torch.cuda.max_memory_allocated()) - int(before)
    if device != "cpu":
        run()
        return None
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # or it writes two lines to the server's log for each pass
    activities = [torch.profiler.ProfilerActivity.CPU]
    with _profiling, torch.profiler.profile(activities=activities, profile_memory=True) as profile:
        run()
    recorded = profile.profiler.kineto_results.events() if profile.profiler else []  # type: ignore[union-attr]
    events = sorted((event for event in recorded if event.name() == "[memory]"), key=lambda event: event.start_ns())
    held = peak = 0
    for event in events:
        held += event.nbytes()
        peak = max(peak, held)
    return peak
