"""How a sweep is doing: progress.json, written by its scheduler, and everything that a page shows of a sweep."""

import dataclasses
import os
import platform
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from playground.errors import UserError
from playground.legacy_names import STATUS, modernise
from playground.scaling.points import Points
from playground.sweeps.folder import Sweep, find_sweep
from playground.sweeps.grid import Cell, SweepConfig
from playground.sweeps.results import (
    CellResult,
    CurvePoint,
    curve_of,
    metrics_of,
    read_curves_file,
    read_points_file,
)
from playground.text import _
from playground.training.run.paths import read_json, write_json
from playground.training.run.status import AWAY_SECONDS, State, birth_of, is_process, read_status

PROGRESS = "progress.json"
SweepState = Literal["new", "running", "finished", "stopped", "interrupted"]


@dataclass(frozen=True, kw_only=True)
class SweepProgress:
    """The contents of progress.json; all times are in seconds."""

    state: SweepState = "new"
    done: int = 0
    """Finished cells."""
    total: int = 0
    working: tuple[str, ...] = ()
    """The cells that are trained now."""
    failed: dict[str, str] = field(default_factory=dict)
    """The cells that failed for good, with the reason."""
    retried: dict[str, int] = field(default_factory=dict)
    """How often each cell was retried."""
    seconds: float = 0.0
    """Wall-clock time of all sessions."""
    seconds_left: float | None = None
    """At the speed so far; None before that is known."""
    worker_seconds: float = 0.0
    """Of all workers together."""
    worker_seconds_left: float | None = None
    node: str = ""
    """The machine of the scheduler's process; empty in a file from before machines were stored."""
    pid: int = 0
    """Of that process; with `born`, its start time, no other process is taken for it."""
    born: float = 0.0
    updated: float = 0.0
    """When this was written, in seconds since 1970."""

    def price(self, hourly: float) -> tuple[float, float | None]:
        """The cost so far and in all, at a price of one worker's hour; None before it is known.

        >>> SweepProgress(worker_seconds=1800.0, worker_seconds_left=900.0).price(10.0)
        (5.0, 7.5)
        """
        spent = hourly * self.worker_seconds / 3600
        left = self.worker_seconds_left
        return spent, None if left is None else spent + hourly * left / 3600

    def price_text(self, hourly: float) -> str:
        """The cost so far and in all, for a person."""
        spent, total = self.price(hourly)
        if total is None:
            return _("cost {spent:,.2f}").format(spent=spent)
        return _("cost {spent:,.2f} of about {total:,.2f}").format(spent=spent, total=total)


def write_progress(folder: Path, progress: SweepProgress) -> None:
    """Write progress.json, with this process as the scheduler's."""
    pid = os.getpid()
    now = dataclasses.replace(progress, node=platform.node(), pid=pid, born=birth_of(pid), updated=time.time())
    write_json(folder / PROGRESS, dataclasses.asdict(now))


def read_progress(folder: Path) -> SweepProgress:
    """How the sweep is doing; interrupted where it says running and its process is gone."""
    values = modernise(read_json(folder / PROGRESS), STATUS)
    names = [each.name for each in dataclasses.fields(SweepProgress)]
    known: dict[str, Any] = {name: values[name] for name in names if name in values}
    try:
        progress = SweepProgress(**{**known, "working": tuple(known.get("working", ()))})
        is_gone = progress.state == "running" and not _is_attended(progress)
    except TypeError:
        return SweepProgress()
    return dataclasses.replace(progress, state="interrupted", working=()) if is_gone else progress


def _is_attended(progress: SweepProgress) -> bool:
    """Whether its scheduler lives: on this machine, or on another one from which it reported lately."""
    if progress.node not in ("", platform.node()):
        return time.time() - progress.updated < AWAY_SECONDS
    return is_process(progress.pid, progress.born)


WORKING: tuple[State, ...] = ("starting", "preparing", "running", "paused")


@dataclass(frozen=True, kw_only=True)
class CellView:
    """A cell and how its run is doing."""

    cell: Cell
    run_id: str
    """Among the page's runs."""
    state: State
    step: int
    """Those that a branch has from its trunk included."""
    message: str
    """Why it failed; empty otherwise."""


@dataclass(frozen=True, kw_only=True)
class SweepView:
    """Everything that a sweep's folder says."""

    folder: Path
    config: SweepConfig
    progress: SweepProgress
    cells: tuple[CellView, ...]
    points: tuple[CellResult, ...]
    """Of finished cells, like curves."""
    curves: tuple[CurvePoint, ...]
    partial_curves: tuple[CurvePoint, ...]
    """Of the cells at work."""

    def to_points(self, *, with_embeddings: bool = False) -> Points:
        """The finished cells as points to fit a law to; flops are the counted ones.

        Raises UserError where no cell has finished.
        """
        if not self.points:
            raise UserError("No cell of this sweep has finished yet; wait for the first.")
        return Points(
            params=self._column("params" if with_embeddings else "params_without_embeddings"),
            tokens=self._column("tokens"),
            loss=self._column("loss"),
            flops=self._column("flops"),
            names=tuple(point.run for point in self.points),
            seeds=tuple(point.seed for point in self.points),
        )

    def _column(self, name: str) -> Float[np.ndarray, " point"]:
        return np.array([float(getattr(point, name)) for point in self.points])


def read_sweep(folder: Path) -> SweepView:
    """Read a sweep that is at work, has ended, or was collected (as those in assets/sweeps).

    Raises UserError where no sweep lies there.
    """
    sweep = find_sweep(folder)
    points = tuple(read_points_file(folder))
    done = {point.run for point in points}
    progress = _progress(sweep, len(points))
    views = tuple(_cell_view(sweep, cell, progress, is_done=cell.name in done) for cell in sweep.cells)
    at_work = [view.cell for view in views if view.state in WORKING]
    return SweepView(
        folder=folder,
        config=sweep.config,
        progress=progress,
        cells=views,
        points=points,
        curves=tuple(read_curves_file(folder)),
        partial_curves=tuple(point for cell in at_work for point in curve_of(cell, metrics_of(sweep.run_folder(cell)))),
    )


def _cell_view(sweep: Sweep, cell: Cell, progress: SweepProgress, *, is_done: bool) -> CellView:
    """A cell with a result has finished; its run need not be there any more."""
    if is_done:
        return CellView(cell=cell, run_id=sweep.run_id(cell), state="finished", step=cell.config.steps, message="")
    # A cell that the scheduler knows to be at work may have its process on another machine of a cluster.
    status = read_status(sweep.run_folder(cell)) if cell.name in progress.working else sweep.status(cell)
    return CellView(cell=cell, run_id=sweep.run_id(cell), state=status.state, step=status.step, message=status.sentence)


def _progress(sweep: Sweep, done: int) -> SweepProgress:
    """The progress; of a collected sweep, which has no progress.json, the cells that are there."""
    progress = read_progress(sweep.folder)
    if progress.state != "new":
        return progress
    return dataclasses.replace(progress, done=done, total=len(sweep.cells))
