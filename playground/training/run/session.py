"""A session: train into a run folder from its last checkpoint, keep what is due, and carry out commands on the way."""

import math
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playground.folders import CHECKPOINTS, step_name
from playground.tasks.task import Probe, Task
from playground.text import N_
from playground.training.config import RunSettings
from playground.training.run.checkpoints import checkpoint_bytes, latest_state, thin_checkpoints, write_checkpoint
from playground.training.run.control import Command, rate_at, read_commands, read_rates, set_rate, write_rates
from playground.training.run.film import take_frame, write_frame, write_probe
from playground.training.run.limits import LimitReachedError, RunLimits
from playground.training.run.metrics import RunRecorder, start_measures
from playground.training.run.paths import FILM, bytes_in, checkpoint_steps, discard_after
from playground.training.run.samples import append_samples, read_samples
from playground.training.run.status import Message
from playground.training.trainer import Step, TrainingState, evaluate_state, model_at_rest, train

PAUSE_SECONDS = 0.03
"""How often a paused run looks for commands."""
PAUSED_STATUS_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Why a session ended."""

    state: Literal["finished", "stopped", "interrupted"]
    message: Message | None = None


Interruption = Callable[[], str | None]
"""Called between two steps: None, or why the run has to end now, as the end of a sentence (marked with N_)."""


def never() -> str | None:
    """Nothing interrupts."""
    return None


@dataclass(kw_only=True)
class Session:
    """A run in training."""

    config: RunSettings
    folder: Path
    limits: RunLimits
    interruption: Interruption
    recorder: RunRecorder
    task: Task
    probe: Probe
    state: TrainingState
    frame_steps: frozenset[int]
    """The steps with a frame of the film."""
    rates: list[tuple[int, float]]
    """The changes of the learning rate: first step and factor."""
    commands_offset: int
    """How many bytes of the commands were read."""
    commands: deque[Command] = field(default_factory=deque)
    """Read, not yet carried out."""
    is_paused: bool = False
    steps_allowed: int = 0
    """How many steps a paused run may still take."""


class _Rewound(Exception):  # noqa: N818 - no error: it leads back to the first step
    """The person asked to return to the beginning."""


def run_session(session: Session) -> Generator[Step, None, Outcome]:
    """The steps from the session's state on, each recorded before it is yielded; returns why they ended."""
    while True:
        try:
            outcome = yield from _train_steps(session)
        except _Rewound:
            _rewind(session)
        else:
            session.recorder.flush()
            return outcome


def _train_steps(session: Session) -> Generator[Step, None, Outcome]:
    _prepare_folder(session)
    steps = train(session.config, session.task, state=session.state)
    while True:
        outcome = _carry_out_commands(session)
        if outcome is not None:
            return outcome
        session.state.rate_factor = rate_at(session.rates, session.state.step + 1)
        start, tokens = time.perf_counter(), session.state.tokens
        step = next(steps, None)
        if step is None:
            return Outcome(state="finished")
        session.recorder.record(step, seconds=time.perf_counter() - start, tokens=session.state.tokens - tokens)
        start = time.perf_counter()
        _save_artefacts(session, step)
        session.recorder.seconds += time.perf_counter() - start
        session.steps_allowed = max(0, session.steps_allowed - 1)
        yield step


def _prepare_folder(session: Session) -> None:
    """Discard what comes after the state; at the very start, keep the initialisation and the first frame."""
    discard_after(session.folder, session.state.step)
    if session.frame_steps and not (session.folder / FILM / "probe.json").exists():
        write_probe(session.folder, session.task, session.probe)
    if not checkpoint_steps(session.folder):
        _save_checkpoint(session)
    _save_frame(session)
    session.recorder.set_state("running", step=session.state.step)
    if session.config.measures_start and session.state.step == 0 and start_measures(session.folder) is None:
        _measure_start(session)


def _measure_start(session: Session) -> None:
    """Write measures and samples of the model that has not learned yet."""
    start = time.perf_counter()
    measures = evaluate_state(session.config, session.task, session.state)
    if not read_samples(session.folder):
        append_samples(session.folder, 0, session.task.samples(model_at_rest(session.state)))
    # The measures last: where a kill came between, they are taken anew.
    session.recorder.record_start(measures, seconds=time.perf_counter() - start)


def _save_artefacts(session: Session, step: Step) -> None:
    """Write samples, a frame and a checkpoint if they are due."""
    if step.evaluation is not None:
        append_samples(session.folder, step.step, session.task.samples(model_at_rest(session.state)))
    _save_frame(session)
    if step.step % session.config.checkpoint_every == 0 or step.step == session.config.steps:
        _save_checkpoint(session)


