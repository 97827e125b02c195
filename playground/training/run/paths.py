"""The names of the files in a run folder, and how small files are written. Needs no torch."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from playground.folders import CHECKPOINTS

CONFIG = "config.json"
ABOUT = "about.json"
STATUS = "status.json"
METRICS = "metrics.jsonl"
SAMPLES = "samples.jsonl"
RATES = "rates.jsonl"
CONTROL = "control.jsonl"
CONTROL_READ = "control.json"
FILM = "film"
RESUME = "resume"
PREPARED = "prepared.json"
"""Written last: the files of the task are complete."""
RESERVE = ".reserve"
STAGING = ".part"
RUN_FILES = (CONFIG, ABOUT, STATUS, METRICS, SAMPLES, RATES, CONTROL, CONTROL_READ, CHECKPOINTS, FILM, RESERVE)
"""The files of the run itself; every other file in its folder was saved by the task."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)


def checkpoint_folders(folder: Path) -> list[Path]:
    """The checkpoints, oldest first; one that a kill left unfinished has more than digits in its name."""
    complete = [path for path in (folder / CHECKPOINTS).glob("*") if path.name.isdecimal()]
    return sorted(complete, key=lambda path: int(path.name))


def checkpoint_steps(folder: Path) -> tuple[int, ...]:
    """The steps that have a checkpoint; run/<id>/<step> loads one as a model."""
    return tuple(int(path.name) for path in checkpoint_folders(folder))


def frame_files(folder: Path) -> list[Path]:
    """The frames of the film, oldest first."""
    complete = [path for path in (folder / FILM).glob("*.npz") if path.stem.isdecimal()]
    return sorted(complete, key=lambda path: int(path.stem))


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a small JSON file whole or not at all."""
    write_whole(path, json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a text file under another name and move it into place."""
    staging = path.with_name(path.name + STAGING)
    try:
        staging.write_text(text, encoding="utf-8", newline="\n")
        os.replace(staging, path)
    except OSError:
        staging.unlink(missing_ok=True)
        raise


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty if the file is missing, damaged or holds something else."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def json_objects(content: bytes) -> list[dict[str, Any]]:
    """The lines that are JSON objects with a step; damaged lines are skipped."""
    objects = []
    for line in content.split(b"\n"):
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(values, dict) and _is_step(values.get("step")):
            objects.append(values)
    return objects


def _is_step(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def step_of(line: str | bytes) -> float:
    """The step of a line of metrics or samples; infinity for a line that a kill cut short."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return float("inf")


def discard_after(folder: Path, step: int) -> None:
    """Delete the lines, frames and checkpoints of later steps: they will be written again."""
    for name in (METRICS, SAMPLES):
        path = folder / name
        if path.exists():
            # A kill may have cut a character in two; str.splitlines would also split at separators within a sample.
            lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
            write_whole(path, "".join(line + "\n" for line in lines if step_of(line) <= step))
    for frame in frame_files(folder):
        if int(frame.stem) > step:
            frame.unlink()
    for checkpoint in checkpoint_folders(folder):
        if int(checkpoint.name) > step:
            shutil.rmtree(checkpoint)


def bytes_in(folder: Path) -> int:
    """The size of all files below a folder; a file that vanishes meanwhile is skipped."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except OSError:
                continue
    return total


def is_run_id(run_id: str) -> bool:
    """Whether a string can be a run's id: letters, digits, - and _, so that it never leads out of the root."""
    return _ID.fullmatch(run_id) is not None
