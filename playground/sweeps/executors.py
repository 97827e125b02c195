"""Where the cells of a sweep are trained: in this process, or in worker processes of this machine.

An executor takes cells and says which of them it still works on. How a cell's run ended stands in its folder alone.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from playground.errors import UserError
from playground.sweeps.folder import RUNS, Sweep
from playground.sweeps.grid import Cell
from playground.training.run.status import Message, message_of, read_status, write_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playground.jobs.executor import LocalExecutor
    from playground.training.trainer import Step

TRAIN_SECONDS = 0.3
POLL_SECONDS = 0.1
STOP_SECONDS = 60.0
"""How long runs may take to leave when the sweep is stopped; one that is just starting imports torch first."""
STOPPED = "the sweep was stopped"


class SweepExecutor(Protocol):
    """Trains cells whose run folders are there."""

    @property
    def slots(self) -> int:
        """The number of cells that it takes at once."""
        ...

    def start(self, sweep: Sweep, cell: Cell) -> None:
        """Start or resume a cell."""
        ...

    def working(self) -> frozenset[str]:
        """The names of the cells that it works on, after a moment of waiting or work."""
        ...

    def close(self) -> None:
        """Stop every cell with a checkpoint."""
        ...


class InProcess:
    """Trains in this process, one cell after another."""

    slots = 1

    def __init__(self) -> None:
        self._name, self._folder = "", Path()
        self._steps: Iterator[Step] | None = None
        self._stop_reason: str | None = None

    def start(self, sweep: Sweep, cell: Cell) -> None:
        """Start or resume a cell."""
        from playground.training.run.folder import run

        self._name, self._folder = cell.name, sweep.run_folder(cell)
        self._steps = run(cell.config, self._folder, interruption=lambda: self._stop_reason)

    def working(self) -> frozenset[str]:
        """Train for a moment."""
        until = time.monotonic() + TRAIN_SECONDS
        while self._steps is not None and time.monotonic() < until:
            self._step()
        return frozenset() if self._steps is None else frozenset((self._name,))

    def _step(self) -> None:
        assert self._steps is not None
        try:
            if next(self._steps, None) is None:
                self._steps = None
        except UserError as error:
            self._steps = None
            mark_failed(self._folder, message_of(error))

    def close(self) -> None:
        """Finish the current step and write a checkpoint."""
        self._stop_reason = STOPPED
        while self._steps is not None:
            self._step()


def mark_failed(folder: Path, message: Message) -> None:
    """Mark a run as failed that was refused before it could do so itself."""
    status = read_status(folder)
    if status.state not in ("failed", "stopped") and folder.is_dir():
        write_status(folder, status.with_message(message, state="failed"))


class LocalWorkers:
    """Trains in the worker processes of a job executor, at most `slots` cells at once."""

    def __init__(self, executor: "LocalExecutor", *, slots: int, owned: bool) -> None:
        self._slots, self._executor, self._owned = slots, executor, owned
        self._runs: dict[str, str] = {}

    @property
    def slots(self) -> int:
        """The cells that may be at work or wait; only those already there while the job executor's queue is full."""
        is_full = len(self._executor.waiting()) >= self._executor.limits.queued
        return len(self._runs) if is_full else self._slots

    def start(self, sweep: Sweep, cell: Cell) -> None:
        """Queue the cell's run."""
        self._executor.resume(sweep.run_id(cell))
        self._runs[cell.name] = sweep.run_id(cell)

    def working(self) -> frozenset[str]:
        """The cells whose runs wait or have a worker."""
        time.sleep(POLL_SECONDS)
        at_work = {*self._executor.waiting(), *self._executor.working()}
        self._runs = {name: run_id for name, run_id in self._runs.items() if run_id in at_work}
        return frozenset(self._runs)

    def close(self) -> None:
        """Stop the cells and wait until they have stopped; an executor of the sweep's own is closed."""
        if self._owned:
            self._executor.close()
            return
        for run_id in self._runs.values():
            try:
                self._executor.cancel(run_id)
            except UserError:
                continue  # it has been deleted
        # A sweep that says it has stopped may be resumed at once: its runs have to be free by then.
        wait_until_idle(self, STOP_SECONDS)


def wait_until_idle(executor: SweepExecutor, seconds: float) -> None:
    """Wait for the cells that an executor was told to stop, at most so long."""
    deadline = time.monotonic() + seconds
    while executor.working() and time.monotonic() < deadline:
        continue


def dedicated_workers(folder: Path, count: int) -> LocalWorkers:
    """Worker processes for the sweep of one folder alone, without limits."""
    from playground.jobs.executor import LocalExecutor
    from playground.jobs.limits import Limits

    unlimited = Limits(steps=2**53, minutes=1e9, parameters=2**53, layers=2**20, tokens=2**53, disk_bytes=2**53)
    return LocalWorkers(LocalExecutor(folder / RUNS, slots=count, limits=unlimited), slots=count, owned=True)
