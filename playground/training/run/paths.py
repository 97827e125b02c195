"""What lies where in a run folder, and how its small files are written. Needs no torch."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

CONFIG = "config.json"
ABOUT = "about.json"
STATUS = "status.json"
METRICS = "metrics.jsonl"
SAMPLES = "samples.jsonl"
RATES = "rates.jsonl"
CONTROL = "control.jsonl"
CONTROL_READ = "control.json"
SNAPSHOTS = "snapshots"
FILM = "film"
RESUME = "resume"
PREPARED = "prepared.json"
"""Written once the task's files are all there."""
RESERVE = ".reserve"
STAGING = ".part"
OF_A_RUN = (CONFIG, ABOUT, STATUS, METRICS, SAMPLES, RATES, CONTROL, CONTROL_READ, SNAPSHOTS, FILM, RESERVE)
"""What a run's folder holds besides the files that the task saved."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)


def step_name(step: int) -> str:
    """The name of what belongs to a step: 000500."""
    return f"{step:06d}"


def snapshots(folder: Path) -> list[Path]:
    """The snapshots, oldest first; what a kill left half written has a name with more than digits."""
    found = [path for path in (folder / SNAPSHOTS).glob("*") if path.name.isdecimal()]
    return sorted(found, key=lambda path: int(path.name))


def frames(folder: Path) -> list[Path]:
    """The film's frames, oldest first."""
    found = [path for path in (folder / FILM).glob("*.npz") if path.stem.isdecimal()]
    return sorted(found, key=lambda path: int(path.stem))


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
    """The object in a JSON file; empty where the file is missing, damaged or something else."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def step_of(line: str | bytes) -> float:
    """The step of a line of metrics or samples; a line that a kill cut short counts as later than any."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return float("inf")


def forget_after(folder: Path, step: int) -> None:
    """Drop the lines, frames and snapshots of later steps, which are taken again."""
    for name in (METRICS, SAMPLES):
        path = folder / name
        if path.exists():
            # A kill may have cut a character in two; str.splitlines would also cut at the separators inside a sample.
            lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
            write_whole(path, "".join(line + "\n" for line in lines if step_of(line) <= step))
    for frame in frames(folder):
        if int(frame.stem) > step:
            frame.unlink()
    for snapshot in snapshots(folder):
        if int(snapshot.name) > step:
            shutil.rmtree(snapshot)


def bytes_in(folder: Path) -> int:
    """The size of all files below a folder; what vanishes meanwhile counts as nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except OSError:
                continue
    return total


def is_run_id(run_id: str) -> bool:
    """Whether a word can be a run's id: letters, digits, - and _; so it never leads out of the root."""
    return _ID.fullmatch(run_id) is not None
