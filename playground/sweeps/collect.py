"""Collecting what sweeps found, without their runs: one sweep, or several that belong together, in one folder."""

import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.errors import UserError
from playground.sweeps.card import CARD, Origin, card_of, origin_of, origins_in
from playground.sweeps.folder import SWEEP, Sweep, find_sweep
from playground.sweeps.grid import SweepConfig, cells
from playground.sweeps.results import (
    CurvePoint,
    Point,
    curves_by_run,
    read_points_file,
    write_results,
    write_tables,
)
from playground.training.run.paths import write_json, write_whole

VARIED = ("sizes", "tokens", "flops", "seeds")
"""In what sweeps may differ that are joined."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one folder holds."""

    folder: Path
    config: SweepConfig
    points: list[Point]
    curves: dict[str, list[CurvePoint]]
    origins: list[Origin]


def collect(folders: Sequence[Path], target: Path) -> Path:
    """Write what sweeps found: sweep.json, points.csv, curves.csv and card.md. Returns the target.

    The sweeps may differ in sizes, budgets and seeds; each is one with its runs, or one that was collected before.
    Raises UserError where a folder holds no sweep or no finished cell, they differ in more, one run has two results,
    or the target cannot be written.
    """
    try:
        parts = [_part(folder) for folder in folders]
        config = functools.reduce(_joined, (part.config for part in parts))
        points, curves = _merged(parts)
        # In the order of the joined design, as if it had been trained in one go.
        ordered = [points[cell.name] for cell in cells(config) if cell.name in points]
        target.mkdir(parents=True, exist_ok=True)
        write_tables(target, ordered, [one for point in ordered for one in curves[point.run]])
        write_json(target / SWEEP, config.to_dict())
        origins = [origin for part in parts for origin in part.origins]
        write_whole(target / CARD, card_of(config, ordered, origins))
    except OSError as error:
        raise UserError(
            "The sweep cannot be collected into {target}: {reason}.", target=target, reason=error.strerror or error
        ) from error
    return target


def _part(folder: Path) -> Part:
    sweep = find_sweep(folder)
    has_runs = any(sweep.run_folder(cell).is_dir() for cell in sweep.cells)
    if has_runs:
        write_results(sweep)
    points = read_points_file(folder)
    if not points:
        raise UserError("No cell of the sweep in {folder} has finished yet.", folder=folder)
    return Part(
        folder=folder,
        config=sweep.config,
        points=points,
        curves=curves_by_run(folder),
        origins=_origins(sweep, points, has_runs=has_runs),
    )


def _origins(sweep: Sweep, points: list[Point], *, has_runs: bool) -> list[Origin]:
    seeds = sorted({point.seed for point in points})
    title = f"{len(points)} runs of seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
    if has_runs:
        return [origin_of(sweep, title)]
    return origins_in((sweep.folder / CARD).read_text(encoding="utf-8"), title)


def _joined(one: SweepConfig, other: SweepConfig) -> SweepConfig:
    """The design that has the cells of both. Raises UserError where they differ in more than VARIED."""
    union: dict[str, Any] = {name: tuple(sorted({*getattr(one, name), *getattr(other, name)})) for name in VARIED}
    joined, also = (dataclasses.replace(config, **union) for config in (one, other))
    if joined != also:
        names = [field.name for field in dataclasses.fields(joined)]
        different = [name for name in names if getattr(joined, name) != getattr(also, name)]
        raise UserError(
            "The sweeps differ in {different}; only those that differ in sizes, budgets and seeds alone can be joined.",
            different=", ".join(different),
        )
    return joined


def _merged(parts: Sequence[Part]) -> tuple[dict[str, Point], dict[str, list[CurvePoint]]]:
    """All points and curves by run. Raises UserError where one run has two results."""
    points: dict[str, Point] = {}
    curves: dict[str, list[CurvePoint]] = {}
    for part in parts:
        for point in part.points:
            if points.setdefault(point.run, point) != point:
                raise UserError(
                    "The run {run} has another result in {folder}; leave one of them out.",
                    run=point.run,
                    folder=part.folder,
                )
        curves = {**part.curves, **curves}
    return points, curves
