"""metrics.jsonl: one line of numbers per step, written by a recorder and read while it grows. Needs no torch.

A fine-tuning's first line is step 0: what its base measures before the first step, which has no loss.
"""

import dataclasses
import json
import math
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.training.run.paths import METRICS, checkpoint_steps, json_objects
from playground.training.run.status import Message, State, Status, by_this_process, read_status, write_status

if TYPE_CHECKING:
    from playground.training.trainer import Step

COLUMNS = ("step", "loss", "learning_rate", "gradient_norm", "tokens")
CHUNK = 2**22
"""At most so many bytes of metrics are read at a time."""
TAIL = 8192
"""The last step stands within so many bytes of the file's end."""
FLUSH_SECONDS = 0.2
STATUS_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Metrics:
    """Columns by name, one number per step. Evaluations have columns and steps of their own."""

    columns: dict[str, np.ndarray] = field(default_factory=dict)
    evaluation_steps: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    evaluations: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns["step"]) if self.columns else 0

    @property
    def first_step(self) -> int | None:
        """The first step of these lines, 0 for what was measured before the first one; None without a line."""
        steps = np.concatenate([self.columns.get("step", np.zeros(0, int)), self.evaluation_steps])
        return int(steps.min()) if len(steps) else None


def read_metrics(folder: Path, after_offset: int = 0) -> tuple[Metrics, int]:
    """The steps after `after_offset` bytes, and the offset to continue from; at most CHUNK bytes at a time.

    A file that became shorter (a rewind, a restart) is read from its beginning: the first step is then no later than
    the last one seen. Damaged lines are skipped.
    """
    try:
        with (folder / METRICS).open("rb") as file:
            if os.fstat(file.fileno()).st_size < after_offset:
                after_offset = 0
            file.seek(after_offset)
            content = file.read(CHUNK)
    except OSError:
        return Metrics(), 0
    end = content.rfind(b"\n") + 1
    return _metrics_of(json_objects(content[:end])), after_offset + end


def start_measures(folder: Path) -> dict[str, float] | None:
    """What was measured before the first step; None where nothing was."""
    try:
        with (folder / METRICS).open("rb") as file:
            lines = json_objects(file.readline(CHUNK))
    except OSError:
        return None
    return lines[0].get("evaluation") if lines and lines[0]["step"] == 0 else None


def last_recorded_step(folder: Path) -> int:
    """The last step in the metrics; 0 before the first."""
    try:
        with (folder / METRICS).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - TAIL))
            lines = json_objects(file.read(TAIL))
    except OSError:
        return 0
    return int(lines[-1]["step"]) if lines else 0


def _metrics_of(lines: list[dict[str, Any]]) -> Metrics:
    evaluated = [line for line in lines if isinstance(line.get("evaluation"), dict)]
    lines = [line for line in lines if line["step"] > 0]
    names = dict.fromkeys(name for line in evaluated for name in line["evaluation"])
    return Metrics(
        columns={
            name: np.array([_number_or_nan(line.get(name)) for line in lines], dtype=int if name == "step" else float)
            for name in COLUMNS
        },
        evaluation_steps=np.array([line["step"] for line in evaluated], dtype=int),
        evaluations={
            name: np.array([_number_or_nan(line["evaluation"].get(name)) for line in evaluated]) for name in names
        },
    )


def _number_or_nan(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def join_metrics(first: Metrics, second: Metrics) -> Metrics:
    """Metrics read earlier and those that followed; after a rewind or a restart the later ones replace the earlier."""
    start = second.first_step
    if start is None:
        return first
    keep, keep_evaluations = first.columns.get("step", np.zeros(0)) < start, first.evaluation_steps < start
    names = dict.fromkeys([*first.evaluations, *second.evaluations])
    earlier, later = int(keep_evaluations.sum()), len(second.evaluation_steps)
    return Metrics(
        columns={
            name: np.concatenate([first.columns[name][keep], values]) if len(first) else values
            for name, values in second.columns.items()
        },
        evaluation_steps=np.concatenate([first.evaluation_steps[keep_evaluations], second.evaluation_steps]),
        evaluations={
            name: np.concatenate(
                [
                    first.evaluations[name][keep_evaluations]
                    if name in first.evaluations
                    else np.full(earlier, np.nan),
                    second.evaluations.get(name, np.full(later, np.nan)),
                ]
            )
            for name in names
        },
    )


@dataclass(kw_only=True)
class RunRecorder:
    """Writes the metrics and the status of a run, both at most every so often."""

    folder: Path
    status: Status
    """As it was last written."""
    pending: list[str] = field(default_factory=list)
    """Lines of metrics that are not written yet."""
    flushed_at: float = 0.0
    status_at: float = 0.0
    seconds: float = 0.0
    """Trained since the status was written."""
    tokens: int = 0
    """Read since the status was written."""
    session_seconds: float = 0.0
    """Trained since the recorder was opened."""
    session_tokens: int = 0
    """Read since the recorder was opened."""

    def record(self, step: "Step", *, seconds: float, tokens: int) -> None:
        """Take down a step, its duration and its number of tokens; written at most FLUSH_SECONDS later."""
        self.pending.append(json.dumps(asdict(step)) + "\n")
        self.seconds += seconds
        self.tokens += tokens
        self.session_seconds += seconds
        self.session_tokens += tokens
        self.status = dataclasses.replace(self.status, step=step.step)
        now = time.monotonic()
        if now - self.flushed_at > FLUSH_SECONDS or step.evaluation is not None:
            self.flush()
        if now - self.status_at > STATUS_SECONDS:
            self.set_state("running")

    def record_start(self, evaluation: dict[str, float], *, seconds: float) -> None:
        """Take down what is measured before the first step, and how long that took; written at once."""
        self.pending.append(json.dumps({"step": 0, "tokens": 0, "evaluation": evaluation}) + "\n")
        self.seconds += seconds
        self.flush()

    def flush(self) -> None:
        """Write the pending lines; if there are none, the next line is written at once."""
        lines, self.pending = self.pending, []
        if lines:
            self.flushed_at = time.monotonic()
            with (self.folder / METRICS).open("a", encoding="utf-8", newline="\n") as file:
                file.write("".join(lines))

    def set_state(self, state: State, message: Message | None = None, *, step: int | None = None) -> None:
        """Write the status."""
        self.status = by_this_process(
            self.status.with_message(
                message,
                state=state,
                position=None,
                step=self.status.step if step is None else step,
                checkpoint=max(checkpoint_steps(self.folder), default=None),
                seconds=self.status.seconds + self.seconds,
                tokens_per_second=self._rate(state),
            )
        )
        self.seconds, self.tokens, self.status_at = 0.0, 0, time.monotonic()
        write_status(self.folder, self.status)

    def _rate(self, state: State) -> float:
        """Tokens per second: now while it trains, of the whole session when it has ended or waits."""
        tokens, seconds = self.session_tokens, self.session_seconds
        if state == "running":
            tokens, seconds = self.tokens, self.seconds
        return tokens / seconds if seconds > 0 else self.status.tokens_per_second

    def trained_seconds(self) -> float:
        """In all sessions."""
        return self.status.seconds + self.seconds


def open_recorder(folder: Path) -> RunRecorder:
    """A recorder that continues from the status in the folder."""
    return RunRecorder(folder=folder, status=read_status(folder))
