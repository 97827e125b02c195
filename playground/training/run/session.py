"""One sitting of training into a run folder: what is kept on the way, and how a person's commands are obeyed."""

import math
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playground.errors import UserError
from playground.tasks.task import Probe, Task
from playground.training.config import TrainConfig
from playground.training.run.control import Command, note_rate, rate_at, read_commands, read_rates, write_rates
from playground.training.run.film import take_frame, write_frame, write_probe
from playground.training.run.metrics import Recorder, append_samples
from playground.training.run.paths import FILM, SNAPSHOTS, bytes_in, forget_after, snapshots, step_name
from playground.training.run.snapshots import make_room, resume, snapshot_bytes, write_snapshot
from playground.training.trainer import Step, TrainingState, model_at_rest, train

PAUSE_SECONDS = 0.03
"""How often a paused run looks for commands."""
PAUSED_STATUS_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What a run may use: seconds of training in all its sittings, and bytes of its folder."""

    seconds: float = math.inf
    disk_bytes: int = 8 * 2**30


class LimitReachedError(UserError):
    """A run has used what it may; it has not failed."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """Why a run's steps have ended, and the sentence for the person."""

    state: Literal["finished", "stopped", "interrupted"]
    message: str = ""


Interruption = Callable[[], str | None]
"""Asked between two steps: None, or why the run has to end now, as the end of a sentence."""


def never() -> str | None:
    """Nothing interrupts."""
    return None


@dataclass(kw_only=True)
class Sitting:
    """A run that is being worked on.

    film: the steps with a frame. rates: the changes of the learning rate. read: how many bytes of the commands.
    commands: those not yet carried out. allowed: the steps that a paused run may still take.
    """

    config: TrainConfig
    folder: Path
    bounds: Bounds
    interruption: Interruption
    recorder: Recorder
    task: Task
    probe: Probe
    state: TrainingState
    film: frozenset[int]
    rates: list[tuple[int, float]]
    read: int
    commands: deque[Command] = field(default_factory=deque)
    is_paused: bool = False
    allowed: int = 0


class _Rewound(Exception):  # noqa: N818 - no error: it leads back to the first step
    """The person asked to go back to the beginning."""


def sit(sitting: Sitting) -> Generator[Step, None, Ending]:
    """The steps from the sitting's state on, each written down before it is yielded; returns why they ended."""
    while True:
        try:
            ending = yield from _steps(sitting)
        except _Rewound:
            _rewind(sitting)
        else:
            sitting.recorder.flush()
            return ending


def _steps(sitting: Sitting) -> Generator[Step, None, Ending]:
    _begin(sitting)
    stream = train(sitting.config, sitting.task, state=sitting.state)
    while True:
        ending = _obey(sitting)
        if ending is not None:
            return ending
        sitting.state.rate_factor = rate_at(sitting.rates, sitting.state.step + 1)
        began, before = time.perf_counter(), sitting.state.tokens
        step = next(stream, None)
        if step is None:
            return Ending(state="finished")
        sitting.recorder.note(step, seconds=time.perf_counter() - began, tokens=sitting.state.tokens - before)
        began = time.perf_counter()
        _keep(sitting, step)
        sitting.recorder.seconds += time.perf_counter() - began
        sitting.allowed = max(0, sitting.allowed - 1)
        yield step


def _begin(sitting: Sitting) -> None:
    """Forget what comes after the state; at the very start, keep the initialisation and the first frame."""
    forget_after(sitting.folder, sitting.state.step)
    if sitting.film and not (sitting.folder / FILM / "probe.json").exists():
        write_probe(sitting.folder, sitting.task, sitting.probe)
    if not snapshots(sitting.folder):
        _snapshot(sitting)
    _film(sitting)
    sitting.recorder.say("running", step=sitting.state.step)


def _keep(sitting: Sitting, step: Step) -> None:
    """Samples, a frame and a snapshot, where they are due."""
    if step.evaluation is not None:
        append_samples(sitting.folder, step.step, sitting.task.samples(model_at_rest(sitting.state)))
    _film(sitting)
    if step.step % sitting.config.snapshot_every == 0 or step.step == sitting.config.steps:
        _snapshot(sitting)


