"""Fork a run: a new run from a checkpoint of another, with other settings. Needs no torch."""

import dataclasses
import json
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.errors import UserError
from playground.folders import CHECKPOINTS, step_name
from playground.training.run.control import read_rates, write_rates
from playground.training.run.paths import (
    CONFIG,
    FILM,
    METRICS,
    PREPARED,
    RESUME,
    RUN_FILES,
    SAMPLES,
    STAGING,
    frame_files,
    step_of,
    write_json,
)
from playground.training.run.runs import read_run, run_path, write_about

if TYPE_CHECKING:
    from playground.training.config import RunSettings, TrainConfig

FREE_IN_MODEL = ("dropout",)
"""What may change in the model's configuration: everything else decides the shape of its weights."""
FIXED_IN_TASK = frozenset(
    (
        *("sources", "text", "vocabulary", "vocabulary_size", "held_out", "unwrap"),
        *("kind", "text_column", "label_column", "passage"),
        *("names", "world", "languages", "symbols", "length", "longest", "digits", "modulus"),
    )
)
"""What must stay in the task's configuration: it decides the vocabulary, or how long the model's context must be."""
FIXED_IN_FINETUNING = ("base", "revision", "parts", "from_scratch")
"""What must stay in a fine-tuning: its weights mean something only beside the base's."""
STAGING_PREFIX = ".staging-"


def new_run_id() -> str:
    """A long random id of letters and digits: whoever knows it may open the run."""
    alphabet = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    return "".join(secrets.choice(alphabet) for _ in range(22))


def fork(
    root: Path,
    run_id: str,
    step: int,
    config: "RunSettings",
    *,
    name: str,
    new: str | None = None,
    owner: str | None = None,
) -> str:
    """Make a run that continues after `step` of another with the settings of `config`; returns its id (`new` if given).

    It has the metrics and samples up to there. Everything may change but the shape of the weights and the vocabulary;
    another optimiser starts fresh. Raises UserError that says what must stay equal.
    """
    source = run_path(root, run_id)
    before, after = read_run(source).config, _as_json(config)
    checkpoint = source / CHECKPOINTS / step_name(step)
    if not checkpoint.is_dir():
        raise UserError("The run has no checkpoint of step {step}; choose a step that was saved.", step=step)
    check_fork(before, after, step)
    new = new or new_run_id()
    staging = root / f"{STAGING_PREFIX}{new}"
    try:
        staging.mkdir()
        _copy_run(source, staging, checkpoint, before, after)
        write_about(staging, name, (run_id, step), owner=owner)
        staging.rename(root / new)
    except OSError as error:
        raise UserError("The run cannot be forked: {reason}.", reason=error.strerror or error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return new


def _as_json(config: "RunSettings") -> dict[str, Any]:
    """The configuration as it is stored: tuples become lists."""
    values: dict[str, Any] = json.loads(json.dumps(config.to_dict()))
    return values


def check_fork(before: dict[str, Any], after: dict[str, Any], step: int) -> None:
    """Raise UserError if a configuration cannot continue from another's weights after `step`."""
    fixed = [name for name in FIXED_IN_FINETUNING if before.get(name) != after.get(name)]
    if fixed:
        raise UserError(
            "A fork of a fine-tuning keeps its base and what is trained of it; start a new run for others.",
            fields=fixed,
        )
    old, new = before.get("model", {}), after.get("model", {})
    other = [name for name in sorted(new) if name not in FREE_IN_MODEL and name in old and new[name] != old[name]]
    if other:
        raise UserError(
            "A fork continues from its parent's weights, so the model keeps its shape; start a new run for another.",
            fields=other,
        )
    if after["steps"] <= step:
        raise UserError("The fork starts after step {step}; give it more steps than that.", step=step)


def fork_steps(steps: int, step: int) -> int:
    """How many steps a fork after `step` of a run of `steps` is offered: as many, or half as many more.

    >>> fork_steps(600, 200), fork_steps(600, 600)
    (600, 900)
    """
    return steps if steps > step else step + max(1, steps // 2)


def _copy_run(source: Path, target: Path, checkpoint: Path, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Fill the new folder with everything from before the fork."""
    step = int(checkpoint.name)
    write_json(target / CONFIG, after)
    shutil.copytree(checkpoint, target / CHECKPOINTS / checkpoint.name)
    if after.get("model") != before.get("model"):
        write_json(target / CHECKPOINTS / checkpoint.name / "config.json", after["model"])
    if after.get("optimizer") != before.get("optimizer"):
        _reset_optimizer(target / CHECKPOINTS / checkpoint.name / RESUME)
    write_rates(target, [(start, factor) for start, factor in read_rates(source) if start <= step])
    for name in (METRICS, SAMPLES):
        if (source / name).exists():
            _copy_lines(source / name, target / name, step)
    if after["task"] == before.get("task") and (source / PREPARED).exists():
        copy_task(source, target)
        _copy_film(source, target, step)


def _reset_optimizer(folder: Path) -> None:
    """Write an optimiser file without a tensor: another optimiser starts fresh."""
    from safetensors.numpy import save_file

    save_file({}, folder / "optimizer.safetensors")


def _copy_lines(source: Path, target: Path, step: int) -> None:
    with source.open("rb") as lines, target.open("wb") as kept:
        kept.writelines(line for line in lines if line.endswith(b"\n") and step_of(line) <= step)


def copy_task(source: Path, target: Path) -> None:
    """Copy what the task of a run saved, so that it is not prepared again."""
    for path in source.iterdir():
        if path.is_file() and not path.is_symlink() and path.name not in RUN_FILES and path.suffix != STAGING:
            shutil.copy2(path, target / path.name)


def _copy_film(source: Path, target: Path, step: int) -> None:
    """Copy the frames up to the fork: the probe stays the same."""
    probe = source / FILM / "probe.json"
    if probe.exists():
        (target / FILM).mkdir()
        for path in (probe, *(frame for frame in frame_files(source) if int(frame.stem) <= step)):
            shutil.copy2(path, target / FILM / path.name)


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A stretch of training with the same settings."""

    config: "TrainConfig"
    last_step: int
    """The last step that was trained with them."""


def earlier_chapters(run: Path) -> list[Chapter]:
    """The chapters of the runs that this one descends from, oldest first; their folders stand beside it.

    Raises UserError if one of them is gone: nobody could then say what the weights were trained with.
    """
    from playground.training.config import TrainConfig

    chapters: list[Chapter] = []
    parent = read_run(run).parent
    while parent is not None:
        name, step = parent
        folder = run.parent / name
        try:
            values = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(
                "The run was forked from {name}, whose settings are not at {folder}; put that folder back.",
                name=name,
                folder=folder / CONFIG,
            ) from error
        chapters.append(Chapter(config=TrainConfig.from_dict(values), last_step=step))
        parent = read_run(folder).parent
    return chapters[::-1]


def changed_fields(before: "TrainConfig", after: "TrainConfig") -> dict[str, Any]:
    """The fields of `before`, its task's included, that differ in `after`, with their values before."""
    pairs = [(before, after), (before.task, after.task)]
    return {
        field.name: getattr(old, field.name)
        for old, new in pairs
        for field in dataclasses.fields(old)  # type: ignore[arg-type]
        if field.name not in ("task", "model") and getattr(old, field.name) != getattr(new, field.name, None)
    }
