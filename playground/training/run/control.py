"""control.jsonl and rates.jsonl: commands for a running training, and the changes of its learning rate. No torch."""

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from playground.errors import UserError
from playground.legacy_names import CONTROL as OLD_CONTROL
from playground.legacy_names import modernise
from playground.training.run.paths import CONTROL, CONTROL_READ, RATES, read_json, step_of, write_json, write_whole

Action = Literal["pause", "resume", "step", "stop", "rate", "rewind", "checkpoint"]
MAX_FACTOR = 1000.0
MAX_BYTES = 2**16
"""At most so many bytes of commands are read at a time."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command that a training carries out between two steps."""

    action: Action
    """rewind returns to the first checkpoint, discards what came after it, and pauses."""
    steps: int = 1
    """How many steps `step` takes before the run pauses again."""
    factor: float = 1.0
    """What `rate` multiplies the schedule's learning rate by."""

    def __post_init__(self) -> None:
        if self.action not in get_args(Action):
            raise UserError(
                "There is no command {action!r}; choose {actions}.",
                action=self.action,
                actions=", ".join(get_args(Action)),
            )
        if not isinstance(self.steps, int) or isinstance(self.steps, bool) or self.steps < 1:
            raise UserError("A run cannot go {steps!r} steps; choose a whole number of at least 1.", steps=self.steps)
        is_number = isinstance(self.factor, int | float) and not isinstance(self.factor, bool)
        if not is_number or not (math.isfinite(self.factor) and 0 <= self.factor <= MAX_FACTOR):
            raise UserError(
                "The learning rate cannot be multiplied by {factor!r}; choose 0 to 1000.", factor=self.factor
            )


def send(folder: Path, command: Command) -> None:
    """Append a command for the process that trains into the folder.

    Raises UserError if the folder is gone or cannot be written.
    """
    line = json.dumps({"action": command.action, "steps": command.steps, "factor": command.factor}) + "\n"
    try:
        # One small write to a file opened for appending stays whole, whoever else appends at the moment.
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
    """Make sure that the file of commands exists: while it does, the run's folder has not been deleted."""
    with (folder / CONTROL).open("ab"):
        pass


def read_commands(folder: Path, offset: int) -> tuple[list[Command], int]:
    """The commands after `offset` bytes, and the new offset; broken lines are skipped.

    The offset is written before any command is carried out, so that a restart repeats none.
    Raises FileNotFoundError if the folder is gone.
    """
    path = folder / CONTROL
    if path.stat().st_size <= offset:
        return [], offset
    with path.open("rb") as file:
        file.seek(offset)
        content = file.read(MAX_BYTES)
    end = offset + content.rfind(b"\n") + 1
    write_json(folder / CONTROL_READ, {"read": end})
    commands = [_parse_command(line) for line in content[: end - offset].splitlines()]
    return [command for command in commands if command is not None], end


def read_offset(folder: Path) -> int:
    """How many bytes of the commands were read, by this process or an earlier one."""
    offset = read_json(folder / CONTROL_READ).get("read")
    return offset if isinstance(offset, int) and offset >= 0 else 0


def _parse_command(line: bytes) -> Command | None:
    try:
        values = modernise(json.loads(line), OLD_CONTROL)
        return Command(**{name: values[name] for name in ("action", "steps", "factor") if name in values})
    except (ValueError, TypeError, AttributeError, RecursionError):  # UserError is a ValueError
        return None


def set_rate(folder: Path, step: int, factor: float) -> None:
    """Multiply the learning rate by `factor` from step `step` on."""
    write_rates(folder, [*((start, value) for start, value in read_rates(folder) if start < step), (step, factor)])


def write_rates(folder: Path, rates: list[tuple[int, float]]) -> None:
    """Write the changes of the learning rate, each with its first step."""
    lines = [json.dumps({"step": step, "factor": factor}) + "\n" for step, factor in rates]
    write_whole(folder / RATES, "".join(lines))


def read_rates(folder: Path) -> list[tuple[int, float]]:
    """The changes of the learning rate: the first step, and the factor."""
    try:
        lines = (folder / RATES).read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return []
    steps = [(step_of(line), line) for line in lines]
    return [(int(step), float(json.loads(line)["factor"])) for step, line in steps if math.isfinite(step)]


def rate_at(rates: list[tuple[int, float]], step: int) -> float:
    """The factor of a step: that of the last change, 1 before the first."""
    return next((factor for start, factor in reversed(rates) if start <= step), 1.0)
