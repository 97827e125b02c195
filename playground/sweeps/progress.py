"""How a sweep is doing, in its progress.json: written by whoever drives it, read by everybody."""

import dataclasses
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from playground.errors import UserError
from playground.scaling.points import Points
from playground.sweeps.folder import Sweep, find_sweep
from playground.sweeps.grid import Cell, SweepConfig
from playground.sweeps.results import (
    CurvePoint,
    Point,
    curve_of,
    metrics_of,
    read_curves_file,
    read_points_file,
)
from playground.training.run.paths import read_json, write_json
from playground.training.run.status import State, birth_of, read_status

PROGRESS = "progress.json"
SweepState = Literal["new", "running", "finished", "stopped", "interrupted"]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """done and total count cells; working are those that are trained now.

    failed: the cells that were given up, with the reason; retried: how often a cell was begun again. seconds were
    spent by the clock in all sittings, worker_seconds by all workers together; seconds_left and worker_seconds_left
    are what the rest takes as it goes now, None before that can be said. pid and born name the process that drives
    the sweep; updated is in seconds since 1970, like born.
    """

    state: SweepState = "new"
    done: int = 0
    total: int = 0
    working: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    retried: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    seconds_left: float | None = None
    worker_seconds: float = 0.0
    worker_seconds_left: float | None = None
    pid: int = 0
    born: float = 0.0
    updated: float = 0.0

    def price(self, hourly: float) -> tuple[float, float | None]:
        """What the workers have cost so far, and will in all, at a price of one's hour; None before that can be said.

        >>> Progress(worker_seconds=1800.0, worker_seconds_left=900.0).price(10.0)
        (5.0, 7.5)
        """
        spent = hourly * self.worker_seconds / 3600
        left = self.worker_seconds_left
        return spent, None if left is None else spent + hourly * left / 3600


def write_progress(folder: Path, progress: Progress) -> None:
    """Write it down, with this process as the one that drives the sweep."""
    pid = os.getpid()
    now = dataclasses.replace(progress, pid=pid, born=birth_of(pid), updated=time.time())
    write_json(folder / PROGRESS, dataclasses.asdict(now))


def read_progress(folder: Path) -> Progress:
    """How the sweep is doing; interrupted where it should be running and its process is gone."""
    values = read_json(folder / PROGRESS)
    known: dict[str, Any] = {one.name: values[one.name] for one in dataclasses.fields(Progress) if one.name in values}
    try:
        progress = Progress(**{**known, "working": tuple(known.get("working", ()))})
        is_gone = progress.state == "running" and abs(birth_of(progress.pid) - progress.born) >= 1.0
    except TypeError:
        return Progress()
    return dataclasses.replace(progress, state="interrupted", working=()) if is_gone else progress


WORKING: tuple[State, ...] = ("starting", "preparing", "running", "paused")


@dataclass(frozen=True, kw_only=True)
class CellView:
    """A cell and how its run is doing. run_id names the run among the page's runs; step counts from the run's own
    first step, those that a branch has from its trunk among them. message says why it ended, where it did badly.
    """

    cell: Cell
    run_id: str
    state: State
    step: int
    message: str


@dataclass(frozen=True, kw_only=True)
class SweepView:
    """Everything a sweep's folder tells. points and curves are of finished cells; growing are the curves of the cells
    that are at work.
    """

    folder: Path
    config: SweepConfig
    progress: Progress
    cells: tuple[CellView, ...]
    points: tuple[Point, ...]
    curves: tuple[CurvePoint, ...]
    growing: tuple[CurvePoint, ...]

    def to_points(self, *, with_embeddings: bool = False) -> Points:
        """The finished cells as what a law is fitted to; flops are the counted ones.

        Raises UserError where no cell has finished.
        """
        if not self.points:
            raise UserError("No cell of this sweep has finished yet; wait for the first.")
        return Points(
            params=np.array(
                [point.params if with_embeddings else point.params_without_embeddings for point in self.points]
            ),
            tokens=np.array([point.tokens for point in self.points]),
            loss=np.array([point.loss for point in self.points]),
            flops=np.array([point.flops for point in self.points]),
            names=tuple(point.run for point in self.points),
            seeds=tuple(point.seed for point in self.points),
        )


def read_sweep(folder: Path) -> SweepView:
    """What a sweep's folder tells now: one that is at work, one that has ended, or a collected one of assets/sweeps.

    Raises UserError where no sweep lies there.
    """
    sweep = find_sweep(folder)
    points = tuple(read_points_file(folder))
    done = {point.run for point in points}
    progress = _progress(sweep, len(points))
    views = tuple(_view(sweep, cell, progress, is_done=cell.name in done) for cell in sweep.cells)
    at_work = [view.cell for view in views if view.state in WORKING]
    return SweepView(
        folder=folder,
        config=sweep.config,
        progress=progress,
        cells=views,
        points=points,
        curves=tuple(read_curves_file(folder)),
        growing=tuple(one for cell in at_work for one in curve_of(cell, metrics_of(sweep.run_folder(cell)))),
    )


def _view(sweep: Sweep, cell: Cell, progress: Progress, *, is_done: bool) -> CellView:
    """A cell that stands among the points is done; its run need not be there any more."""
    if is_done:
        return CellView(cell=cell, run_id=sweep.run_id(cell), state="finished", step=cell.config.steps, message="")
    # The process of a cell that the driver knows to be at work may be on another machine of a cluster.
    status = read_status(sweep.run_folder(cell)) if cell.name in progress.working else sweep.status(cell)
    return CellView(cell=cell, run_id=sweep.run_id(cell), state=status.state, step=status.step, message=status.message)


def _progress(sweep: Sweep, done: int) -> Progress:
    """How it goes; of a collected sweep how much of it there is."""
    progress = read_progress(sweep.folder)
    if progress.state != "new":
        return progress
    return dataclasses.replace(progress, done=done, total=len(sweep.cells))
