"""The runs below a folder: what each is, renaming and deleting them; reading.py reads what grows in them.

Needs no torch: a page polls these.
"""

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.errors import UserError
from playground.training.run.metrics import (
    FilmProbe,
    Frame,
    Metrics,
    frame_steps,
    joined,
    read_film,
    read_frame,
    read_metrics,
    read_probe,
    read_samples,
)
from playground.training.run.paths import ABOUT, CONFIG, is_run_id, read_json, snapshots, write_json
from playground.training.run.status import Status, observed_status

__all__ = [
    "FilmProbe",
    "Frame",
    "Metrics",
    "Run",
    "delete",
    "frame_steps",
    "joined",
    "list_runs",
    "read_film",
    "read_frame",
    "read_metrics",
    "read_probe",
    "read_run",
    "read_samples",
    "rename",
    "run_path",
    "snapshot_steps",
    "write_about",
]

LONGEST_NAME = 100
TRASH = ".deleted-"


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as its folder tells it. config is the TrainConfig as a dictionary (TrainConfig.from_dict reads it).

    created is in seconds since 1970; parent is the run and the step that it was forked from.
    """

    id: str
    folder: Path
    name: str
    task: str
    config: dict[str, Any]
    status: Status
    created: float
    parent: tuple[str, int] | None = None

    @property
    def steps(self) -> int:
        """How many steps it is meant to have; 0 where its config does not say."""
        steps = self.config.get("steps")
        return steps if isinstance(steps, int) else 0


def run_path(root: Path, run_id: str) -> Path:
    """The folder of a run below the root. Raises UserError where there is none, or it is a link to elsewhere."""
    folder = root / run_id
    if not is_run_id(run_id) or folder.is_symlink() or not folder.is_dir():
        raise UserError("There is no such run here; it may have been deleted.")
    return folder


def read_run(folder: Path) -> Run:
    """What a run folder says about its run. Raises UserError where it is gone or holds no configuration."""
    config = read_json(folder / CONFIG)
    if not config:
        reason = "has no configuration that can be read" if folder.is_dir() else "is gone"
        raise UserError("The run folder {name} {reason}.", name=folder.name, reason=reason)
    about, task, parent = read_json(folder / ABOUT), config.get("task"), None
    if isinstance(about.get("parent"), str) and isinstance(about.get("parent_step"), int):
        parent = (about["parent"], about["parent_step"])
    created = about.get("created")
    name = about.get("name")
    return Run(
        id=folder.name,
        folder=folder,
        name=name if isinstance(name, str) and name else folder.name,
        task=str(task.get("name", "")) if isinstance(task, dict) else "",
        config=config,
        status=observed_status(folder),
        created=float(created) if isinstance(created, int | float) else _written_at(folder / CONFIG),
        parent=parent,
    )


def _written_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def list_runs(root: Path) -> list[Run]:
    """All runs below the root, the newest first; folders that are no runs are passed over."""
    found = []
    try:
        folders = [Path(entry.path) for entry in os.scandir(root) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    for folder in folders:
        try:
            if is_run_id(folder.name):
                found.append(read_run(folder))
        except UserError:
            continue
    return sorted(found, key=lambda run: run.created, reverse=True)


def snapshot_steps(folder: Path) -> tuple[int, ...]:
    """The steps that a snapshot is there for; run/<id>/<step> loads one as a model."""
    return tuple(int(path.name) for path in snapshots(folder))


def write_about(folder: Path, name: str, parent: tuple[str, int] | None = None) -> None:
    """Write what a new run is called and where it comes from."""
    values: dict[str, Any] = {"name": checked_name(name), "created": time.time()}
    if parent is not None:
        values |= {"parent": parent[0], "parent_step": parent[1]}
    write_json(folder / ABOUT, values)


def checked_name(name: str) -> str:
    """The name on one line. Raises UserError for an empty or an over-long one."""
    plain = " ".join(name.split())
    if not plain or len(plain) > LONGEST_NAME:
        raise UserError(
            "A run's name has 1 to {longest_name} characters; this one has {n_plain}.",
            longest_name=LONGEST_NAME,
            n_plain=len(plain),
        )
    return plain


def rename(root: Path, run_id: str, name: str) -> None:
    """Give a run another name. Raises UserError where that cannot be."""
    folder = run_path(root, run_id)
    run = read_run(folder)
    try:
        values = {"created": run.created, **read_json(folder / ABOUT), "name": checked_name(name)}
        write_json(folder / ABOUT, values)
    except OSError as error:
        raise UserError("The run cannot be renamed: {reason}.", reason=error.strerror) from error


def delete(root: Path, run_id: str) -> None:
    """Delete a run and its folder; a worker that is at work in it finds it gone and ends.

    Raises UserError where there is no such run below the root; links are never followed.
    """
    folder = run_path(root, run_id)
    if not (folder / CONFIG).is_file():
        raise UserError("{run_id} is no run's folder, so it was left alone.", run_id=run_id)
    trash = root / f"{TRASH}{run_id}"
    try:
        # Moved away first: at no moment is there half a run.
        os.replace(folder, trash)
        shutil.rmtree(trash)
    except OSError as error:
        raise UserError("The run cannot be deleted: {reason}.", reason=error.strerror) from error
