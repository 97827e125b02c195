"""Sweep scheduler: start cells as slots free up; retry those that fail.

A cell whose worker was killed resumes from its last checkpoint; one that failed with an error is retried RETRIES times,
then named in the progress, and the sweep goes on without it. Retries back off exponentially.
"""

import time
from collections import Counter
from collections.abc import Callable

from playground.errors import UserError
from playground.sweeps.costs import CostTracker
from playground.sweeps.executors import POLL_SECONDS, SweepExecutor
from playground.sweeps.folder import Sweep, has_fork, prepare_cell
from playground.sweeps.grid import Cell
from playground.sweeps.progress import SweepProgress, SweepState, read_progress, write_progress
from playground.sweeps.results import write_results
from playground.text import N_
from playground.training.run.control import read_commands, read_offset
from playground.training.run.status import Message
from playground.training.throughput import Throughput, measured_throughput

RETRIES = 2
KILLS = 10
"""How often a cell's worker may be killed before the cell counts as failed."""
BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 1.0, 30.0
"""The wait before a retry, doubled each time: the cause may last."""
REPORT_SECONDS = 1.0
OnSweepProgress = Callable[[SweepProgress], None]


def schedule_cells(sweep: Sweep, executor: SweepExecutor, on_progress: OnSweepProgress) -> SweepProgress:
    """Train the cells that are not finished, then close the executor."""
    try:
        scheduler = Scheduler(sweep, executor, on_progress, measured_throughput())
    except BaseException:
        executor.close()
        raise
    state: SweepState = "interrupted"
    try:
        state = scheduler.run()
    except KeyboardInterrupt:
        state = "stopped"
    finally:
        executor.close()
        progress = scheduler.end(state)
    return progress


class Scheduler:
    """One session of a sweep: the cells that wait, those at work, and those that failed."""

    def __init__(self, sweep: Sweep, executor: SweepExecutor, on_progress: OnSweepProgress, speed: Throughput) -> None:
        before = read_progress(sweep.folder)
        if before.state == "running":
            raise UserError(
                "Process {pid} is running the sweep in {folder}; stop it first.", pid=before.pid, folder=sweep.folder
            )
        self.sweep, self.executor, self.on_progress = sweep, executor, on_progress
        self.costs = CostTracker(sweep, speed)
        finished = {cell.name for cell in sweep.finished()}
        self.waiting = [cell for cell in sweep.cells if cell.name not in finished]
        self.working: dict[str, Cell] = {}
        self.failures: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()
        self.failed: dict[str, str] = {}
        self.retry_at: dict[str, float] = {}
        self.seconds_before, self.started, self.reported = before.seconds, time.monotonic(), 0.0

    def run(self) -> SweepState:
        """Work until all cells have finished or failed, or a person says stop."""
        _commands, offset = read_commands(self.sweep.folder, read_offset(self.sweep.folder))
        write_results(self.sweep)
        while self.waiting or self.working:
            self._start_ready_cells()
            if not self.working:  # all that wait are backing off
                time.sleep(POLL_SECONDS)
            if time.monotonic() - self.reported > REPORT_SECONDS:
                self._report("running")
            at_work = self.executor.working()
            for name in [name for name in self.working if name not in at_work]:
                self._settle(self.working.pop(name))
            commands, offset = read_commands(self.sweep.folder, offset)
            if any(command.action == "stop" for command in commands):
                return "stopped"
        return "finished"

    def end(self, state: SweepState) -> SweepProgress:
        """Write the results, and how the sweep ended."""
        self.working.clear()
        write_results(self.sweep)
        return self._report(state)

    def _start_ready_cells(self) -> None:
        while len(self.working) < self.executor.slots:
            cell = next((cell for cell in self.waiting if self._is_ready(cell)), None)
            if cell is None:
                return
            self.waiting.remove(cell)
            try:
                prepare_cell(self.sweep, cell)
                self.executor.start(self.sweep, cell)
            except UserError as error:
                self._retry_or_fail(cell, str(error))
            else:
                self.working[cell.name] = cell

    def _is_ready(self, cell: Cell) -> bool:
        """A branch waits until its trunk has come to the fork, unless that will not be; a retry waits its time."""
        if time.monotonic() < self.retry_at.get(cell.name, 0.0):
            return False
        trunk = cell.trunk
        is_coming = trunk in self.working or any(other.name == trunk for other in self.waiting)
        return trunk is None or not is_coming or has_fork(self.sweep, cell)

    def _settle(self, cell: Cell) -> None:
        """Finish, retry or fail a cell that the executor no longer works on."""
        status = self.sweep.status(cell)
        if status.state == "finished":
            write_results(self.sweep)
        # A live state is that of a worker of another machine, which can no longer say that it is gone.
        elif (status.is_live or status.state in ("interrupted", "unknown")) and self.kills[cell.name] < KILLS:
            self.kills[cell.name] += 1
            self._back_off(cell, self.kills[cell.name])
            self.waiting.insert(0, cell)
        elif status.state == "failed":
            self._retry_or_fail(cell, status.message)
        else:
            lost = Message(template=N_("Its worker was lost {times} times."), values={"times": KILLS})
            self.failed[cell.name] = status.message or lost.english()

    def _back_off(self, cell: Cell, times: int) -> None:
        wait = min(LONGEST_BACKOFF_SECONDS, BACKOFF_SECONDS * 2 ** (times - 1))
        self.retry_at[cell.name] = time.monotonic() + wait

    def _retry_or_fail(self, cell: Cell, message: str) -> None:
        self.failures[cell.name] += 1
        self._back_off(cell, self.failures[cell.name])
        if self.failures[cell.name] <= RETRIES:
            self.waiting.append(cell)
        else:
            self.failed[cell.name] = message

    def _report(self, state: SweepState) -> SweepProgress:
        """Write progress.json and call on_progress."""
        self.reported = time.monotonic()
        spent, left = self.costs.worker_seconds(failed=self.failed)
        is_running = state == "running"  # a closed executor has no slots
        progress = SweepProgress(
            state=state,
            done=self.costs.done(),
            total=len(self.sweep.cells),
            working=tuple(self.working),
            failed=dict(self.failed),
            retried=dict(self.failures + self.kills),
            seconds=self.seconds_before + time.monotonic() - self.started,
            seconds_left=left / max(1, self.executor.slots) if is_running and left is not None else None,
            worker_seconds=spent,
            worker_seconds_left=left if is_running else None,
        )
        write_progress(self.sweep.folder, progress)
        self.on_progress(progress)
        return progress
