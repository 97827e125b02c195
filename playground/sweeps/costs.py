"""What a sweep costs: estimated before it starts, and from how fast it goes once it does."""

from collections.abc import Collection
from dataclasses import dataclass

from playground.sweeps.folder import Sweep
from playground.sweeps.grid import Cell
from playground.training.calibration import Speed
from playground.training.estimate import seconds_per_step

OVERHEAD = 1.15
"""Evaluations, samples and snapshots, as a share of the steps' time (measured on sweeps of this design)."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """flops are those that are carried out, the steps that branches share counted once. worker_seconds are those of
    all workers together; seconds are by the clock with so many workers; price is in the currency of the hourly price.
    """

    cells: int
    flops: float
    worker_seconds: float
    seconds: float
    price: float


def cost_of(cells: tuple[Cell, ...], speed: Speed, *, workers: int = 1, hourly_price: float = 0.0) -> Cost:
    """What so many workers take for the cells; hourly_price is that of one worker.

    A line's branches wait for its trunk, so the clock never shows less than the longest trunk takes.
    """
    seconds = list(seconds_of(cells, speed).values())
    total = sum(seconds)
    return Cost(
        cells=len(cells),
        flops=sum(cell.flops * cell.steps / cell.config.steps for cell in cells),
        worker_seconds=total,
        seconds=max([total / workers, *seconds]),
        price=hourly_price * total / 3600,
    )


def seconds_of(cells: tuple[Cell, ...], speed: Speed) -> dict[str, float]:
    """What a worker takes for the steps that have to be trained for each cell."""
    # Cells of one shape have equal steps, and to count a shape takes longer than all else here.
    configs = {cell.config.model: cell.config for cell in cells}
    steps = {shape: OVERHEAD * seconds_per_step(config, speed) for shape, config in configs.items()}
    return {cell.name: cell.steps * steps[cell.config.model] for cell in cells}


class Clock:
    """What the rest of a sweep takes, as fast as its cells have gone so far."""

    def __init__(self, sweep: Sweep, speed: Speed) -> None:
        self.sweep = sweep
        self.estimated = seconds_of(sweep.cells, speed)
        self.spent: dict[str, float] = {}
        """Seconds that finished cells took: their folders are not read again."""

    def worker_seconds(self, *, given_up: Collection[str] = ()) -> tuple[float, float | None]:
        """Those that all workers have spent, and those that the rest takes; None before any step has been taken."""
        spent = estimated = left = 0.0
        for cell in self.sweep.cells:
            whole = self.estimated[cell.name]
            seconds, share = self._done(cell)
            spent, estimated = spent + seconds, estimated + whole * share
            left += 0.0 if cell.name in given_up else whole * (1 - share)
        return spent, left * spent / estimated if spent and estimated else None

    def done(self) -> int:
        """How many cells have finished."""
        for cell in self.sweep.cells:
            self._done(cell)
        return len(self.spent)

    def _done(self, cell: Cell) -> tuple[float, float]:
        """Seconds that were trained for a cell, and the share of its steps that is done."""
        if cell.name in self.spent:
            return self.spent[cell.name], 1.0
        status = self.sweep.status(cell)
        if status.state == "finished":
            self.spent[cell.name] = status.seconds
        return status.seconds, max(0, status.step - (cell.fork or 0)) / cell.steps
