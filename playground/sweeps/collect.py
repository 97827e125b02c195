"""Collect the results of sweeps without their runs: of one, or of several that belong together, in one folder."""

import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.errors import UserError
from playground.sweeps.card import CARD, SweepSource, card_of, folder_source, sources_in
from playground.sweeps.folder import SWEEP, Sweep, find_sweep
from playground.sweeps.grid import SweepConfig, cells
from playground.sweeps.results import (
    RATES,
    CellResult,
    CurvePoint,
    curves_by_run,
    read_points_file,
    write_results,
    write_search,
    write_tables,
)
from playground.training.run.paths import write_json, write_whole

VARIED = ("sizes", "tokens", "flops", "seeds", "tuned_rates", "rate_factors")
"""In what sweeps may differ that are joined."""


@dataclass(frozen=True, kw_only=True)
class SweepPart:
    """What one folder holds."""

    folder: Path
    config: SweepConfig
    results: list[CellResult]
    curves: dict[str, list[CurvePoint]]
    sources: list[SweepSource]


def collect(folders: Sequence[Path], target: Path) -> Path:
    """Write the results of sweeps as sweep.json, points.csv, curves.csv and card.md. Returns the target.

    The sweeps may differ in sizes, budgets and seeds; each still has its runs, or was collected before.
    Raises UserError where a folder holds no sweep or no finished cell, they differ in more, one run has two results,
    or the target cannot be written.
    """
    try:
        parts = [_part(folder) for folder in folders]
        config = functools.reduce(_join, (part.config for part in parts))
        results, curves = _merge(parts)
        # In the order of the joined design, as if it had been trained in one go.
        ordered = [results[cell.name] for cell in cells(config) if cell.name in results]
        target.mkdir(parents=True, exist_ok=True)
        write_tables(target, ordered, [point for result in ordered for point in curves[result.run]])
        write_json(target / SWEEP, config.to_dict())
        search = _searched(parts)
        if search:
            write_search(target, search)
        sources = [source for part in parts for source in part.sources]
        write_whole(target / CARD, card_of(config, ordered, sources, search))
    except OSError as error:
        raise UserError(
            "The sweep cannot be collected into {target}: {reason}.", target=target, reason=error.strerror or error
        ) from error
    return target


def _searched(parts: Sequence[SweepPart]) -> list[CellResult]:
    """The runs of all searches that tuned the learning rates, each once."""
    found = [result for part in parts for result in read_points_file(part.folder, RATES)]
    return list({result.run: result for result in found}.values())


def _part(folder: Path) -> SweepPart:
    sweep = find_sweep(folder)
    has_runs = any(sweep.run_folder(cell).is_dir() for cell in sweep.cells)
    if has_runs:
        write_results(sweep)
    results = read_points_file(folder)
    if not results:
        raise UserError("No cell of the sweep in {folder} has finished yet.", folder=folder)
    return SweepPart(
        folder=folder,
        config=sweep.config,
        results=results,
        curves=curves_by_run(folder),
        sources=_sources(sweep, results, has_runs=has_runs),
    )


def _sources(sweep: Sweep, results: list[CellResult], *, has_runs: bool) -> list[SweepSource]:
    seeds = sorted({result.seed for result in results})
    title = f"{len(results)} runs of seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
    if has_runs:
        return [folder_source(sweep, title)]
    return sources_in((sweep.folder / CARD).read_text(encoding="utf-8"), title)


def _join(config: SweepConfig, other: SweepConfig) -> SweepConfig:
    """The design that has the cells of both. Raises UserError where they differ in more than VARIED."""
    if "series" in (config.design, other.design):
        raise UserError("A series of sizes, each on its own tokens, cannot be joined with another sweep.")
    union: dict[str, Any] = {name: tuple(sorted({*getattr(config, name), *getattr(other, name)})) for name in VARIED}
    joined, same = (dataclasses.replace(each, **union) for each in (config, other))
    if joined != same:
        names = [field.name for field in dataclasses.fields(joined)]
        different = [name for name in names if getattr(joined, name) != getattr(same, name)]
        raise UserError(
            "The sweeps differ in {different}; only those that differ in sizes, budgets and seeds alone can be joined.",
            different=", ".join(different),
        )
    return joined


def _merge(parts: Sequence[SweepPart]) -> tuple[dict[str, CellResult], dict[str, list[CurvePoint]]]:
    """All results and curves by run. Raises UserError where one run has two results."""
    results: dict[str, CellResult] = {}
    curves: dict[str, list[CurvePoint]] = {}
    for part in parts:
        for result in part.results:
            if results.setdefault(result.run, result) != result:
                raise UserError(
                    "The run {run} has another result in {folder}; leave one of them out.",
                    run=result.run,
                    folder=part.folder,
                )
        curves = {**part.curves, **curves}
    return results, curves
