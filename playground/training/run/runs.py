"""The runs below a folder: list, read, rename and delete them. Needs no torch: a page polls these."""

import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.errors import UserError
from playground.legacy_names import modernise_run_config
from playground.training.run.paths import ABOUT, CONFIG, is_run_id, read_json, write_json
from playground.training.run.status import Status, observed_status

LONGEST_NAME = 100
ASIDE = ".deleted-"
"""What the folder of a deleted run is called while the deletion can be undone."""
UNDO_SECONDS = 600.0
UNDO_KEPT = 50
"""So many deleted runs are kept at most."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as its folder describes it."""

    id: str
    folder: Path
    name: str
    task: str
    config: dict[str, Any]
    """The TrainConfig as a dictionary, in today's spelling; TrainConfig.from_dict reads it."""
    status: Status
    created: float
    """In seconds since 1970."""
    parent: tuple[str, int] | None = None
    """The run and the step that it was forked from."""
    owner: str | None = None
    """The visitor of a shared server who started it; None where nobody was asked."""

    @property
    def base(self) -> str:
        """The model that a fine-tuning began with; empty for a training from random weights."""
        base = self.config.get("base")
        return base if isinstance(base, str) else ""

    @property
    def steps(self) -> int:
        """The number of steps it is meant to have; 0 if its config does not say."""
        steps = self.config.get("steps")
        return steps if isinstance(steps, int) else 0


def run_path(root: Path, run_id: str) -> Path:
    """The folder of a run below the root. Raises UserError if there is none, or it is a link to elsewhere."""
    folder = root / run_id
    if not is_run_id(run_id) or folder.is_symlink() or not folder.is_dir():
        raise UserError("There is no such run here; it may have been deleted.")
    return folder


def read_run(folder: Path) -> Run:
    """The run in a folder. Raises UserError if the folder is gone or holds no configuration."""
    config = modernise_run_config(read_json(folder / CONFIG))
    if not config and folder.is_dir():
        raise UserError("The run folder {name} has no configuration that can be read.", name=folder.name)
    if not config:
        raise UserError("The run folder {name} is gone.", name=folder.name)
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
        owner=owner_of(folder.parent, folder.name),
    )


def _written_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def owner_of(root: Path, run_id: str) -> str | None:
    """The visitor who started a run; None where nobody was asked, or where there is no such run."""
    owner = read_json(root / run_id / ABOUT).get("owner") if is_run_id(run_id) else None
    return owner if isinstance(owner, str) else None


