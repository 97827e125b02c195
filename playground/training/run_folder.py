"""A run as a folder: what a training leaves on disk, and how it goes on from there.

    config.json                 the TrainConfig
    tokenizer.json, …           what the task saved: the vocabulary, a text's tokens
    metrics.jsonl               one line per step
    samples.jsonl               what the model did at each evaluation
    snapshots/000500/           model.safetensors, optimizer.safetensors and state.json after step 500
    status.json                 state and last step

Every file is written under another name and moved into place, so a kill leaves the last whole one.
"""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from playground.errors import UserError
from playground.tasks.registry import kind_of
from playground.tasks.task import Sample, Task
from playground.training.config import TrainConfig
from playground.training.trainer import Step, TrainingState, start_state, train

SNAPSHOTS_KEPT = 2


def run(config: TrainConfig, folder: Path) -> Iterator[Step]:
    """Train into the folder, from its last snapshot if it has one, and yield each step.

    Raises UserError where the folder holds a run of another configuration, or cannot be read or written.
    """
    try:
        yield from _run(config, folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"The run folder {folder} cannot be read or written: {reason}. Mend that and start again."
        ) from error


def _run(config: TrainConfig, folder: Path) -> Iterator[Step]:
    task = open_run(config, folder)
    state = resume(config, folder)
    _drop_metrics_after(folder, state.step)
    with (folder / "metrics.jsonl").open("a", encoding="utf-8") as metrics:
        for step in train(config, task, state=state):
            metrics.write(json.dumps(asdict(step)) + "\n")
            if step.evaluation is not None:
                metrics.flush()
                _write_samples(folder, step.step, task.samples(state.model))
            if step.step % config.snapshot_every == 0 or step.step == config.steps:
                metrics.flush()
                write_snapshot(folder, state)
            yield step
    write_json(folder / "status.json", {"state": "finished", "step": state.step})


def open_run(config: TrainConfig, folder: Path) -> Task:
    """Create the folder, or check that it belongs to this configuration, and return its task."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.json"
    if path.exists():
        if read_config(path) != config:
            raise UserError(f"{folder} holds a run of another configuration; choose a new folder.")
        return kind_of(config.task).restore(config.task, folder)
    task = kind_of(config.task).prepare(config.task)
    # Before config.json is there: a refused run leaves the folder free for a better one.
    task.check_fits(config.model)
    task.save(folder)
    write_json(path, config.to_dict())
    return task


def read_config(path: Path) -> TrainConfig:
    """The configuration in a config.json. Raises UserError for a file that is missing or holds something else."""
    try:
        return TrainConfig.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text (byte {error.start}).") from error
    except json.JSONDecodeError as error:
        raise UserError(f"{path} is not JSON: {error}.") from error


def resume(config: TrainConfig, folder: Path) -> TrainingState:
    """The state of the last snapshot, or a fresh one."""
    state = start_state(config)
    found = snapshots(folder)
    if not found:
        return state
    try:
        state.model.load_state_dict(load_file(found[-1] / "model.safetensors"), strict=False)
        _load_optimizer(state.optimizer, load_file(found[-1] / "optimizer.safetensors"))
        counts = json.loads((found[-1] / "state.json").read_text(encoding="utf-8"))
    except (SafetensorError, RuntimeError, ValueError) as error:
        raise UserError(f"The snapshot {found[-1]} is damaged; remove it to go on from the one before.") from error
    state.step, state.tokens, state.rate_factor = counts["step"], counts["tokens"], counts["rate_factor"]
    return state


def snapshots(folder: Path) -> list[Path]:
    """The snapshots, oldest first; what a kill left half written has a name with more than digits."""
    found = [path for path in (folder / "snapshots").glob("*") if path.name.isdecimal()]
    return sorted(found, key=lambda path: int(path.name))


def write_snapshot(folder: Path, state: TrainingState) -> None:
    """Write model and optimiser under snapshots/, and keep the last few.

    Raises UserError where they cannot be written; the snapshots before stay.
    """
    target = folder / "snapshots" / f"{state.step:06d}"
    staging = target.with_suffix(".part")
    shutil.rmtree(staging, ignore_errors=True)
    try:
        staging.mkdir(parents=True)
        save_file(model_tensors(state.model), staging / "model.safetensors")
        save_file(_optimizer_tensors(state.optimizer), staging / "optimizer.safetensors")
        counts = {"step": state.step, "tokens": state.tokens, "rate_factor": state.rate_factor}
        write_json(staging / "state.json", counts)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise UserError(
            f"The snapshot of step {state.step} cannot be written to {folder}: {error}. "
            "Make room there and start again; the run goes on from its last snapshot."
        ) from error
    if target.exists():
        shutil.rmtree(target)
    os.replace(staging, target)
    write_json(folder / "status.json", {"state": "running", "step": state.step})
    for old in snapshots(folder)[:-SNAPSHOTS_KEPT]:
        shutil.rmtree(old)


def model_tensors(model: torch.nn.Module) -> dict[str, Tensor]:
    """The weights by name, shared ones (a tied head) once."""
    seen: set[int] = set()
    tensors: dict[str, Tensor] = {}
    for name, tensor in model.state_dict().items():
        if tensor.data_ptr() not in seen:
            seen.add(tensor.data_ptr())
            tensors[name] = tensor.contiguous()
    return tensors


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


def _drop_metrics_after(folder: Path, step: int) -> None:
    """Forget the lines of steps that are taken again after resuming."""
    for name in ("metrics.jsonl", "samples.jsonl"):
        path = folder / name
        if path.exists():
            # A kill may have cut a character in two; str.splitlines would also cut at the separators inside a sample.
            lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
            kept = [line for line in lines if _step_of(line) <= step]
            _write_whole(path, "".join(line + "\n" for line in kept))


def _step_of(line: str) -> float:
    """The step of a line; a line that a kill cut short counts as later than any."""
    try:
        return float(json.loads(line)["step"])
    except (json.JSONDecodeError, KeyError, TypeError):
        return float("inf")


def _write_samples(folder: Path, step: int, samples: list[Sample]) -> None:
    with (folder / "samples.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": step, "samples": [asdict(s) for s in samples]}, ensure_ascii=False) + "\n")


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a small JSON file whole or not at all."""
    _write_whole(path, json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def _write_whole(path: Path, text: str) -> None:
    staging = path.with_name(path.name + ".part")
    staging.write_text(text, encoding="utf-8", newline="\n")
    os.replace(staging, path)
