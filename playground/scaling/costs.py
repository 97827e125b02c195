"""What a sweep costs: estimated before it starts, and from how fast it goes once it does."""

from dataclasses import dataclass

from playground.scaling.design import Cell
from playground.scaling.folder import Sweep
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
    seconds = [cell_seconds(cell, speed) for cell in cells]
    total = sum(seconds)
    return Cost(
        cells=len(cells),
        flops=sum(cell.flops * cell.steps / cell.config.steps for cell in cells),
        worker_seconds=total,
        seconds=max([total / workers, *seconds]),
        price=hourly_price * total / 3600,
    )


def cell_seconds(cell: Cell, speed: Speed) -> float:
    """What a worker takes for the steps that have to be trained for a cell."""
    return OVERHEAD * cell.steps * seconds_per_step(cell.config, speed)


def seconds_left(sweep: Sweep, speed: Speed, *, workers: int, given_up: frozenset[str] = frozenset()) -> float | None:
    """What the rest takes by the clock, as fast as the cells have gone so far; None before any has gone."""
    spent = estimated = left = 0.0
    for cell in sweep.cells:
        status = sweep.status(cell)
        whole = cell_seconds(cell, speed)
        done = whole * max(0, status.step - (cell.fork or 0)) / cell.steps
        spent, estimated = spent + status.seconds, estimated + done
        if status.state != "finished" and cell.name not in given_up:
            left += whole - done
    return left * spent / estimated / workers if spent and estimated else None
