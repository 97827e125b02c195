"""What a person asks of a running training: lines appended to control.jsonl, read between two steps. Needs no torch."""

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from playground.errors import UserError
from playground.training.run.paths import CONTROL, CONTROL_READ, RATES, read_json, step_of, write_json, write_whole

Action = Literal["pause", "resume", "step", "stop", "rate", "rewind", "snapshot"]
LARGEST_FACTOR = 1000.0
MOST_BYTES = 2**16


@dataclass(frozen=True, kw_only=True)
class Command:
    """One thing asked. steps: how many `step` takes before it pauses again. factor: what `rate` multiplies by.

    rewind goes back to the initialisation, forgets what came after, and pauses.
    """

    action: Action
    steps: int = 1
    factor: float = 1.0

    def __post_init__(self) -> None:
        if self.action not in get_args(Action):
            raise UserError(
                "There is no command {action!r}; choose {get_args}.",
                action=self.action,
                get_args=", ".join(get_args(Action)),
            )
        if not isinstance(self.steps, int) or isinstance(self.steps, bool) or self.steps < 1:
            raise UserError("A run cannot go {steps!r} steps; choose a whole number of at least 1.", steps=self.steps)
        is_number = isinstance(self.factor, int | float) and not isinstance(self.factor, bool)
        if not is_number or not (math.isfinite(self.factor) and 0 <= self.factor <= LARGEST_FACTOR):
            raise UserError(
                "The learning rate cannot be multiplied by {factor!r}; choose 0 to 1000.", factor=self.factor
            )


def send(folder: Path, command: Command) -> None:
    """Append a command for whoever trains into the folder. Raises UserError where the folder is gone or full."""
    line = json.dumps({"action": command.action, "steps": command.steps, "factor": command.factor}) + "\n"
    try:
        # One small write to a file opened for appending stands whole, whoever else appends at the moment.
        descriptor = os.open(folder / CONTROL, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)
    except FileNotFoundError as error:
        raise UserError("This run is gone, or has not been started yet.") from error
    except OSError as error:
        raise UserError(
            "The run folder {folder} cannot be written: {reason}.", folder=folder, reason=error.strerror
        ) from error


def open_control(folder: Path) -> None:
    """Make sure that the file of commands is there: while it is, the run's folder has not been deleted."""
    with (folder / CONTROL).open("ab"):
        pass


def read_commands(folder: Path, offset: int) -> tuple[list[Command], int]:
    """The commands after `offset` bytes, and how far they go; broken lines are left out.

    How far was read is written down before anything is done, so that a restart repeats no command.
    Raises FileNotFoundError where the folder is gone.
    """
    path = folder / CONTROL
    if path.stat().st_size <= offset:
        return [], offset
    with path.open("rb") as file:
        file.seek(offset)
        content = file.read(MOST_BYTES)
    end = offset + content.rfind(b"\n") + 1
    write_json(folder / CONTROL_READ, {"read": end})
    commands = [_parse(line) for line in content[: end - offset].splitlines()]
    return [command for command in commands if command is not None], end


def read_offset(folder: Path) -> int:
    """How many bytes of the commands have been read, by this process or an earlier one."""
    offset = read_json(folder / CONTROL_READ).get("read")
    return offset if isinstance(offset, int) and offset >= 0 else 0


def _parse(line: bytes) -> Command | None:
    try:
        values = json.loads(line)
        known = {name: values[name] for name in ("action", "steps", "factor") if name in values}
        return Command(**known)
    except (ValueError, TypeError, RecursionError):  # UserError is a ValueError
        return None


def note_rate(folder: Path, step: int, factor: float) -> None:
    """Write down that the learning rate is multiplied by `factor` from step `step` on."""
    rates = [(at, value) for at, value in read_rates(folder) if at < step]
    write_rates(folder, [*rates, (step, factor)])


def write_rates(folder: Path, rates: list[tuple[int, float]]) -> None:
    """Write the changes of the learning rate, each with its first step."""
    lines = [json.dumps({"step": step, "factor": factor}) + "\n" for step, factor in rates]
    write_whole(folder / RATES, "".join(lines))


def read_rates(folder: Path) -> list[tuple[int, float]]:
    """The changes of the learning rate: from which step on, and the factor."""
    try:
        lines = (folder / RATES).read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return []
    steps = [(step_of(line), line) for line in lines]
    return [(int(step), float(json.loads(line)["factor"])) for step, line in steps if math.isfinite(step)]


def rate_at(rates: list[tuple[int, float]], step: int) -> float:
    """The factor of a step: the last change's, 1 before the first."""
    return next((factor for at, factor in reversed(rates) if at <= step), 1.0)