def _film(sitting: Sitting) -> None:
    """Take a frame if one is due at this step and not there."""
    step = sitting.state.step
    if step not in sitting.film or (sitting.folder / FILM / f"{step_name(step)}.npz").exists():
        return
    frame = take_frame(model_at_rest(sitting.state), sitting.probe)
    if bytes_in(sitting.folder) + sum(array.nbytes for array in frame.values()) > sitting.bounds.disk_bytes:
        raise _disk_limit(sitting)
    write_frame(sitting.folder, step, frame)


def _snapshot(sitting: Sitting) -> None:
    """Write the snapshot of this step unless it is there."""
    sitting.recorder.flush()
    if (sitting.folder / SNAPSHOTS / step_name(sitting.state.step)).exists():
        return
    if not make_room(sitting.folder, sitting.bounds.disk_bytes, snapshot_bytes(sitting.state)):
        raise _disk_limit(sitting)
    write_snapshot(sitting.folder, sitting.state, sitting.task.tokenizer)


def _disk_limit(sitting: Sitting) -> LimitReachedError:
    limit = sitting.bounds.disk_bytes / 1e6
    return LimitReachedError(
        f"The run was stopped after step {sitting.state.step}: its folder may not pass {limit:,.0f} MB."
    )


def _obey(sitting: Sitting) -> Ending | None:
    """Do what was asked since the last step, and wait while the run is paused. Returns why the run has to end."""
    told = -math.inf
    while True:
        arrived, sitting.read = read_commands(sitting.folder, sitting.read)
        sitting.commands.extend(arrived)
        while sitting.commands:
            ending = _do(sitting, sitting.commands.popleft())
            if ending is not None:
                return ending
        ending = _ended_from_outside(sitting)
        if ending is not None or not sitting.is_paused or sitting.allowed:
            return ending
        if time.monotonic() - told > PAUSED_STATUS_SECONDS:
            told = time.monotonic()
            sitting.recorder.flush()
            sitting.recorder.say("paused", step=sitting.state.step)
        time.sleep(PAUSE_SECONDS)


def _do(sitting: Sitting, command: Command) -> Ending | None:
    step = sitting.state.step
    if command.action == "stop":
        _snapshot(sitting)
        return Ending(state="stopped", message=f"The run was stopped after step {step}; it can go on from there.")
    if command.action == "rewind":
        raise _Rewound
    if command.action == "rate":
        note_rate(sitting.folder, step + 1, command.factor)
        sitting.rates = read_rates(sitting.folder)
    if command.action in ("pause", "snapshot"):
        _snapshot(sitting)
    if command.action in ("pause", "step", "resume"):
        sitting.is_paused = command.action != "resume"
        sitting.allowed = sitting.allowed + command.steps if command.action == "step" else 0
        if not sitting.is_paused:
            sitting.recorder.say("running", step=step)
    return None


def _ended_from_outside(sitting: Sitting) -> Ending | None:
    """Why the run cannot go on, if somebody says so or its time is up; a snapshot is written first."""
    reason, step = sitting.interruption(), sitting.state.step
    if reason is not None:
        _snapshot(sitting)
        return Ending(state="interrupted", message=f"The run was interrupted after step {step}: {reason}.")
    if sitting.recorder.trained_seconds() > sitting.bounds.seconds and step < sitting.config.steps:
        _snapshot(sitting)
        limit = sitting.bounds.seconds / 60
        return Ending(state="stopped", message=f"The run was stopped after step {step}: {limit:g} minutes are over.")
    return None


def _rewind(sitting: Sitting) -> None:
    """Go back to the first snapshot (the initialisation, or where a fork began) and pause there."""
    first = int(snapshots(sitting.folder)[0].name)
    sitting.recorder.flush()
    forget_after(sitting.folder, first)
    write_rates(sitting.folder, [(step, factor) for step, factor in sitting.rates if step <= first])
    sitting.rates = read_rates(sitting.folder)
    sitting.state = resume(sitting.config, sitting.folder)
    sitting.is_paused, sitting.allowed = True, 0
