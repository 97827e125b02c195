"""A sweep as a page reads it, while it grows and when it is done."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from playground.errors import UserError
from playground.scaling.design import Cell, SweepConfig
from playground.scaling.folder import Sweep, find_sweep
from playground.scaling.points import Points
from playground.scaling.progress import Progress, read_progress
from playground.scaling.results import (
    CurvePoint,
    Point,
    curve_of,
    metrics_of,
    read_curves_file,
    read_points_file,
)
from playground.training.status import State, read_status

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
