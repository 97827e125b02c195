"""What was measured of a checkpoint, and tables of such rows as CSV. Needs no torch."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from playground.errors import UserError

WHERE = ("run", "parameters", "width", "seed", "step")
"""The columns that say which checkpoint it is; all others are measures."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A run's model after a step, and its measures by name. parameters: all of them, embeddings too."""

    run: str
    parameters: int
    width: int
    seed: int
    step: int
    measures: dict[str, float]


def write_table(checkpoints: Sequence[Checkpoint]) -> str:
    """The rows as CSV, the measures with six significant digits. Raises UserError where their measures differ."""
    names = list(checkpoints[0].measures) if checkpoints else []
    if any(row.measures.keys() != set(names) for row in checkpoints):
        raise UserError("Checkpoints with different measures do not stand in one table.")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*WHERE, *names])
    for row in checkpoints:
        values = [row.measures[name] for name in names]
        writer.writerow([row.run, row.parameters, row.width, row.seed, row.step, *_digits(values)])
    return text.getvalue()


def _digits(values: Iterable[float]) -> list[str]:
    return [f"{value:.6g}" if math.isfinite(value) else "" for value in values]


def read_table(text: str) -> tuple[Checkpoint, ...]:
    """The rows of a CSV; an empty cell is nan. Raises UserError, with the line, for what cannot be read."""
    rows = csv.reader(io.StringIO(text))
    header = next(rows, [])
    if tuple(header[: len(WHERE)]) != WHERE:
        raise UserError("The table of checkpoints has to begin with the columns {where}.", where=", ".join(WHERE))
    names, found = header[len(WHERE) :], []
    for number, row in enumerate(rows, start=2):
        try:
            found.append(_checkpoint(row, names))
        except ValueError as error:
            raise UserError(
                "Line {number} of the table of checkpoints cannot be read: {error}.", number=number, error=error
            ) from error
    return tuple(found)


def _checkpoint(row: Sequence[str], names: Sequence[str]) -> Checkpoint:
    run, *where = row[: len(WHERE)]
    parameters, width, seed, step = map(int, where)
    values = [float(cell) if cell else math.nan for cell in row[len(WHERE) :]]
    measures = dict(zip(names, values, strict=True))
    return Checkpoint(run=run, parameters=parameters, width=width, seed=seed, step=step, measures=measures)


def runs_of(checkpoints: Sequence[Checkpoint]) -> dict[str, list[Checkpoint]]:
    """The checkpoints of each run, in the order of their steps; the runs by size, then by seed."""
    ordered = sorted(checkpoints, key=lambda row: (row.parameters, row.run, row.seed, row.step))
    runs: dict[str, list[Checkpoint]] = {}
    for row in ordered:
        runs.setdefault(row.run, []).append(row)
    return runs


def last_of_each(checkpoints: Sequence[Checkpoint]) -> list[Checkpoint]:
    """The last checkpoint of each run, the smallest model first."""
    return [rows[-1] for rows in runs_of(checkpoints).values()]
