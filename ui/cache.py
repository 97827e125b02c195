"""The server's traces: shared by all sessions, bounded in bytes, the least recently used out first."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from playground.jobs.queue import Turns
from playground.training.run.metrics import Frame, Metrics, joined, read_frame, read_metrics
from playground.training.run.paths import frames

if TYPE_CHECKING:
    from playground.lens.trace import Trace
    from playground.training.calibration import Speeds

Answer = TypeVar("Answer")
REMEMBERED = 24


@dataclass(kw_only=True, eq=False)
class Answers:
    """The answers that were asked for lately; safe for several threads."""

    name: str
    most: int = REMEMBERED
    _answers: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict, repr=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def knows(self, question: Hashable) -> bool:
        """Whether the answer is there without computing."""
        with self._guard:
            return question in self._answers

    def remember(self, question: Hashable, compute: Callable[[], Answer]) -> Answer:
        """The answer to a question, computed when it is first asked; only the last few are kept."""
        with self._guard:
            if question in self._answers:
                self._answers.move_to_end(question)
                kept: Answer = self._answers[question]
                return kept
        answer = compute()
        with self._guard:
            self._answers[question] = answer
            while len(self._answers) > self.most:
                self._answers.popitem(last=False)
        return answer


@dataclass(kw_only=True, eq=False)
class Reading(Answers):
    """A trace and the answers about it."""

    trace: "Trace"


class Readings:
    """Readings by what they were made from."""

    def __init__(self, *, max_bytes: int) -> None:
        self.name = "readings"
        self._max_bytes = max_bytes
        self._readings: OrderedDict[Hashable, Reading] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, key: Hashable) -> Reading | None:
        """The reading of that key, if it is still there."""
        with self._guard:
            if key in self._readings:
                self._readings.move_to_end(key)
            return self._readings.get(key)

    def put(self, key: Hashable, reading: Reading) -> None:
        """Keep a reading; the oldest go until the bound holds, the newest stays whatever its size."""
        with self._guard:
            self._readings[key] = reading
            while len(self._readings) > 1 and self._bytes() > self._max_bytes:
                self._readings.popitem(last=False)

    def knows(self, key: Hashable) -> bool:
        """Whether the reading of that key is there."""
        with self._guard:
            return key in self._readings

    def remember(self, key: Hashable, compute: Callable[[], Answer]) -> Answer:
        """The reading of that key, made and kept when it is first asked for."""
        kept = self.get(key)
        if kept is not None:
            return cast(Answer, kept)
        made = compute()
        self.put(key, cast(Reading, made))
        return made

    def _bytes(self) -> int:
        return sum(reading.trace.bytes for reading in self._readings.values())


LOGS = 24
BYTES = 256 << 20


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
                found, offset = read_metrics(self.folder, self._offset)
                if not len(found):
                    self._offset = offset
                    break
                self.metrics, self._offset = joined(self.metrics, found), offset

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
    found = {}
    for path in frames(folder):
        try:
            found[int(path.stem)] = path.stat().st_mtime_ns
        except OSError:
            continue
    return found


class RunLogs:
    """Logs by folder; the least recently read go first."""

    def __init__(self, *, max_logs: int = LOGS, max_bytes: int = BYTES) -> None:
        self._max_logs, self._max_bytes = max_logs, max_bytes
        self._logs: OrderedDict[Any, RunLog] = OrderedDict()
        self._guard = threading.Lock()

    def of(self, folder: Path, created: float) -> RunLog:
        """The log of a run's folder, its metrics read up to now; a folder made anew under its name has a new log."""
        key = (folder, created)
        with self._guard:
            log = self._logs.setdefault(key, RunLog(folder=folder))
            self._logs.move_to_end(key)
        log.read_metrics()
        with self._guard:
            while len(self._logs) > 1 and self._is_over():
                self._logs.popitem(last=False)
        return log

    def _is_over(self) -> bool:
        return len(self._logs) > self._max_logs or sum(log.bytes for log in self._logs.values()) > self._max_bytes


TRACE_BYTES = 2 << 30
FORWARD_SLOTS = max(1, (os.cpu_count() or 1) // 4)
"""Passes at once: each one uses all of torch's threads, and two on two cores are slower than one after the other."""


@cache
def readings() -> Readings:
    """The server's traces, bounded in bytes."""
    return Readings(max_bytes=TRACE_BYTES)


@cache
def run_logs() -> RunLogs:
    """What the server's runs have written, bounded in bytes."""
    return RunLogs()


@cache
def torch_threads() -> int:
    """How many threads torch was given when the server started."""
    import torch

    return torch.get_num_threads()


@cache
def speeds() -> "Speeds":
    """How fast this machine trains."""
    from playground.training.calibration import Speeds

    return Speeds()


@cache
def turns() -> Turns:
    """Whose forward pass is next on this server."""
    return Turns(FORWARD_SLOTS)
