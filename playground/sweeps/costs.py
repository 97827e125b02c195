"""What a sweep costs: estimated before it starts, and from its own speed while it runs."""

from collections.abc import Collection
from dataclasses import dataclass

from playground.sweeps.folder import Sweep
from playground.sweeps.grid import Cell
from playground.training.estimate import seconds_per_step
from playground.training.throughput import Throughput

OVERHEAD = 1.15
"""Evaluations, samples and checkpoints, as a factor on the steps' time (measured on sweeps of this design)."""


@dataclass(frozen=True, kw_only=True)
class SweepCost:
    """What a sweep takes."""

    cells: int
    flops: float
    """Executed; the steps that branches share with their trunk are counted once."""
    worker_seconds: float
    """Of all workers together."""
    seconds: float
    """Wall-clock time."""
    price: float
    """In the currency of the hourly price."""


def sweep_cost(cells: tuple[Cell, ...], speed: Throughput, *, workers: int = 1, hourly_price: float = 0.0) -> SweepCost:
    """Estimate the cost of cells on so many workers; hourly_price is that of one worker.

    Branches wait for their trunk, so the wall-clock time is at least that of the longest trunk.
    """
    seconds = list(cell_seconds(cells, speed).values())
    total = sum(seconds)
    return SweepCost(
        cells=len(cells),
        flops=sum(cell.flops * cell.steps / cell.config.steps for cell in cells),
        worker_seconds=total,
        seconds=max([total / workers, *seconds]),
        price=hourly_price * total / 3600,
    )


def cell_seconds(cells: tuple[Cell, ...], speed: Throughput) -> dict[str, float]:
    """The seconds of one worker for each cell's own steps."""
    # Cells of one shape have equal steps, and to count a shape takes longer than all else here.
    configs = {cell.config.model: cell.config for cell in cells}
    step_seconds = {shape: OVERHEAD * seconds_per_step(config, speed) for shape, config in configs.items()}
    return {cell.name: cell.steps * step_seconds[cell.config.model] for cell in cells}


class CostTracker:
    """What a sweep has taken so far, and what the rest takes at the speed of its cells so far."""

    def __init__(self, sweep: Sweep, speed: Throughput) -> None:
        self.sweep = sweep
        self.estimated = cell_seconds(sweep.cells, speed)
        self.spent: dict[str, float] = {}
        """Seconds of finished cells: their folders are not read again."""

    def worker_seconds(self, *, failed: Collection[str] = ()) -> tuple[float, float | None]:
        """Seconds of all workers so far, and for the rest; None before any step has been taken."""
        spent = estimated = left = 0.0
        for cell in self.sweep.cells:
            whole = self.estimated[cell.name]
            seconds, share = self._done(cell)
            spent, estimated = spent + seconds, estimated + whole * share
            left += 0.0 if cell.name in failed else whole * (1 - share)
        # Estimates are off by one factor, the machine's; what has been done shows which.
        return spent, left * spent / estimated if spent and estimated else None

    def done(self) -> int:
        """The number of finished cells."""
        for cell in self.sweep.cells:
            self._done(cell)
        return len(self.spent)

    def _done(self, cell: Cell) -> tuple[float, float]:
        """The seconds spent on a cell, and the share of its steps that is done."""
        if cell.name in self.spent:
            return self.spent[cell.name], 1.0
        status = self.sweep.status(cell)
        if status.state == "finished":
            self.spent[cell.name] = status.seconds
        return status.seconds, max(0, status.step - (cell.fork or 0)) / cell.steps
