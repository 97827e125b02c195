"""How a sweep is doing, in its progress.json: written by whoever drives it, read by everybody."""

import dataclasses
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playground.training.layout import read_json, write_json
from playground.training.status import birth_of

PROGRESS = "progress.json"
SweepState = Literal["new", "running", "finished", "stopped", "interrupted"]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """done and total count cells; working are those that are trained now.

    failed: the cells that were given up, with the reason; retried: how often a cell was begun again. seconds were
    spent by the clock in all sittings, worker_seconds by all workers together; seconds_left and worker_seconds_left
    are what the rest takes as it goes now, None before that can be said. pid and born name the process that drives
    the sweep; updated is in seconds since 1970, like born.
    """

    state: SweepState = "new"
    done: int = 0
    total: int = 0
    working: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    retried: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    seconds_left: float | None = None
    worker_seconds: float = 0.0
    worker_seconds_left: float | None = None
    pid: int = 0
    born: float = 0.0
    updated: float = 0.0

    def price(self, hourly: float) -> tuple[float, float | None]:
        """What the workers have cost so far, and will in all, at a price of one's hour; None before that can be said.

        >>> Progress(worker_seconds=1800.0, worker_seconds_left=900.0).price(10.0)
        (5.0, 7.5)
        """
        spent = hourly * self.worker_seconds / 3600
        left = self.worker_seconds_left
        return spent, None if left is None else spent + hourly * left / 3600


def write_progress(folder: Path, progress: Progress) -> None:
    """Write it down, with this process as the one that drives the sweep."""
    pid = os.getpid()
    now = dataclasses.replace(progress, pid=pid, born=birth_of(pid), updated=time.time())
    write_json(folder / PROGRESS, dataclasses.asdict(now))


def read_progress(folder: Path) -> Progress:
    """How the sweep is doing; interrupted where it should be running and its process is gone."""
    values = read_json(folder / PROGRESS)
    known: dict[str, Any] = {one.name: values[one.name] for one in dataclasses.fields(Progress) if one.name in values}
    try:
        progress = Progress(**{**known, "working": tuple(known.get("working", ()))})
        is_gone = progress.state == "running" and abs(birth_of(progress.pid) - progress.born) >= 1.0
    except TypeError:
        return Progress()
    return dataclasses.replace(progress, state="interrupted", working=()) if is_gone else progress
