"""Train into a run folder: make it, or open it and resume.

    config.json                 the TrainConfig, or the FinetuneConfig
    tokenizer.json, …           what the task saved: the vocabulary, a text's tokens (prepared.json: they are complete)
    metrics.jsonl               one line per step (metrics.py)
    samples.jsonl               what the model produced at each evaluation (samples.py)
    rates.jsonl                 the changes of the learning rate: first step and factor (control.py)
    snapshots/000500/           the model after step 500, and the state that resumes the training (checkpoints.py)
    film/000500.npz             the probe's attention after step 500 (film.py)
    status.json                 the state of the run (status.py)
    control.jsonl               a person's commands (control.py), carried out between two steps (session.py)

Every file but the growing ones is written under another name and moved into place, so a kill leaves the last whole
one. Of a growing file a kill may cut the last line, which is dropped when the run resumes.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playground.errors import UserError
from playground.tasks.task import Task
from playground.text import N_
from playground.training.config import RunSettings, TrainConfig
from playground.training.run.checkpoints import latest_state
from playground.training.run.control import open_control, read_offset, read_rates
from playground.training.run.film import film_steps
from playground.training.run.limits import OUT_OF_MEMORY, LimitReachedError, RunLimits, is_out_of_memory
from playground.training.run.metrics import last_recorded_step, open_recorder
from playground.training.run.paths import CONFIG, PREPARED, RESERVE, checkpoint_folders, write_json
from playground.training.run.session import Interruption, Session, never, run_session
from playground.training.run.status import Message, State, has_process, message_of, read_status
from playground.training.trainer import Step

RESERVE_BYTES = 16384
"""Kept free, so that a run on a full disk can still write its status."""


def run(
    config: RunSettings, folder: Path, *, limits: RunLimits | None = None, interruption: Interruption = never
) -> Iterator[Step]:
    """Train into the folder, from its last checkpoint if it has one, carry out its commands, and yield each step.

    Raises UserError if the folder holds a run of another configuration or one that is at work, cannot be read or
    written, or is deleted. The folder's status says how the run ended.
    """
    _refuse_other_run(config, folder)
    try:
        yield from _run_session(config, folder, limits or RunLimits(), interruption)
    except OSError as error:
        sentence = _folder_error(folder, error)
        _record_end(folder, sentence)
        raise sentence from error
    except BaseException as error:
        _record_end(folder, error)
        raise


def _refuse_other_run(config: RunSettings, folder: Path) -> None:
    _refuse_other_config(config, folder)
    status = read_status(folder)
    if status.is_live and has_process(status) and status.pid != os.getpid():
        raise UserError(
            "Process {pid} is training into {folder}; stop it first, or choose a new folder.",
            pid=status.pid,
            folder=folder,
        )


def _refuse_other_config(config: RunSettings, folder: Path) -> None:
    path = folder / CONFIG
    if path.exists() and read_run_config(path) != config:
        raise UserError("{folder} holds a run of another configuration; choose a new folder.", folder=folder)


def _folder_error(folder: Path, error: OSError) -> UserError:
    if isinstance(error, FileNotFoundError) and not folder.exists():
        return UserError("The run folder {folder} was deleted, so the run has ended.", folder=folder)
    return UserError(
        "The run folder {folder} cannot be read or written: {reason}. Fix that and start again.",
        folder=folder,
        reason=error.strerror or str(error),
    )


def _record_end(folder: Path, error: BaseException) -> None:
    """Write why a run ended, if its folder exists and can be written."""
    if not folder.exists():
        return
    try:
        _release_reserve(folder)
        state, message = _end_of(error)
        step = max(read_status(folder).step, last_recorded_step(folder))
        open_recorder(folder).set_state(state, message, step=step)
    except OSError:
        return  # Whoever reads the folder finds a process that is gone, and says so.


def _end_of(error: BaseException) -> tuple[State, Message]:
    """The state of a run that an exception ended, and the sentence for the person."""
    if isinstance(error, UserError):
        return "stopped" if isinstance(error, LimitReachedError) else "failed", message_of(error)
    if is_out_of_memory(error):
        return "failed", Message(template=OUT_OF_MEMORY)
    if isinstance(error, Exception):
        template = N_("The training ended by an error in the program: {kind}: {error}")
        return "failed", Message(template=template, values={"kind": type(error).__name__, "error": str(error)})
    template = N_("The run was ended where it was started; it can be resumed from its last checkpoint.")
    return "interrupted", Message(template=template)


def _run_session(config: RunSettings, folder: Path, limits: RunLimits, interruption: Interruption) -> Iterator[Step]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RESERVE).write_bytes(bytes(RESERVE_BYTES))
    recorder = open_recorder(folder)
    recorder.set_state("preparing")
    task = open_task(config, folder)
    open_control(folder)
    session = Session(
        config=config,
        folder=folder,
        limits=limits,
        interruption=interruption,
        recorder=recorder,
        task=task,
        probe=task.probe(config.row_length),
        state=latest_state(config, folder, task),
        frame_steps=frozenset(film_steps(config.steps, config.frames)),
        rates=read_rates(folder),
        commands_offset=read_offset(folder),
    )
    outcome = yield from run_session(session)
    _release_reserve(folder)
    recorder.set_state(outcome.state, outcome.message, step=session.state.step)


def _release_reserve(folder: Path) -> None:
    (folder / RESERVE).unlink(missing_ok=True)


def open_task(config: RunSettings, folder: Path) -> Task:
    """The folder's task, prepared and saved there if it is new.

    Raises UserError if the folder holds a run of another configuration, or weights of another vocabulary.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / CONFIG
    _refuse_other_config(config, folder)
    if path.exists() and (folder / PREPARED).exists():
        return config.restore_task(folder)
    task = config.prepare_task()
    # Before config.json exists: a refused run leaves the folder free for a better one.
    config.check_task(task)
    _refuse_other_vocabulary(folder, task)
    task.save(folder)
    write_json(path, config.to_dict())
    write_json(folder / PREPARED, {"task": config.task_name})
    return task


