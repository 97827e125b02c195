"""What a running training writes down of itself: its metrics line by line, and how it is doing."""

import dataclasses
import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from playground.tasks.task import Sample
from playground.training.layout import METRICS, RESERVE, SAMPLES, snapshots
from playground.training.status import State, Status, by_this_process, read_status, write_status
from playground.training.trainer import Step

FLUSH_SECONDS = 0.2
STATUS_SECONDS = 1.0
RESERVE_BYTES = 16384


@dataclass(kw_only=True)
class Recorder:
    """Lines of metrics that wait to be written, and the status as it was last written.

    seconds and tokens are those since the status was written.
    """

    folder: Path
    status: Status
    pending: list[str] = field(default_factory=list)
    flushed: float = 0.0
    told: float = 0.0
    seconds: float = 0.0
    tokens: int = 0

    def note(self, step: Step, *, seconds: float, tokens: int) -> None:
        """Take down a step that took so many seconds and read so many tokens; written at most FLUSH_SECONDS later."""
        self.pending.append(json.dumps(asdict(step)) + "\n")
        self.seconds += seconds
        self.tokens += tokens
        self.status = dataclasses.replace(self.status, step=step.step)
        now = time.monotonic()
        if now - self.flushed > FLUSH_SECONDS or step.evaluation is not None:
            self.flush()
        if now - self.told > STATUS_SECONDS:
            self.say("running")

    def flush(self) -> None:
        """Write the lines that wait; where there are none, the next one need not wait for the last."""
        lines, self.pending = self.pending, []
        if lines:
            self.flushed = time.monotonic()
            with (self.folder / METRICS).open("a", encoding="utf-8", newline="\n") as file:
                file.write("".join(lines))

    def say(self, state: State, message: str = "", *, step: int | None = None) -> None:
        """Write the status."""
        found = snapshots(self.folder)
        speed = self.tokens / self.seconds if self.seconds > 0 else self.status.tokens_per_second
        self.status = by_this_process(
            dataclasses.replace(
                self.status,
                state=state,
                message=message,
                position=None,
                step=self.status.step if step is None else step,
                snapshot=int(found[-1].name) if found else None,
                seconds=self.status.seconds + self.seconds,
                tokens_per_second=speed,
            )
        )
        self.seconds, self.tokens, self.told = 0.0, 0, time.monotonic()
        write_status(self.folder, self.status)

    def trained_seconds(self) -> float:
        """In all, earlier sittings included."""
        return self.status.seconds + self.seconds


def recorder_of(folder: Path) -> Recorder:
    """A recorder that goes on from the status that is there."""
    return Recorder(folder=folder, status=read_status(folder))


def append_samples(folder: Path, step: int, samples: list[Sample]) -> None:
    """Write what the model did after a step as one line."""
    line = json.dumps({"step": step, "samples": [asdict(sample) for sample in samples]}, ensure_ascii=False)
    with (folder / SAMPLES).open("a", encoding="utf-8", newline="\n") as file:
        file.write(line + "\n")


def keep_reserve(folder: Path) -> None:
    """Hold a little room, so that a run on a full disk can still say so."""
    (folder / RESERVE).write_bytes(bytes(RESERVE_BYTES))


def spend_reserve(folder: Path) -> None:
    """Give the room back."""
    (folder / RESERVE).unlink(missing_ok=True)
