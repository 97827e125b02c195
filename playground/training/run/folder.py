"""A run as a folder: what a training leaves on disk, how a person's hand reaches it, and how it goes on from there.

    config.json                 the TrainConfig
    tokenizer.json, …           what the task saved: the vocabulary, a text's tokens (prepared.json: they are complete)
    metrics.jsonl               one line per step
    samples.jsonl               what the model did at each evaluation
    rates.jsonl                 from which step on the learning rate was multiplied by what
    snapshots/000500/           the model after step 500, and what it takes to go on (snapshots.py)
    film/000500.npz             the probe's attention after step 500 (film.py)
    status.json                 how it is doing (status.py)
    control.jsonl               what a person asks of it (control.py), between two steps (sitting.py)

Every file but the growing ones is written under another name and moved into place, so a kill leaves the last whole
one; of the growing ones a kill may cut the last line, which is dropped when the run goes on.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from playground.errors import UserError
from playground.tasks.registry import kind_of
from playground.tasks.task import Task
from playground.training.config import TrainConfig
from playground.training.run.control import open_control, read_offset, read_rates
from playground.training.run.film import film_steps
from playground.training.run.metrics import keep_reserve, last_step, recorder_of, spend_reserve
from playground.training.run.paths import CONFIG, PREPARED, snapshots, write_json
from playground.training.run.session import Bounds, Interruption, LimitReachedError, Sitting, never, sit
from playground.training.run.snapshots import resume, write_snapshot
from playground.training.run.status import State, has_process, read_status
from playground.training.trainer import Step

__all__ = ["Bounds", "open_run", "read_config", "resume", "run", "snapshots", "write_json", "write_snapshot"]


def run(
    config: TrainConfig, folder: Path, *, bounds: Bounds | None = None, interruption: Interruption = never
) -> Iterator[Step]:
    """Train into the folder, from its last snapshot if it has one, obey its commands, and yield each step.

    Raises UserError where the folder holds a run of another configuration or one that is at work, cannot be read or
    written, or is deleted. How it ended stands in the folder's status.
    """
    _refuse_other_run(config, folder)
    try:
        yield from _run(config, folder, bounds or Bounds(), interruption)
    except OSError as error:
        sentence = _sentence(folder, error)
        _note_end(folder, UserError(sentence))
        raise UserError(sentence) from error
    except BaseException as error:
        _note_end(folder, error)
        raise


def _refuse_other_run(config: TrainConfig, folder: Path) -> None:
    path = folder / CONFIG
    if path.exists() and read_config(path) != config:
        raise UserError("{folder} holds a run of another configuration; choose a new folder.", folder=folder)
    status = read_status(folder)
    if status.is_live and has_process(status) and status.pid != os.getpid():
        raise UserError(
            "Process {pid} is training into {folder}; stop it first, or choose a new folder.",
            pid=status.pid,
            folder=folder,
        )


def _sentence(folder: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError) and not folder.exists():
        return f"The run folder {folder} was deleted, so the run has ended."
    reason = error.strerror or str(error)
    return f"The run folder {folder} cannot be read or written: {reason}. Mend that and start again."


def _note_end(folder: Path, error: BaseException) -> None:
    """Write down why a run ended, if its folder is there and lets itself be written."""
    if not folder.exists():
        return
    try:
        spend_reserve(folder)
        state, message = _end_of(error)
        recorder_of(folder).say(state, message, step=max(read_status(folder).step, last_step(folder)))
    except OSError:
        return  # The one who reads the folder finds a process that is gone, and says so.


def _end_of(error: BaseException) -> tuple[State, str]:
    """The state of a run that an exception ended, and the sentence for the person."""
    if isinstance(error, LimitReachedError):
        return "stopped", str(error)
    if isinstance(error, UserError):
        return "failed", str(error)
    if isinstance(error, Exception):
        return "failed", f"The training ended by an error in the program: {type(error).__name__}: {error}"
    return "interrupted", "The run was ended where it was started; it can go on from its last snapshot."


def _run(config: TrainConfig, folder: Path, bounds: Bounds, interruption: Interruption) -> Iterator[Step]:
    folder.mkdir(parents=True, exist_ok=True)
    keep_reserve(folder)
    recorder = recorder_of(folder)
    recorder.say("preparing")
    task = open_run(config, folder)
    open_control(folder)
    state = resume(config, folder)
    sitting = Sitting(
        config=config,
        folder=folder,
        bounds=bounds,
        interruption=interruption,
        recorder=recorder,
        task=task,
        probe=task.probe(config.model.context),
        state=state,
        film=frozenset(film_steps(config.steps, config.frames)),
        rates=read_rates(folder),
        read=read_offset(folder),
    )
    ending = yield from sit(sitting)
    spend_reserve(folder)
    recorder.say(ending.state, ending.message, step=sitting.state.step)


def open_run(config: TrainConfig, folder: Path) -> Task:
    """The folder's task, prepared and saved there if it is new.

    Raises UserError where the folder holds a run of another configuration, or weights of another vocabulary.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / CONFIG
    if path.exists() and read_config(path) != config:
        raise UserError("{folder} holds a run of another configuration; choose a new folder.", folder=folder)
    if path.exists() and (folder / PREPARED).exists():
        return kind_of(config.task).restore(config.task, folder)
    task = kind_of(config.task).prepare(config.task)
    # Before config.json is there: a refused run leaves the folder free for a better one.
    task.check_fits(config.model)
    _refuse_other_vocabulary(folder, task)
    task.save(folder)
    write_json(path, config.to_dict())
    write_json(folder / PREPARED, {"task": kind_of(config.task).name})
    return task


def _refuse_other_vocabulary(folder: Path, task: Task) -> None:
    """A forked run's weights know the tokens that they were trained with."""
    found = snapshots(folder)
    path = found[-1] / "tokenizer.json" if found else None
    if path is not None and path.exists() and path.read_text(encoding="utf-8") != task.tokenizer.to_str():
        raise UserError("The weights were trained with another vocabulary; start a new run for this task instead.")


def read_config(path: Path) -> TrainConfig:
    """The configuration in a config.json. Raises UserError for a file that is missing or holds something else."""
    try:
        return TrainConfig.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UserError("{path} cannot be read ({reason}).", path=path, reason=error.strerror) from error
    except UnicodeDecodeError as error:
        raise UserError("{path} is not UTF-8 text (byte {start}).", path=path, start=error.start) from error
    except json.JSONDecodeError as error:
        raise UserError("{path} is not JSON: {error}.", path=path, error=error) from error
