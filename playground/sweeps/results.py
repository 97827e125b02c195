"""Results of a sweep: points.csv, a line for each finished cell, and curves.csv, the held-out loss during training."""

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from playground.csv_table import csv_table
from playground.sweeps.folder import Sweep
from playground.sweeps.grid import Cell
from playground.training.run.metrics import Metrics, join_metrics, read_metrics
from playground.training.run.paths import write_whole

POINTS = "points.csv"
CURVES = "curves.csv"
RATES = "rates.csv"
"""The results of the search that tuned the sweep's learning rates, in the columns of points.csv."""
LOSS = "held_out_loss"
FLOOR = "loss_floor"
BITS = "bits_per_byte"


@dataclass(frozen=True, kw_only=True)
class CellResult:
    """A finished cell, a line of points.csv."""

    run: str
    params: int
    params_without_embeddings: int
    tokens: int
    flops: int
    """Counted (`grid.flops_per_token`), not 6 N D."""
    loss: float
    """Held out, in nats per token."""
    seed: int
    width: int
    layers: int
    learning_rate: float
    floor: float | None = None
    """The lowest possible loss, the entropy of the held-out text, where it is known."""
    bits_per_byte: float | None = None
    """The same loss in bits per byte of the text, where tokens are made of bytes: it compares across vocabularies."""


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """The held-out loss of a run after a step, a line of curves.csv."""

    run: str
    step: int
    tokens: int
    loss: float


def result_of(cell: Cell, metrics: Metrics) -> CellResult | None:
    """The result of a finished cell; None where its last evaluation is missing."""
    if not len(metrics.evaluation_steps) or metrics.evaluation_steps[-1] != cell.config.steps:
        return None
    return CellResult(
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
        floor=_last(metrics, FLOOR),
        bits_per_byte=_last(metrics, BITS),
    )


def _last(metrics: Metrics, measure: str) -> float | None:
    """A measure at the last evaluation; None for a task without it."""
    values = metrics.evaluations.get(measure)
    return None if values is None else round(float(values[-1]), 6)


def curve_of(cell: Cell, metrics: Metrics) -> list[CurvePoint]:
    """The evaluations of a cell so far; those of a branch begin with its trunk's."""
    tokens_per_step = cell.tokens // cell.config.steps
    pairs = zip(metrics.evaluation_steps, metrics.evaluations.get(LOSS, ()), strict=True)
    return [
        CurvePoint(run=cell.name, step=int(step), tokens=int(step) * tokens_per_step, loss=round(float(loss), 6))
        for step, loss in pairs
    ]


def metrics_of(folder: Path) -> Metrics:
    """All metrics of a run folder."""
    metrics, offset = read_metrics(folder)
    while True:
        more, further = read_metrics(folder, offset)
        if further <= offset:
            return metrics
        metrics, offset = join_metrics(metrics, more), further


def write_results(sweep: Sweep) -> None:
    """Update points.csv and curves.csv; cells that stand there already are not read again."""
    results = {result.run: result for result in read_points_file(sweep.folder)}
    curves = curves_by_run(sweep.folder)
    for cell in sweep.finished():
        if cell.name in results and cell.name in curves:
            continue
        metrics = metrics_of(sweep.run_folder(cell))
        result = result_of(cell, metrics)
        if result is not None:
            results[cell.name], curves[cell.name] = result, curve_of(cell, metrics)
    finished = [cell.name for cell in sweep.cells if cell.name in results]
    points = [point for name in finished for point in curves[name]]
    write_tables(sweep.folder, [results[name] for name in finished], points)


def write_tables(folder: Path, results: Iterable[CellResult], curves: Iterable[CurvePoint]) -> None:
    """Write points.csv and curves.csv."""
    write_whole(folder / POINTS, _table(CellResult, results))
    write_whole(folder / CURVES, _table(CurvePoint, curves))


def write_search(folder: Path, results: Iterable[CellResult]) -> None:
    """Write rates.csv."""
    write_whole(folder / RATES, _table(CellResult, results))


def read_points_file(folder: Path, name: str = POINTS) -> list[CellResult]:
    """The results in a sweep folder, or with RATES those of its search; damaged lines are left out."""
    results = []
    for row in _rows(folder / name):
        try:
            results.append(
                CellResult(
                    run=row["run"],
                    loss=float(row["loss"]),
                    learning_rate=float(row["learning_rate"]),
                    **{name: int(row[name]) for name in COUNTS},
                    floor=_optional(row, "floor"),
                    bits_per_byte=_optional(row, "bits_per_byte"),
                )
            )
        except (KeyError, ValueError, TypeError):
            continue
    return results


def _optional(row: dict[str, str], column: str) -> float | None:
    """A number that not every task has, in a column that older files lack."""
    return float(row[column]) if row.get(column) else None


COUNTS = ("params", "params_without_embeddings", "tokens", "flops", "seed", "width", "layers")


def read_curves_file(folder: Path) -> list[CurvePoint]:
    """The curves in a sweep folder, one evaluation after another; damaged lines are left out."""
    points = []
    for row in _rows(folder / CURVES):
        try:
            step, tokens, loss = int(row["step"]), int(row["tokens"]), float(row["loss"])
            points.append(CurvePoint(run=row["run"], step=step, tokens=tokens, loss=loss))
        except (KeyError, ValueError, TypeError):
            continue
    return points


def curves_by_run(folder: Path) -> dict[str, list[CurvePoint]]:
    """The curves in a sweep folder by run, each run's evaluations in order."""
    curves: dict[str, list[CurvePoint]] = {}
    for point in read_curves_file(folder):
        curves.setdefault(point.run, []).append(point)
    return curves


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    except OSError:
        return []


def _table(kind: type[CellResult] | type[CurvePoint], records: Iterable[CellResult | CurvePoint]) -> str:
    return csv_table([[field.name for field in fields(kind)], *map(astuple, records)], guard=False)