def list_runs(root: Path) -> list[Run]:
    """All runs below the root, newest first; other folders are skipped."""
    runs = []
    try:
        folders = [Path(entry.path) for entry in os.scandir(root) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    for folder in folders:
        try:
            if is_run_id(folder.name):
                runs.append(read_run(folder))
        except UserError:
            continue
    return sorted(runs, key=lambda run: run.created, reverse=True)


def write_about(folder: Path, name: str, parent: tuple[str, int] | None = None, *, owner: str | None = None) -> None:
    """Write the name of a new run, its owner, and the run and step that it was forked from."""
    values: dict[str, Any] = {"name": checked_name(name), "created": time.time()}
    if owner is not None:
        values |= {"owner": owner}
    if parent is not None:
        values |= {"parent": parent[0], "parent_step": parent[1]}
    write_json(folder / ABOUT, values)


def checked_name(name: str) -> str:
    """The name on one line. Raises UserError for an empty or an over-long one."""
    plain = " ".join(name.split())
    if not plain or len(plain) > LONGEST_NAME:
        raise UserError(
            "A run's name has 1 to {longest} characters; this one has {length}.",
            longest=LONGEST_NAME,
            length=len(plain),
        )
    return plain


def free_name(title: str, taken: Iterable[str], *, is_typed: bool = False) -> str:
    """A name that no other run has: the title with the next number; a typed name as it is while it is free.

    >>> free_name("Copy", []), free_name("Copy", ["Copy 1", "Copy 4"])
    ('Copy 1', 'Copy 5')
    >>> free_name("mine", ["Copy 1"], is_typed=True), free_name("mine", ["mine"], is_typed=True)
    ('mine', 'mine 2')
    """
    names = {" ".join(name.split()) for name in taken}
    title = " ".join(title.split())
    if is_typed and title not in names:
        return title
    ends = [name[len(title) + 1 :] for name in names if name.startswith(f"{title} ")]
    first = 2 if is_typed or title in names else 1
    number = max([first - 1, *(int(end) for end in ends if end.isascii() and end.isdecimal())]) + 1
    while (name := f"{title[: LONGEST_NAME - len(str(number)) - 1]} {number}") in names:
        number += 1
    return name


def rename(root: Path, run_id: str, name: str) -> None:
    """Give a run another name. Raises UserError if that cannot be."""
    folder = run_path(root, run_id)
    run = read_run(folder)
    try:
        values = {"created": run.created, **read_json(folder / ABOUT), "name": checked_name(name)}
        write_json(folder / ABOUT, values)
    except OSError as error:
        raise UserError("The run cannot be renamed: {reason}.", reason=error.strerror) from error


def delete(root: Path, run_id: str) -> None:
    """Delete a run and its folder for good; a worker in it finds the folder gone and ends.

    Raises UserError if there is no such run below the root; links are never followed.
    """
    set_aside(root, run_id)
    delete_aside(root, run_id)


def delete_aside(root: Path, run_id: str) -> None:
    """Delete for good a run that was set aside. Raises UserError if the disk refuses."""
    aside = root / f"{ASIDE}{run_id}"
    if not is_run_id(run_id) or not aside.is_dir():
        return
    try:
        shutil.rmtree(aside)
    except OSError as error:
        raise UserError("The run cannot be deleted: {reason}.", reason=error.strerror) from error


def set_aside(root: Path, run_id: str) -> None:
    """Delete a run so that `restore` can bring it back, for UNDO_SECONDS; a worker in it ends.

    Raises UserError if there is no such run below the root.
    """
    folder = run_path(root, run_id)
    if not (folder / CONFIG).is_file():
        raise UserError("{run_id} is no run's folder, so it was left alone.", run_id=run_id)
    aside = root / f"{ASIDE}{run_id}"
    try:
        shutil.rmtree(aside, ignore_errors=True)
        os.replace(folder, aside)  # in one step: half a run is never seen
        os.utime(aside)
    except OSError as error:
        raise UserError("The run cannot be deleted: {reason}.", reason=error.strerror) from error


def restore(root: Path, run_id: str) -> None:
    """Bring back a run that was set aside. Raises UserError if it is gone for good."""
    aside = root / f"{ASIDE}{run_id}"
    if not is_run_id(run_id) or not aside.is_dir() or (root / run_id).exists():
        raise UserError("This run was deleted for good.")
    try:
        os.replace(aside, root / run_id)
    except OSError as error:
        raise UserError("The run cannot be brought back: {reason}.", reason=error.strerror) from error


def runs_aside(root: Path) -> dict[str, str]:
    """The names of the runs that can be brought back, by id, the last deleted first."""
    names = {}
    for folder in sorted(_folders_aside(root), key=_written_at, reverse=True):
        about = read_json(folder / ABOUT)
        run_id = folder.name.removeprefix(ASIDE)
        names[run_id] = str(about.get("name") or run_id)
    return names


def purge(root: Path, *, seconds: float = UNDO_SECONDS, kept: int = UNDO_KEPT) -> None:
    """Delete for good what was set aside longer ago, and all but the last few."""
    folders = sorted(_folders_aside(root), key=_written_at, reverse=True)
    for index, folder in enumerate(folders):
        if index >= kept or time.time() - _written_at(folder) >= seconds:
            shutil.rmtree(folder, ignore_errors=True)


def _folders_aside(root: Path) -> list[Path]:
    return [path for path in root.glob(f"{ASIDE}*") if path.is_dir() and not path.is_symlink()]
