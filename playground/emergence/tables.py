"""Measured checkpoints, their tables as CSV, and the tables in assets/emergence. Needs no torch."""

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.csv_table import csv_table, skip_comments
from playground.emergence.metrics import columns_of
from playground.errors import UserError
from playground.folders import assets_folder

FOLDER = assets_folder() / "emergence"
PROVENANCE_FILE = "made.json"
ID_COLUMNS = ("run", "parameters", "width", "seed", "step")
"""The columns that identify a checkpoint; all others are metrics."""


@dataclass(frozen=True, kw_only=True)
class MeasuredCheckpoint:
    """A run's model at one step, with its metrics."""

    run: str
    parameters: int
    """All of them, embeddings included."""
    width: int
    seed: int
    step: int
    metrics: dict[str, float]
    """By name; NaN where not known."""


def write_checkpoints(checkpoints: Sequence[MeasuredCheckpoint]) -> str:
    """CSV with one row per checkpoint, metrics with six significant digits. Raises UserError where metrics differ."""
    names = list(checkpoints[0].metrics) if checkpoints else []
    if any(checkpoint.metrics.keys() != set(names) for checkpoint in checkpoints):
        raise UserError("Checkpoints with different metrics cannot share a table.")
    rows: list[list[object]] = [[*ID_COLUMNS, *names]]
    for checkpoint in checkpoints:
        values = _digits(checkpoint.metrics[name] for name in names)
        rows.append([*(getattr(checkpoint, column) for column in ID_COLUMNS), *values])
    return csv_table(rows, guard=False)


def _digits(values: Iterable[float]) -> list[str]:
    return [f"{value:.6g}" if math.isfinite(value) else "" for value in values]


def read_checkpoints(text: str) -> tuple[MeasuredCheckpoint, ...]:
    """Parse such a CSV; an empty field is NaN. Raises UserError, naming the line, for a malformed row."""
    skipped, text = skip_comments(text)
    reader = csv.reader(io.StringIO(text))
    header = next(reader, [])
    if tuple(header[: len(ID_COLUMNS)]) != ID_COLUMNS:
        raise UserError(
            "The table of checkpoints must begin with the columns {columns}.", columns=", ".join(ID_COLUMNS)
        )
    names, checkpoints = header[len(ID_COLUMNS) :], []
    for number, fields in enumerate(reader, start=skipped + 2):
        try:
            checkpoints.append(_checkpoint(fields, names))
        except ValueError as error:
            raise UserError(
                "Line {number} of the table of checkpoints cannot be read: {error}.", number=number, error=error
            ) from error
    return tuple(checkpoints)


def _checkpoint(fields: Sequence[str], names: Sequence[str]) -> MeasuredCheckpoint:
    run, *counts = fields[: len(ID_COLUMNS)]
    parameters, width, seed, step = map(int, counts)
    values = [float(field) if field else math.nan for field in fields[len(ID_COLUMNS) :]]
    metrics = dict(zip(names, values, strict=True))
    return MeasuredCheckpoint(run=run, parameters=parameters, width=width, seed=seed, step=step, metrics=metrics)


def runs_of(checkpoints: Sequence[MeasuredCheckpoint]) -> dict[str, list[MeasuredCheckpoint]]:
    """Checkpoints by run: runs ordered by size, then seed; checkpoints by step."""
    runs: dict[str, list[MeasuredCheckpoint]] = {}
    for checkpoint in sorted(checkpoints, key=lambda other: (other.parameters, other.run, other.seed, other.step)):
        runs.setdefault(checkpoint.run, []).append(checkpoint)
    return runs


def last_of_each(checkpoints: Sequence[MeasuredCheckpoint]) -> list[MeasuredCheckpoint]:
    """The last checkpoint of each run, the smallest model first."""
    return [run[-1] for run in runs_of(checkpoints).values()]


def table_path(study: str, folder: Path) -> Path:
    """The CSV of a study in a folder."""
    return folder / f"{study}.csv"


def read_study(study: str, folder: Path | None = None) -> tuple[MeasuredCheckpoint, ...]:
    """The checkpoints of a study, by default the shipped ones.

    Raises UserError, with the command that builds it, where the table is missing, damaged or incomplete.
    """
    path = table_path(study, folder or FOLDER)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        command = f"python -m playground emergence --study {study} --out {path.parent.name}"
        raise UserError(
            "The table {name} is missing or unreadable. Build it with `{command}`.", name=path.name, command=command
        ) from error
    checkpoints = read_checkpoints(text)
    if not checkpoints:
        raise UserError("The table {name} holds no checkpoints; build it again.", name=path.name)
    missing = [name for name in columns_of(study) if name not in checkpoints[0].metrics]
    if missing:
        raise UserError(
            "The table {name} lacks the columns {columns}; build it again.", name=path.name, columns=", ".join(missing)
        )
    return checkpoints


def read_study_provenance(study: str, folder: Path | None = None) -> dict[str, str]:
    """How a study's table was made: command, versions, machine; empty where that is not known."""
    try:
        made: dict[str, Any] = json.loads(((folder or FOLDER) / PROVENANCE_FILE).read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in made[study].items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}
