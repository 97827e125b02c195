"""How a run is doing, in its status.json: written by whoever works on the run, read by everybody. Needs no torch."""

import dataclasses
import os
import platform
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from playground.training.run.paths import STATUS, read_json, write_json

State = Literal[
    "queued", "starting", "preparing", "running", "paused", "finished", "stopped", "interrupted", "failed", "unknown"
]
LIVE: tuple[State, ...] = ("queued", "starting", "preparing", "running", "paused")
"""The states that only hold while a process is there."""
AWAY_SECONDS = 60.0
"""How long another machine may be silent about a run: it tells every few seconds, but to prepare data takes longer."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """How a run is doing. message is a sentence for the person, empty where there is nothing to say.

    position: how many runs are ahead in the queue, while queued. snapshot: the step of the last one, None before the
    first. seconds: trained in all, pauses left out. tokens_per_second: of the last second or so. node (the machine),
    pid and born (the process's start, in seconds since 1970) say which process answers for a live state; updated is
    in seconds since 1970, too.
    """

    state: State = "unknown"
    step: int = 0
    message: str = ""
    position: int | None = None
    snapshot: int | None = None
    seconds: float = 0.0
    tokens_per_second: float = 0.0
    node: str = ""
    pid: int = 0
    born: float = 0.0
    updated: float = 0.0

    @property
    def is_live(self) -> bool:
        """Whether a process should be behind this run."""
        return self.state in LIVE


def read_status(folder: Path) -> Status:
    """The status in a run folder; what is missing, damaged or unknown has its default."""
    values = read_json(folder / STATUS)
    given: dict[str, Any] = {}
    for field in dataclasses.fields(Status):
        value = values.get(field.name)
        if _is_like(value, field.default):
            given[field.name] = value
    if given.get("state") not in get_args(State):
        given.pop("state", None)
    return Status(**given)


def observed_status(folder: Path) -> Status:
    """The status, or that the run is interrupted where it should be live and its process is gone."""
    status = read_status(folder)
    if not status.is_live or is_attended(status):
        return status
    again = read_status(folder)  # it may have ended in this moment, by itself
    return lost(again, "its process is gone") if again.is_live else again


def lost(status: Status, reason: str) -> Status:
    """The status of a run whose process is gone; reason is the end of a sentence."""
    return dataclasses.replace(
        status, state="interrupted", position=None, tokens_per_second=0.0, message=lost_sentence(status, reason)
    )


def lost_sentence(status: Status, reason: str) -> str:
    """What happened, and from where the run can go on."""
    if status.state == "queued":
        return f"The run was interrupted while it waited: {reason}. It can be started again."
    onward = "can be started again" if status.snapshot is None else f"can go on from step {status.snapshot}"
    return f"The run was interrupted after step {status.step}: {reason}. It {onward}."


def _is_like(value: Any, default: Any) -> bool:
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(default, float):
        return isinstance(value, int | float)
    return isinstance(value, int if default is None else type(default))


def write_status(folder: Path, status: Status) -> None:
    """Write down how the run is doing, now."""
    write_json(folder / STATUS, dataclasses.asdict(dataclasses.replace(status, updated=time.time())))


def by_this_process(status: Status) -> Status:
    """The status with this process as the one that answers for it."""
    return dataclasses.replace(status, node=platform.node(), pid=os.getpid(), born=_born())


@cache
def _born() -> float:
    return birth_of(os.getpid())


def birth_of(pid: int) -> float:
    """When a process started, in seconds since 1970; 0 where there is no such process."""
    import psutil

    try:
        process = psutil.Process(pid)
        return 0.0 if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except (psutil.Error, ValueError, OverflowError):
        return 0.0


def is_attended(status: Status) -> bool:
    """Whether somebody answers for the run: a process here, or one of another machine that told of it lately."""
    return has_process(status) if _is_here(status) else time.time() - status.updated < AWAY_SECONDS


def has_process(status: Status) -> bool:
    """Whether the process that answers for the run lives on this machine; another with its number does not count."""
    return _is_here(status) and status.pid > 0 and abs(birth_of(status.pid) - status.born) < 1.0


def _is_here(status: Status) -> bool:
    """Whether it tells of this machine; one that was written before machines were named does."""
    return status.node in ("", platform.node())