def _save_frame(session: Session) -> None:
    """Take the frame of this step if it is due and not yet written."""
    step = session.state.step
    if step not in session.frame_steps or (session.folder / FILM / f"{step_name(step)}.npz").exists():
        return
    frame = take_frame(model_at_rest(session.state), session.probe)
    if bytes_in(session.folder) + sum(array.nbytes for array in frame.values()) > session.limits.disk_bytes:
        raise _disk_limit_error(session)
    write_frame(session.folder, step, frame)


def _save_checkpoint(session: Session) -> None:
    """Write the checkpoint of this step if it is not there."""
    session.recorder.flush()
    if (session.folder / CHECKPOINTS / step_name(session.state.step)).exists():
        return
    if not thin_checkpoints(session.folder, session.limits.disk_bytes, checkpoint_bytes(session.state)):
        raise _disk_limit_error(session)
    write_checkpoint(session.folder, session.state, session.task.tokenizer)


def _disk_limit_error(session: Session) -> LimitReachedError:
    return LimitReachedError(
        "The run was stopped after step {step}: its folder may not grow beyond {megabytes:,.0f} MB. Start it with "
        "fewer checkpoints and frames.",
        step=session.state.step,
        megabytes=session.limits.disk_bytes / 1e6,
    )


def _carry_out_commands(session: Session) -> Outcome | None:
    """Carry out new commands, and wait while the run is paused. Returns why the session has to end."""
    status_at, paused_at = -math.inf, time.monotonic()
    while True:
        arrived, session.commands_offset = read_commands(session.folder, session.commands_offset)
        session.commands.extend(arrived)
        paused_at = time.monotonic() if arrived else paused_at
        while session.commands:
            outcome = _carry_out(session, session.commands.popleft())
            if outcome is not None:
                return outcome
        outcome = _interrupted_or_out_of_time(session)
        if outcome is not None or not session.is_paused or session.steps_allowed:
            return outcome
        if time.monotonic() - paused_at > session.limits.paused_seconds:
            return _paused_too_long(session)
        if time.monotonic() - status_at > PAUSED_STATUS_SECONDS:
            status_at = time.monotonic()
            session.recorder.flush()
            session.recorder.set_state("paused", step=session.state.step)
        time.sleep(PAUSE_SECONDS)


def _carry_out(session: Session, command: Command) -> Outcome | None:
    step = session.state.step
    if command.action == "stop":
        _save_checkpoint(session)
        template = N_("The run was stopped after step {step}; it can be resumed from there.")
        return Outcome(state="stopped", message=Message(template=template, values={"step": step}))
    if command.action == "rewind":
        raise _Rewound
    if command.action == "rate":
        set_rate(session.folder, step + 1, command.factor)
        session.rates = read_rates(session.folder)
    if command.action in ("pause", "checkpoint"):
        _save_checkpoint(session)
    if command.action in ("pause", "step", "resume"):
        session.is_paused = command.action != "resume"
        session.steps_allowed = session.steps_allowed + command.steps if command.action == "step" else 0
        if not session.is_paused:
            session.recorder.set_state("running", step=step)
    return None


def _interrupted_or_out_of_time(session: Session) -> Outcome | None:
    """End the session if it is interrupted or has used its time; a checkpoint is written first."""
    reason, step = session.interruption(), session.state.step
    if reason is not None:
        _save_checkpoint(session)
        template = N_("The run was interrupted after step {step}: {reason}.")
        message = Message(template=template, values={"step": step, "reason": Message(template=reason)})
        return Outcome(state="interrupted", message=message)
    if session.recorder.trained_seconds() > session.limits.seconds and step < session.config.steps:
        _save_checkpoint(session)
        template = N_(
            "The run was stopped after step {step}: its {minutes:g} minutes are over. Open its last checkpoint, or "
            "start a smaller model."
        )
        message = Message(template=template, values={"step": step, "minutes": session.limits.seconds / 60})
        return Outcome(state="stopped", message=message)
    return None


def _paused_too_long(session: Session) -> Outcome:
    """A pause holds a slot, memory and a process: the run ends with a checkpoint, from which it can be resumed."""
    _save_checkpoint(session)
    values = {"step": session.state.step, "minutes": session.limits.paused_seconds / 60}
    template = N_(
        "The run was paused after step {step} for {minutes:g} minutes, so that others got its slot; it can be resumed."
    )
    return Outcome(state="stopped", message=Message(template=template, values=values))


def _rewind(session: Session) -> None:
    """Return to the first checkpoint (the initialisation, or the start of a fork) and pause there."""
    first = checkpoint_steps(session.folder)[0]
    session.recorder.flush()
    discard_after(session.folder, first)
    write_rates(session.folder, [(step, factor) for step, factor in session.rates if step <= first])
    session.rates = read_rates(session.folder)
    session.state = latest_state(session.config, session.folder, session.task)
    session.is_paused, session.steps_allowed = True, 0