def _refuse_other_vocabulary(folder: Path, task: Task) -> None:
    """The weights of a fork know the tokens that they were trained with."""
    for checkpoint in checkpoint_folders(folder)[-1:]:
        path = checkpoint / "tokenizer.json"
        if path.exists() and path.read_text(encoding="utf-8") != task.tokenizer.to_str():
            raise UserError("The weights were trained with another vocabulary; start a new run for this task instead.")


def read_train_config(path: Path) -> TrainConfig:
    """The configuration of a training from random weights. Raises UserError as `read_run_config` does."""
    config = read_run_config(path)
    if not isinstance(config, TrainConfig):
        raise UserError("{path} is the configuration of a fine-tuning, which the page Fine-tune opens.", path=path)
    return config


def read_run_config(path: Path) -> RunSettings:
    """The configuration in a config.json, of a training or, where it names a base, of a fine-tuning.

    Raises UserError for a file that is missing or holds something else.
    """
    try:
        return run_config_of(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UserError("{path} cannot be read ({reason}).", path=path, reason=error.strerror) from error
    except UnicodeDecodeError as error:
        raise UserError("{path} is not UTF-8 text (byte {start}).", path=path, start=error.start) from error
    except json.JSONDecodeError as error:
        raise UserError("{path} is not JSON: {error}.", path=path, error=error) from error


def run_config_of(values: dict[str, Any]) -> RunSettings:
    """The configuration in a dictionary. Raises UserError for what is missing, unknown or of the wrong kind."""
    if isinstance(values, dict) and "base" in values:
        from playground.training.finetune.finetune_config import FinetuneConfig

        return FinetuneConfig.from_dict(values)
    return TrainConfig.from_dict(values)
