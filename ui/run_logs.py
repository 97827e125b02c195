"""What runs have written so far, read once for all sessions and then only where it grows; bounded in bytes."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.training.layout import frames
from playground.training.reading import Frame, Metrics, joined, read_frame, read_metrics

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
