"""Checkpoints of a run: each a folder that loads as a model, with the state that resumes the training beside it.

snapshots/000500/           model.safetensors (float32), config.json of the model, tokenizer.json
snapshots/000500/resume/    optimizer.safetensors, state.json
"""

import dataclasses
import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from playground.errors import UserError
from playground.folders import CHECKPOINTS, step_name
from playground.tasks.task import Task
from playground.training.config import RunSettings
from playground.training.run.paths import RESUME, STAGING, bytes_in, checkpoint_folders, write_json, write_whole
from playground.training.trainer import TrainingState, start_state

PLAIN = (int, float, bool, str)
"""The types of the fields of TrainingState that state.json holds."""
MAX_CHECKPOINTS = 200


def write_checkpoint(folder: Path, state: TrainingState, tokenizer: Tokenizer) -> Path:
    """Write the checkpoint of the state's step under a staging name and move it into place.

    Raises UserError if it cannot be written; earlier checkpoints stay. Raises FileNotFoundError if the run folder is
    gone.
    """
    (folder / CHECKPOINTS).mkdir(exist_ok=True)
    target = folder / CHECKPOINTS / step_name(state.step)
    staging = target.with_suffix(STAGING)
    shutil.rmtree(staging, ignore_errors=True)
    try:
        (staging / RESUME).mkdir(parents=True)
        save_file(state.weights(), staging / state.weights_file, metadata={"format": "pt"})
        for name, text in state.describe(tokenizer).items():
            write_whole(staging / name, text)
        save_file(_optimizer_tensors(state.optimizer), staging / RESUME / "optimizer.safetensors")
        write_json(staging / RESUME / "state.json", plain_fields(state))
    except (OSError, SafetensorError) as error:
        shutil.rmtree(staging, ignore_errors=True)
        if not folder.exists():
            raise FileNotFoundError(str(folder)) from error
        raise UserError(
            "The checkpoint of step {step} cannot be written to {folder}: {error}. Make room there and start "
            "again; the run resumes from its last checkpoint.",
            step=state.step,
            folder=folder,
            error=error,
        ) from error
    if target.exists():
        shutil.rmtree(target)
    os.replace(staging, target)
    return target


def plain_fields(state: TrainingState) -> dict[str, Any]:
    """The counts and factors of a state: every field without tensors."""
    values = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
    return {name: value for name, value in values.items() if isinstance(value, PLAIN)}


def latest_state(config: RunSettings, folder: Path, task: Task | None = None) -> TrainingState:
    """The state of the last checkpoint, or a fresh one. Raises UserError for a damaged checkpoint."""
    state = start_state(config, task)
    folders = checkpoint_folders(folder)
    return restore_checkpoint(folders[-1], state) if folders else state


def restore_checkpoint(checkpoint: Path, state: TrainingState) -> TrainingState:
    """The state with the checkpoint's weights, optimiser and counts. Raises UserError for a damaged checkpoint."""
    try:
        state.load_weights(load_file(checkpoint / state.weights_file))
        _load_optimizer(state.optimizer, load_file(checkpoint / RESUME / "optimizer.safetensors"))
        counts = json.loads((checkpoint / RESUME / "state.json").read_text(encoding="utf-8"))
        known = plain_fields(state)
        for name, value in counts.items():
            if name in known:
                setattr(state, name, type(known[name])(value))
    except (SafetensorError, OSError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        raise UserError(
            "The checkpoint {checkpoint} is damaged; remove it to resume from the one before.", checkpoint=checkpoint
        ) from error
    return state


def thin_checkpoints(folder: Path, limit: int, needed: int) -> bool:
    """Thin the checkpoints until one more of `needed` bytes stays within the limit; returns whether it does.

    Every second one between the first and the last is deleted, as often as that helps.
    """
    while bytes_in(folder) + needed > limit or len(checkpoint_folders(folder)) >= MAX_CHECKPOINTS:
        middle = checkpoint_folders(folder)[1:-1]
        if not middle:
            return False
        for old in middle[::2]:
            shutil.rmtree(old)
    return True


def checkpoint_bytes(state: TrainingState) -> int:
    """About how large a checkpoint of this state is."""
    kept = [*state.weights().values(), *_optimizer_tensors(state.optimizer).values()]
    return sum(tensor.nbytes for tensor in kept)


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    states: dict[int, dict[str, Tensor]] = optimizer.state_dict()["state"]
    return {f"{index}.{name}": tensor for index, state in states.items() for name, tensor in state.items()}


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    values = optimizer.state_dict()
    values["state"] = {}
    for key, tensor in tensors.items():
        index, name = key.split(".")
        values["state"].setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict(values)
