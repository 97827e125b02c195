"""What a model's name is: a snapshot of a training run, a path, or (all the rest) a catalogue name or hub id."""

import re
from pathlib import Path

from playground.errors import UserError
from playground.models.cache import is_complete, runs_folder

_RUN = re.compile(r"run/([A-Za-z0-9_-]{1,100})/([0-9]{1,9})", re.ASCII)


def is_run_name(name: str) -> bool:
    """Whether a name is meant for a snapshot of a training run, run/<id>/<step>. A hub id has one slash only."""
    return name.strip().startswith("run/") and name.count("/") > 1


def snapshot_folder(name: str) -> Path:
    """The folder that run/<id>/<step> names. Raises UserError where there is none."""
    found = _RUN.fullmatch(name.strip())
    if found is None:
        raise UserError("{name} names no snapshot; write run/, the run's id, a slash and the step's number.", name=name)
    run = runs_folder() / found[1]
    if not run.is_dir():
        raise UserError("There is no training run {found} here; it may have been deleted.", found=found[1])
    folder = run / "snapshots" / f"{int(found[2]):06d}"
    if not is_complete(folder):
        raise UserError("The run has no snapshot of step {found}; choose a step that was saved.", found=int(found[2]))
    return folder


def written_at(name: str) -> int:
    """When the snapshot that run/<id>/<step> names was written, in nanoseconds; 0 for every other name."""
    try:
        return (snapshot_folder(name) / "model.safetensors").stat().st_mtime_ns if is_run_name(name) else 0
    except (UserError, OSError):
        return 0


def looks_like_path(name: str) -> bool:
    """Whether `load` takes a name for a path; hub ids have at most one slash and do not begin with these."""
    if is_run_name(name):
        return False
    marked = name.startswith((".", "/", "~")) or "\\" in name or name.count("/") > 1
    return marked or Path(name).is_file() or Path(name).is_dir()
