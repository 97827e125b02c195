"""status.json: the state of a run, written by the process that works on it and read by everybody. Needs no torch."""

import dataclasses
import os
import platform
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from playground.errors import UserError
from playground.legacy_names import STATUS as OLD_STATUS
from playground.legacy_names import modernise
from playground.text import N_, _, speaking
from playground.training.run.paths import STATUS, read_json, write_json

State = Literal[
    "queued", "starting", "preparing", "running", "paused", "finished", "stopped", "interrupted", "failed", "unknown"
]
LIVE: tuple[State, ...] = ("queued", "starting", "preparing", "running", "paused")
"""The states that need a process behind them."""
ZOMBIE = "Z"
"""The state of a process that has ended and that nobody has asked about."""
AWAY_SECONDS = 60.0
"""How long a run on another machine may be silent: it reports every few seconds, but preparing data takes longer."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """A sentence that another process will show, in the language of whoever reads it: a template and its values.

    A value may be a Message itself, or a dictionary with a template and values as it stands in the file.
    """

    template: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        values = {name: _nested(value) or value for name, value in self.values.items()}
        sentence = _(self.template)
        return sentence.format(**values) if values else sentence

    def english(self) -> str:
        """The sentence as it is stored beside the template, for readers that know no templates."""
        with speaking("en"):
            return str(self)

    def to_dict(self) -> dict[str, Any]:
        """The template and JSON's own types; an error or a path becomes its text."""
        return {"template": self.template, "values": {name: _plain(value) for name, value in self.values.items()}}


def _nested(value: Any) -> Message | None:
    """The message that a value is, or was before it was written."""
    if isinstance(value, Message):
        return value
    is_message = isinstance(value, dict) and isinstance(value.get("template"), str)
    return Message(template=value["template"], values=value.get("values") or {}) if is_message else None


def _plain(value: Any) -> Any:
    message = _nested(value)
    if message is not None:
        return message.to_dict()
    return value if isinstance(value, bool | int | float | str) else str(value)


def message_of(error: UserError) -> Message:
    """The sentence of an error."""
    return Message(template=error.template, values=error.values)


@dataclass(frozen=True, kw_only=True)
class Status:
    """The state of a run."""

    state: State = "unknown"
    step: int = 0
    message: str = ""
    """A sentence for the person, in English; empty if there is nothing to say. `sentence` translates it."""
    message_template: str = ""
    """The template of the message; empty in a status from before templates were stored."""
    message_values: dict[str, Any] = field(default_factory=dict, hash=False)
    position: int | None = None
    """The number of runs ahead in the queue, while queued."""
    checkpoint: int | None = None
    """The step of the last checkpoint; None before the first."""
    seconds: float = 0.0
    """Seconds of training in all sessions, without pauses."""
    tokens_per_second: float = 0.0
    """Over the last second or so."""
    node: str = ""
    """The machine of the process behind a live state."""
    pid: int = 0
    born: float = 0.0
    """When that process started, as `birth_of` says: a process id alone may be reused."""
    updated: float = 0.0
    """When the status was written, in seconds since 1970."""

    @property
    def is_live(self) -> bool:
        """Whether a process should be behind this run."""
        return self.state in LIVE

    @property
    def sentence(self) -> str:
        """The message in the reader's language; as it was written if it has no template, or one that does not fit."""
        try:
            return str(Message(template=self.message_template, values=self.message_values)) or self.message
        except (KeyError, IndexError, ValueError, TypeError, AttributeError):
            return self.message

    def with_message(self, message: Message | None, **changes: Any) -> "Status":
        """The status with another message (None: without one) and other changes."""
        if message is None:
            return dataclasses.replace(self, message="", message_template="", message_values={}, **changes)
        stored = message.to_dict()
        return dataclasses.replace(
            self,
            message=message.english(),
            message_template=stored["template"],
            message_values=stored["values"],
            **changes,
        )


