"""What the server keeps for all sessions: traces, results, logs of runs; bounded, the least recently used out first."""

import math
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cachetools import LRUCache

from playground.jobs.queue import ForwardQueue
from playground.training.run.film import Frame, read_frame
from playground.training.run.metrics import Metrics, join_metrics, read_metrics
from playground.training.run.paths import frame_files
from ui.state.attention import model_key

if TYPE_CHECKING:
    from playground.emergence.tracker import RunTracker
    from playground.lens.trace import Trace
    from playground.models import LoadedModel
    from playground.training.throughput import ThroughputCache

Value = TypeVar("Value")
RESULTS = 24
"""How many results are kept of one trace, of one model."""
TRACE_BYTES = 2 << 30
IDLE_SECONDS = 600.0
"""How long what is made of a text is kept unseen: a room types hundreds in an hour, and follows many tokens of one."""
LOG_BYTES = 256 << 20
TOKENIZED = 200_000
"""Tokens, of half a kilobyte each."""
HEAD_BYTES = 64 * 2**20
"""A head of 1,024 tokens has 2 MiB, where no token sees a later one."""
HEAD_OVERHEAD = 2_000
"""Bytes of a head's objects beside its weights."""
CHART_BYTES = 4 * 2**20
"""A chart of a run has 20 to 60 kB, and nobody asks for one again once the run has gone on."""
FORWARD_SLOTS = max(1, (os.cpu_count() or 1) // 4)
"""Passes at once: each one uses all of torch's threads, and two on two cores are slower than one after the other."""


class BoundedCache:
    """Values by key, at most `bound` of them, or of their sizes together; safe for several threads.

    A value that alone is larger than the bound is kept, and nothing beside it. idle_seconds: how long one is kept that
    nobody asks for; the next who asks for another finds it gone.
    """

    def __init__(
        self,
        name: str,
        bound: int = RESULTS,
        size: Callable[[Any], int] | None = None,
        *,
        idle_seconds: float = math.inf,
    ) -> None:
        self.name, self._idle_seconds = name, idle_seconds
        sized = None if size is None else lambda value: min(bound, max(1, size(value)))
        self._values: LRUCache[Hashable, Any] = LRUCache(bound, sized)
        self._used: OrderedDict[Hashable, float] = OrderedDict()
        """When each was used last, the earliest first, where some may go for that; some have gone for their size."""
        self._guard = threading.Lock()
        self._hits = self._misses = 0

    def __contains__(self, key: Hashable) -> bool:
        with self._guard:
            return key in self._values

    def get(self, key: Hashable) -> Any:
        """The value of that key; None where there is none."""
        with self._guard:
            return self._find(key)

    def put(self, key: Hashable, value: object) -> None:
        """Keep a value, or measure a known one again; the least recently used go until the bound holds."""
        with self._guard:
            self._values[key] = value
            self._touch(key)

    def remember(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of that key, made outside the lock when it is first asked for."""
        with self._guard:
            if key in self._values:
                kept: Value = self._find(key)
                return kept
            self._misses += 1
        value = make()
        self.put(key, value)
        return value

    def counters(self) -> tuple[int, int, int, int]:
        """Entries now, their size in the bound's unit, and how often a key was there or was not when asked for."""
        with self._guard:
            return len(self._values), int(self._values.currsize), self._hits, self._misses

    def _find(self, key: Hashable) -> Any:
        if key not in self._values:
            self._misses += 1
            return None
        self._hits += 1
        self._touch(key)
        return self._values[key]

    def _touch(self, key: Hashable) -> None:
        """Used now; those that nobody has used for long go."""
        if math.isinf(self._idle_seconds):
            return
        now = time.monotonic()
        self._used[key] = now
        self._used.move_to_end(key)
        while now - next(iter(self._used.values())) > self._idle_seconds:
            self._values.pop(self._used.popitem(last=False)[0], None)


class TracedText(BoundedCache):
    """A trace, and the results that were computed from it."""

    def __init__(self, name: str, trace: "Trace") -> None:
        super().__init__(name, idle_seconds=IDLE_SECONDS)
        self.trace = trace


@cache
def traces() -> BoundedCache:
    """The server's traces by what they were made from (`ui.state.attention.trace_key`)."""
    return BoundedCache("traces", TRACE_BYTES, lambda traced: traced.trace.bytes, idle_seconds=IDLE_SECONDS)


@cache
def _models() -> BoundedCache:
    return BoundedCache("models", 8)


def results_of(model: "LoadedModel") -> BoundedCache:
    """Results computed with a model that belong to no trace."""
    key = model_key(model)
    return _models().remember(key, lambda: BoundedCache(repr(key)))


@cache
def results() -> BoundedCache:
    """Results that belong to no model."""
    return BoundedCache("results")


@cache
def head_views() -> BoundedCache:
    """Heads at full resolution as they were sent, by their bytes."""
    return BoundedCache(
        "head views", HEAD_BYTES, lambda view: view.map.nbytes + HEAD_OVERHEAD, idle_seconds=IDLE_SECONDS
    )


@cache
def chart_payloads() -> BoundedCache:
    """Charts of runs as they were sent: whoever looks at the same run at the same step is sent the same bytes."""
    return BoundedCache("charts", CHART_BYTES, len)


@cache
def length_costs() -> BoundedCache:
    """What passes of some lengths cost, by model and length."""
    return BoundedCache("length costs", 256)


@cache
def layers() -> BoundedCache:
    """Layers with all their numbers, for the walkthrough: each one is large."""
    return BoundedCache("layers", 4)


@cache
def tokenizations() -> BoundedCache:
    """Texts as tokens, with where each stands; at most so many tokens together."""
    return BoundedCache("tokenizations", TOKENIZED, lambda cut: len(cut.tokens), idle_seconds=IDLE_SECONDS)


@cache
def scaling_results() -> BoundedCache:
    """Fits and intervals, by the points they were made from."""
    return BoundedCache("scaling", 64)


def hash_of_files(*files: Path) -> str:
    """What differs where the files' contents do: a file may be replaced within a tick of its clock."""
    return blake2b(b"".join(blake2b(file.read_bytes()).digest() for file in files)).hexdigest()


def fit_history(sweep: str) -> dict[str, Any]:
    """A sweep's fits by the fingerprint of the points they were made from; kept for the last few sweeps."""
    return scaling_results().remember(("fit history", sweep), dict)


@dataclass(kw_only=True, eq=False)
class RunLog:
    """One run's metrics, and its film once it is looked at.

    `generation` grows when the run was taken back, so that a film begins anew.
    """

    folder: Path
    metrics: Metrics = field(default_factory=Metrics)
    frames: list[Frame] = field(default_factory=list)
    generation: int = 0
    _offset: int = 0
    _written: dict[int, int] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def read_metrics(self) -> None:
        """Read the steps that were written since the last time."""
        with self._guard:
            while True:
                later, offset = read_metrics(self.folder, self._offset)
                if later.first_step is None:
                    self._offset = offset
                    break
                self.metrics, self._offset = join_metrics(self.metrics, later), offset

    def read_film(self) -> None:
        """Read the frames that were taken since the last time: the table of all runs needs none of them."""
        with self._guard:
            written = _written(self.folder)
            kept = [frame for frame in self.frames if self._written.get(frame.step) == written.get(frame.step)]
            if len(kept) < len(self.frames):
                self.generation += 1
            last = kept[-1].step if kept else -1
            later = (read_frame(self.folder, step) for step in written if step > last)
            self.frames = [*kept, *(frame for frame in later if frame is not None)]
            self._written = written

    @property
    def bytes(self) -> int:
        """The memory that the arrays hold."""
        columns = sum(column.nbytes for column in self.metrics.columns.values())
        return columns + sum(array.nbytes for frame in self.frames for array in frame.maps.values())


def _written(folder: Path) -> dict[int, int]:
    """When each frame was written, in nanoseconds: a run that was taken back writes some anew."""
    times = {}
    for path in frame_files(folder):
        try:
            times[int(path.stem)] = path.stat().st_mtime_ns
        except OSError:
            continue
    return times


@cache
def run_log_cache() -> BoundedCache:
    """The logs of runs."""
    return BoundedCache("logs", LOG_BYTES, lambda log: log.bytes)


def run_log(folder: Path, created: float) -> RunLog:
    """The log of a run's folder, its metrics read up to now; a folder made anew under its name has a new log."""
    log = run_log_cache().remember((folder, created), lambda: RunLog(folder=folder))
    log.read_metrics()
    run_log_cache().put((folder, created), log)  # it has grown
    return log


@cache
def _trackers() -> BoundedCache:
    return BoundedCache("trackers", 16)


def run_tracker(folder: Path, created: float, name: str) -> "RunTracker":
    """The tracker that measures a run's checkpoints. Raises UserError where the run cannot be measured."""
    from playground.emergence.tracker import RunTracker

    with _tracking:  # two would measure every checkpoint twice
        return _trackers().remember((folder, created), lambda: RunTracker(folder, name))


_tracking = threading.Lock()


@cache
def torch_threads() -> int:
    """How many threads torch was given when the server started."""
    import torch

    return torch.get_num_threads()


@cache
def throughput() -> "ThroughputCache":
    """How fast this machine trains."""
    from playground.training.throughput import ThroughputCache

    return ThroughputCache()


@cache
def forward_queue() -> ForwardQueue:
    """Whose forward pass is next on this server."""
    return ForwardQueue(FORWARD_SLOTS)


@cache
def range_test_queue() -> ForwardQueue:
    """Whose learning-rate range test is next: each trains for some seconds in a process of its own."""
    return ForwardQueue(1)
