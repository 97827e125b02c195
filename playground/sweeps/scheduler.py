"""Driving a sweep: which cell is begun when and where, and what becomes of those that end badly.

A cell whose worker was killed is begun again from its last snapshot; one that failed by an error is tried again
RETRIES times and then named in the progress, and the sweep goes on without it.
"""

import time
from collections import Counter
from collections.abc import Callable

from playground.errors import UserError
from playground.sweeps.costs import Clock
from playground.sweeps.executors import POLL_SECONDS, Place
from playground.sweeps.folder import Sweep, has_fork, prepare_cell
from playground.sweeps.grid import Cell
from playground.sweeps.progress import Progress, SweepState, read_progress, write_progress
from playground.sweeps.results import write_results
from playground.training.calibration import Speed, measured_speed
from playground.training.run.control import read_commands, read_offset

RETRIES = 2
KILLS = 10
"""How often a cell's worker may be killed before the cell is given up."""
REST_SECONDS, LONGEST_REST_SECONDS = 1.0, 30.0
"""How long a cell rests after its worker was killed or it failed, twice as long each time: the cause may last."""
TELL_SECONDS = 1.0
Told = Callable[[Progress], None]


def drive(sweep: Sweep, place: Place, told: Told) -> Progress:
    """Train what is not finished in a place, then close the place."""
    try:
        driver = Driver(sweep, place, told, measured_speed())
    except BaseException:
        place.close()
        raise
    state: SweepState = "interrupted"
    try:
        state = driver.run()
    except KeyboardInterrupt:
        state = "stopped"
    finally:
        place.close()
        progress = driver.end(state)
    return progress


class Driver:
    """One sitting of a sweep: which cells wait, which are at work, and which were given up."""

    def __init__(self, sweep: Sweep, place: Place, told: Told, speed: Speed) -> None:
        before = read_progress(sweep.folder)
        if before.state == "running":
            raise UserError(
                "Process {pid} is driving the sweep in {folder}; stop it first.", pid=before.pid, folder=sweep.folder
            )
        self.sweep, self.place, self.told, self.clock = sweep, place, told, Clock(sweep, speed)
        finished = {cell.name for cell in sweep.finished()}
        self.waiting = [cell for cell in sweep.cells if cell.name not in finished]
        self.working: dict[str, Cell] = {}
        self.failures: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()
        self.failed: dict[str, str] = {}
        self.rests_until: dict[str, float] = {}
        self.seconds_before, self.began, self.spoken = before.seconds, time.monotonic(), 0.0

    def run(self) -> SweepState:
        """Until all cells are done or given up, or a person says stop."""
        _, read = read_commands(self.sweep.folder, read_offset(self.sweep.folder))
        write_results(self.sweep)
        while self.waiting or self.working:
            self._start_those_ready()
            if not self.working:  # all that wait are resting
                time.sleep(POLL_SECONDS)
            if time.monotonic() - self.spoken > TELL_SECONDS:
                self._tell("running")
            at_work = self.place.working()
            for name in [name for name in self.working if name not in at_work]:
                self._settle(self.working.pop(name))
            commands, read = read_commands(self.sweep.folder, read)
            if any(command.action == "stop" for command in commands):
                return "stopped"
        return "finished"

    def end(self, state: SweepState) -> Progress:
        """Write the results, and how the sweep ended."""
        self.working.clear()
        write_results(self.sweep)
        return self._tell(state)

    def _start_those_ready(self) -> None:
        while len(self.working) < self.place.slots:
            cell = next((cell for cell in self.waiting if self._is_ready(cell)), None)
            if cell is None:
                return
            self.waiting.remove(cell)
            try:
                prepare_cell(self.sweep, cell)
                self.place.start(self.sweep, cell)
            except UserError as error:
                self._count_failure(cell, str(error))
            else:
                self.working[cell.name] = cell

    def _is_ready(self, cell: Cell) -> bool:
        """A branch waits for its trunk to come to the fork, unless that will not be; one that ended badly rests."""
        if time.monotonic() < self.rests_until.get(cell.name, 0.0):
            return False
        trunk = cell.trunk
        is_coming = trunk in self.working or any(other.name == trunk for other in self.waiting)
        return trunk is None or not is_coming or has_fork(self.sweep, cell)

    def _settle(self, cell: Cell) -> None:
        """See how a cell ended that the place no longer works on."""
        status = self.sweep.status(cell)
        if status.state == "finished":
            write_results(self.sweep)
        # A live state is that of a worker of another machine, which can no longer say that it is gone.
        elif (status.is_live or status.state in ("interrupted", "unknown")) and self.kills[cell.name] < KILLS:
            self.kills[cell.name] += 1
            self._let_rest(cell, self.kills[cell.name])
            self.waiting.insert(0, cell)
        elif status.state == "failed":
            self._count_failure(cell, status.message)
        else:
            self.failed[cell.name] = status.message or f"Its worker was lost {KILLS} times."

    def _let_rest(self, cell: Cell, times: int) -> None:
        """Begin a cell that ended badly so many times not before a while."""
        rest = min(LONGEST_REST_SECONDS, REST_SECONDS * 2 ** (times - 1))
        self.rests_until[cell.name] = time.monotonic() + rest

    def _count_failure(self, cell: Cell, message: str) -> None:
        """Try a cell again later, unless it has failed too often."""
        self.failures[cell.name] += 1
        self._let_rest(cell, self.failures[cell.name])
        if self.failures[cell.name] <= RETRIES:
            self.waiting.append(cell)
        else:
            self.failed[cell.name] = message

    def _tell(self, state: SweepState) -> Progress:
        """Write down how it goes, and say so."""
        self.spoken = time.monotonic()
        spent, left = self.clock.worker_seconds(given_up=self.failed)
        is_running = state == "running"  # a place that is closed counts no slots
        progress = Progress(
            state=state,
            done=self.clock.done(),
            total=len(self.sweep.cells),
            working=tuple(self.working),
            failed=dict(self.failed),
            retried=dict(self.failures + self.kills),
            seconds=self.seconds_before + time.monotonic() - self.began,
            seconds_left=left / max(1, self.place.slots) if is_running and left is not None else None,
            worker_seconds=spent,
            worker_seconds_left=left if is_running else None,
        )
        write_progress(self.sweep.folder, progress)
        self.told(progress)
        return progress