def read_status(folder: Path) -> Status:
    """The status in a run folder; whatever is missing, damaged or unknown has its default."""
    values = modernise(read_json(folder / STATUS), OLD_STATUS)
    known = {
        each.name: values[each.name]
        for each in dataclasses.fields(Status)
        if _fits(values.get(each.name), {} if each.name == "message_values" else each.default)
    }
    if known.get("state") not in get_args(State):
        known.pop("state", None)
    return Status(**known)


def _fits(value: Any, default: Any) -> bool:
    """Whether a stored value has the type of a field's default."""
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(default, float):
        return isinstance(value, int | float)
    return isinstance(value, int if default is None else type(default))


def write_status(folder: Path, status: Status) -> None:
    """Write the status with the time of now."""
    write_json(folder / STATUS, dataclasses.asdict(dataclasses.replace(status, updated=time.time())))


def observed_status(folder: Path) -> Status:
    """The status; interrupted if it should be live and its process is gone."""
    status = read_status(folder)
    if not status.is_live or is_attended(status):
        return status
    again = read_status(folder)  # it may have ended by itself in this moment
    return lost(again, N_("its process is gone")) if again.is_live else again


def lost(status: Status, reason: str | Message) -> Status:
    """The status of a run whose process is gone; reason is the end of a sentence, marked with N_."""
    return status.with_message(lost_message(status, reason), state="interrupted", position=None, tokens_per_second=0.0)


def lost_message(status: Status, reason: str | Message) -> Message:
    """What happened, and from where the run can be resumed."""
    values = {
        "step": status.step,
        "reason": Message(template=reason) if isinstance(reason, str) else reason,
        "checkpoint": status.checkpoint,
    }
    if status.state == "queued":
        template = N_("The run was interrupted while it waited: {reason}. It can be started again.")
    elif status.checkpoint is None:
        template = N_("The run was interrupted after step {step}: {reason}. It can be started again.")
    else:
        template = N_("The run was interrupted after step {step}: {reason}. It can be resumed from step {checkpoint}.")
    return Message(template=template, values={name: value for name, value in values.items() if value is not None})


def by_this_process(status: Status) -> Status:
    """The status with this process as the one behind it."""
    return dataclasses.replace(status, node=platform.node(), pid=os.getpid(), born=_own_birth())


@cache
def _own_birth() -> float:
    return birth_of(os.getpid())


def birth_of(pid: int) -> float:
    """When a process started, by a clock that nobody sets; 0 if there is no such process.

    On Linux in seconds since the machine's boot: psutil adds these to a time of boot, and that moves whenever the
    machine's clock is set, as after a virtual machine was moved. Elsewhere in seconds since 1970.
    """
    return _since_boot(pid) if sys.platform == "linux" else _since_1970(pid)


def is_process(pid: int, born: float) -> bool:
    """Whether a process lives and started then, by `birth_of` or, as was written before, in seconds since 1970."""
    return pid > 0 and any(start and abs(start - born) < 1.0 for start in (birth_of(pid), _since_1970(pid)))


def _since_boot(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0.0
    # After the program's name, which may hold anything: the state, then nineteen numbers up to the start in ticks.
    fields = stat.rpartition(")")[2].split()
    return 0.0 if fields[0] == ZOMBIE else int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _since_1970(pid: int) -> float:
    import psutil

    try:
        process = psutil.Process(pid)
        return 0.0 if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except (psutil.Error, ValueError, OverflowError):
        return 0.0


def is_attended(status: Status) -> bool:
    """Whether a process is behind the run: one of this machine, or one elsewhere that reported lately."""
    return has_process(status) if _is_here(status) else time.time() - status.updated < AWAY_SECONDS


def has_process(status: Status) -> bool:
    """Whether the process behind the run lives on this machine; another one with its id does not count."""
    return _is_here(status) and is_process(status.pid, status.born)


def _is_here(status: Status) -> bool:
    """Whether the run is on this machine; a status without a machine's name is from before they were stored."""
    return status.node in ("", platform.node())
