"""Where the cells of a sweep are trained: in this process, or in worker processes of this machine. cluster.py: Ray.

A place takes cells and says which it still works on. How a cell's run ended stands in its folder alone.
"""

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from playground.errors import UserError
from playground.sweeps.folder import RUNS, Sweep
from playground.sweeps.grid import Cell
from playground.training.run.status import read_status, write_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playground.jobs.executor import LocalExecutor
    from playground.training.trainer import Step

TURN_SECONDS = 0.3
POLL_SECONDS = 0.1
PATIENCE_SECONDS = 15.0
"""How long runs may take to write their snapshots when the sweep is stopped."""
LEAVING = "the sweep was stopped"


class Place(Protocol):
    """Trains cells whose folders have been prepared."""

    @property
    def slots(self) -> int:
        """How many cells it works on at once."""
        ...

    def start(self, sweep: Sweep, cell: Cell) -> None:
        """Begin with a cell, or go on with it."""
        ...

    def working(self) -> frozenset[str]:
        """The names of the cells that it works on, after having waited or worked for a moment."""
        ...

    def close(self) -> None:
        """Let every cell at work write a snapshot, and end."""
        ...


class Here:
    """Trains in this process, one cell after another."""

    slots = 1

    def __init__(self) -> None:
        self._name, self._folder = "", Path()
        self._steps: Iterator[Step] | None = None
        self._reason: str | None = None

    def start(self, sweep: Sweep, cell: Cell) -> None:
        """Begin with a cell, or go on with it."""
        from playground.training.run.folder import run

        self._name, self._folder = cell.name, sweep.run_folder(cell)
        self._steps = run(cell.config, self._folder, interruption=lambda: self._reason)

    def working(self) -> frozenset[str]:
        """Train for a moment."""
        until = time.monotonic() + TURN_SECONDS
        while self._steps is not None and time.monotonic() < until:
            self._advance()
        return frozenset() if self._steps is None else frozenset((self._name,))

    def _advance(self) -> None:
        assert self._steps is not None
        try:
            if next(self._steps, None) is None:
                self._steps = None
        except UserError as error:
            self._steps = None
            note_failure(self._folder, str(error))

    def close(self) -> None:
        """Take the step that is begun, and write a snapshot."""
        self._reason = LEAVING
        while self._steps is not None:
            self._advance()


def note_failure(folder: Path, message: str) -> None:
    """Write down that a run failed, where it was refused before it could say so itself."""
    status = read_status(folder)
    if status.state not in ("failed", "stopped") and folder.is_dir():
        write_status(folder, dataclasses.replace(status, state="failed", message=message))


class Workers:
    """Trains in the worker processes of an executor, at most `slots` at once."""

    def __init__(self, executor: "LocalExecutor", *, slots: int, owned: bool) -> None:
        self._slots, self._executor, self._owned = slots, executor, owned
        self._runs: dict[str, str] = {}

    @property
    def slots(self) -> int:
        """How many cells may be at work or wait; none beyond those while the executor's queue is full."""
        is_full = len(self._executor.waiting()) >= self._executor.limits.queued
        return len(self._runs) if is_full else self._slots

    def start(self, sweep: Sweep, cell: Cell) -> None:
        """Put the cell's run into the executor's queue."""
        self._executor.resume(sweep.run_id(cell))
        self._runs[cell.name] = sweep.run_id(cell)

    def working(self) -> frozenset[str]:
        """The cells whose runs wait or have a worker."""
        time.sleep(POLL_SECONDS)
        at_work = {*self._executor.waiting(), *self._executor.working()}
        self._runs = {name: run_id for name, run_id in self._runs.items() if run_id in at_work}
        return frozenset(self._runs)

    def close(self) -> None:
        """Stop the cells and wait until they have; an executor of the sweep's own ends with them."""
        if self._owned:
            self._executor.close()
            return
        for run_id in self._runs.values():
            try:
                self._executor.cancel(run_id)
            except UserError:
                continue  # it has been deleted
        # A sweep that says it has stopped may be gone on with at once: its runs have to be free by then.
        wait_until_idle(self, PATIENCE_SECONDS)


def wait_until_idle(place: Place, seconds: float) -> None:
    """Wait for the cells that a place was told to stop, at most so long."""
    deadline = time.monotonic() + seconds
    while place.working() and time.monotonic() < deadline:
        continue


def own_workers(folder: Path, count: int) -> Workers:
    """So many worker processes for the sweep of a folder alone, without limits."""
    from playground.jobs.executor import LocalExecutor
    from playground.jobs.limits import Limits

    boundless = Limits(steps=2**53, minutes=1e9, parameters=2**53, layers=2**20, tokens=2**53, disk_bytes=2**53)
    return Workers(LocalExecutor(folder / RUNS, slots=count, limits=boundless), slots=count, owned=True)
