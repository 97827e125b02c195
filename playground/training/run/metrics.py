"""Reading what grows in a run folder: metrics, samples and the film. Needs no torch: a page polls these."""

import dataclasses
import json
import math
import os
import time
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.training.run.paths import FILM, METRICS, RESERVE, SAMPLES, frames, read_json, snapshots, step_name
from playground.training.run.status import State, Status, by_this_process, read_status, write_status

if TYPE_CHECKING:
    from playground.tasks.task import Sample
    from playground.training.trainer import Step

COLUMNS = ("step", "loss", "learning_rate", "gradient_norm", "tokens")
CHUNK = 2**22
"""At most so many bytes of metrics are read at a time."""
POINTS = 500
MOST_SAMPLES = 200
TAIL = 8192
LARGEST_STEP = 2**53


@dataclass(frozen=True, kw_only=True, eq=False)
class Metrics:
    """Columns by name, one number per step. Evaluations have columns of their own and their own steps."""

    columns: dict[str, np.ndarray] = field(default_factory=dict)
    evaluation_steps: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    evaluations: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns["step"]) if self.columns else 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """The probe's attention after a step: uint8 maps [layer, head, query, key] by kind, (code / 255)^2 the weight,
    and head scores, by kind and name, float32 [layer, head].
    """

    step: int
    maps: dict[str, np.ndarray]
    scores: dict[str, dict[str, np.ndarray]]


@dataclass(frozen=True, kw_only=True)
class FilmProbe:
    """What is filmed: labels of the tokens read, of the target read (encoder-decoder), what is right at each
    position (None where nothing counts), and gold pairs (target position, source position).
    """

    tokens: tuple[str, ...]
    target_tokens: tuple[str, ...] | None
    labels: tuple[str | None, ...] | None
    alignment: tuple[tuple[int, int], ...]


def read_metrics(folder: Path, after_offset: int = 0) -> tuple[Metrics, int]:
    """The steps written since `after_offset` bytes, and the offset to go on from; at most CHUNK bytes at a time.

    Where the file has become shorter (a rewind, a restart), it is read from its beginning; the first step then is not
    later than the last one seen. Damaged lines are left out.
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
    return _columns(_objects(content[:end])), after_offset + end


def last_step(folder: Path) -> int:
    """The last step that the metrics tell of; 0 before the first."""
    try:
        with (folder / METRICS).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - TAIL))
            rows = _objects(file.read(TAIL))
    except OSError:
        return 0
    return int(rows[-1]["step"]) if rows else 0


def _objects(content: bytes) -> list[dict[str, Any]]:
    found = []
    for line in content.split(b"\n"):
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(values, dict) and _is_step(values.get("step")):
            found.append(values)
    return found


def _is_step(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LARGEST_STEP


def _columns(rows: list[dict[str, Any]]) -> Metrics:
    evaluated = [row for row in rows if isinstance(row.get("evaluation"), dict)]
    names = dict.fromkeys(name for row in evaluated for name in row["evaluation"])
    return Metrics(
        columns={
            name: np.array([_number(row.get(name)) for row in rows], dtype=int if name == "step" else float)
            for name in COLUMNS
        },
        evaluation_steps=np.array([row["step"] for row in evaluated], dtype=int),
        evaluations={name: np.array([_number(row["evaluation"].get(name)) for row in evaluated]) for name in names},
    )


def _number(value: Any) -> float:
    """The value, or nan where it is no number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def joined(first: Metrics, second: Metrics) -> Metrics:
    """Metrics read earlier and those that followed. After a rewind or a restart the later ones replace the earlier."""
    if not len(second):
        return first
    begins = second.columns["step"][0]
    keep, keep_evaluations = first.columns.get("step", np.zeros(0)) < begins, first.evaluation_steps < begins
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


def read_samples(folder: Path, last: int = MOST_SAMPLES) -> list[dict[str, Any]]:
    """What the model did at its last evaluations, oldest first: {"step": …, "samples": [{"kind": …}, …]}."""
    try:
        with (folder / SAMPLES).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - CHUNK))
            rows = _objects(file.read(CHUNK))
    except OSError:
        return []
    return [row for row in rows if isinstance(row.get("samples"), list)][-last:]


def frame_steps(folder: Path) -> tuple[int, ...]:
    """The steps that a frame of the film is there for."""
    return tuple(int(path.stem) for path in frames(folder))


def read_film(folder: Path, after_step: int = -1) -> list[Frame]:
    """The frames of later steps, in order; a damaged one is left out."""
    found = [read_frame(folder, step) for step in frame_steps(folder) if step > after_step]
    return [frame for frame in found if frame is not None]


def read_frame(folder: Path, step: int) -> Frame | None:
    """One frame; None where there is none that can be read."""
    maps: dict[str, np.ndarray] = {}
    scores: dict[str, dict[str, np.ndarray]] = {}
    try:
        with np.load(folder / FILM / f"{step_name(step)}.npz", allow_pickle=False) as arrays:
            for key in arrays.files:
                what, _, rest = key.partition(".")
                kind, _, name = rest.partition(".")
                if what == "maps":
                    maps[kind] = arrays[key]
                elif what == "score":
                    scores.setdefault(kind, {})[name] = arrays[key]
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None
    return Frame(step=step, maps=maps, scores=scores)


def read_probe(folder: Path) -> FilmProbe | None:
    """The labels of what is filmed; None before the first frame."""
    values = read_json(folder / FILM / "probe.json")
    try:
        targets, labels = values["target_tokens"], values["labels"]
        return FilmProbe(
            tokens=tuple(values["tokens"]),
            target_tokens=None if targets is None else tuple(targets),
            labels=None if labels is None else tuple(labels),
            alignment=tuple((int(target), int(source)) for target, source in values["alignment"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


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

    def note(self, step: "Step", *, seconds: float, tokens: int) -> None:
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


def append_samples(folder: Path, step: int, samples: "list[Sample]") -> None:
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
