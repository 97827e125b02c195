"""What a sweep found: points.csv, a line for each finished cell, and curves.csv, the held-out loss on the way."""

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from playground.sweeps.folder import Sweep
from playground.sweeps.grid import Cell
from playground.training.run.metrics import Metrics, joined, read_metrics
from playground.training.run.paths import write_whole

POINTS = "points.csv"
CURVES = "curves.csv"
LOSS = "held_out_loss"
FLOOR = "loss_floor"


@dataclass(frozen=True, kw_only=True)
class Point:
    """A finished cell. loss is held out, in nats per token; floor is the lowest possible one, where it is known.

    flops are counted (design.py), not 6 * params * tokens.
    """

    run: str
    params: int
    params_without_embeddings: int
    tokens: int
    flops: int
    loss: float
    seed: int
    width: int
    layers: int
    learning_rate: float
    floor: float | None = None


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """The held-out loss of a run after a step."""

    run: str
    step: int
    tokens: int
    loss: float


def point_of(cell: Cell, metrics: Metrics) -> Point | None:
    """The point of a finished cell; None where its last evaluation is missing."""
    if not len(metrics.evaluation_steps) or metrics.evaluation_steps[-1] != cell.config.steps:
        return None
    floors = metrics.evaluations.get(FLOOR)
    return Point(
        run=cell.name,
        params=cell.parameters,
        params_without_embeddings=cell.parameters_without_embeddings,
        tokens=cell.tokens,
        flops=cell.flops,
        loss=round(float(metrics.evaluations[LOSS][-1]), 6),
        seed=cell.config.seed,
        width=cell.config.model.width,
        layers=cell.config.model.layers,
        learning_rate=cell.config.learning_rate,
        floor=None if floors is None else round(float(floors[-1]), 6),
    )


def curve_of(cell: Cell, metrics: Metrics) -> list[CurvePoint]:
    """The evaluations of a cell so far; a branch's begin with its trunk's."""
    each = cell.tokens // cell.config.steps
    pairs = zip(metrics.evaluation_steps, metrics.evaluations.get(LOSS, ()), strict=True)
    return [
        CurvePoint(run=cell.name, step=int(step), tokens=int(step) * each, loss=round(float(loss), 6))
        for step, loss in pairs
    ]


def metrics_of(folder: Path) -> Metrics:
    """All metrics of a run folder."""
    found, offset = read_metrics(folder)
    while True:
        more, further = read_metrics(folder, offset)
        if further <= offset:
            return found
        found, offset = joined(found, more), further


def write_results(sweep: Sweep) -> None:
    """Write points.csv and curves.csv anew: cells that stand there are not read again."""
    points = {point.run: point for point in read_points_file(sweep.folder)}
    curves = curves_by_run(sweep.folder)
    for cell in sweep.finished():
        if cell.name in points and cell.name in curves:
            continue
        metrics = metrics_of(sweep.run_folder(cell))
        point = point_of(cell, metrics)
        if point is not None:
            points[cell.name], curves[cell.name] = point, curve_of(cell, metrics)
    known = [cell.name for cell in sweep.cells if cell.name in points]
    write_tables(sweep.folder, [points[name] for name in known], [one for name in known for one in curves[name]])


def write_tables(folder: Path, points: Iterable[Point], curves: Iterable[CurvePoint]) -> None:
    """Write points.csv and curves.csv."""
    write_whole(folder / POINTS, _table(Point, points))
    write_whole(folder / CURVES, _table(CurvePoint, curves))


def read_points_file(folder: Path) -> list[Point]:
    """The points of a sweep folder; a line that is damaged is left out."""
    found = []
    for row in _rows(folder / POINTS):
        try:
            found.append(
                Point(
                    run=row["run"],
                    loss=float(row["loss"]),
                    learning_rate=float(row["learning_rate"]),
                    floor=float(row["floor"]) if row["floor"] else None,
                    **{name: int(row[name]) for name in COUNTS},
                )
            )
        except (KeyError, ValueError, TypeError):
            continue
    return found


COUNTS = ("params", "params_without_embeddings", "tokens", "flops", "seed", "width", "layers")


def read_curves_file(folder: Path) -> list[CurvePoint]:
    """The curves of a sweep folder, one evaluation after another; a line that is damaged is left out."""
    found = []
    for row in _rows(folder / CURVES):
        try:
            step, tokens, loss = int(row["step"]), int(row["tokens"]), float(row["loss"])
            found.append(CurvePoint(run=row["run"], step=step, tokens=tokens, loss=loss))
        except (KeyError, ValueError, TypeError):
            continue
    return found


def curves_by_run(folder: Path) -> dict[str, list[CurvePoint]]:
    """The curves of a sweep folder, each run's evaluations in order."""
    found: dict[str, list[CurvePoint]] = {}
    for one in read_curves_file(folder):
        found.setdefault(one.run, []).append(one)
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    except OSError:
        return []


def _table(kind: type[Point] | type[CurvePoint], records: Iterable[Point | CurvePoint]) -> str:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow([field.name for field in fields(kind)])
    writer.writerows(["" if value is None else value for value in astuple(record)] for record in records)
    return written.getvalue()
