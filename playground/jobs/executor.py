"""Executor of training runs: a queue, slots, and a spare worker process that has already imported torch.

The executor only assigns folders and watches processes. All state of a run is in its folder, which any process can
read, so that nothing is lost when the server restarts.
"""

import contextlib
import threading
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from playground.errors import UserError
from playground.jobs.limits import Limits, check_cost, check_limits, limits_of
from playground.jobs.process import SpareWorker, Worker
from playground.jobs.retention import FolderSize, delete_expired
from playground.jobs.run_folders import exit_reason, make_folder, mark_lost_runs, status_after_exit
from playground.models.memory_estimate import available_bytes
from playground.settings import settings
from playground.text import N_
from playground.training.run import runs
from playground.training.run.control import Command, send
from playground.training.run.limits import RunLimits
from playground.training.run.lineage import fork
from playground.training.run.status import (
    Message,
    Status,
    by_this_process,
    has_process,
    lost,
    observed_status,
    read_status,
    write_status,
)

if TYPE_CHECKING:
    from playground.training.config import RunSettings

WATCH_SECONDS = 0.1
CLEAN_SECONDS = 600.0
"""How often runs that nobody continues are looked for."""
CLOSE_SECONDS = 10.0
EXIT_SECONDS = 2.0


class LocalExecutor:
    """Trains the runs of a folder, at most `slots` at once; others wait in order. All methods are thread-safe."""

    def __init__(self, root: Path, *, slots: int = 1, limits: Limits | None = None) -> None:
        if slots < 1:
            raise UserError("There are {slots} slots for runs; at least 1 is needed.", slots=slots)
        self.root, self.slots, self.limits = root, slots, limits or Limits()
        self._lock = threading.RLock()
        self._waiting: list[str] = []
        self._working: dict[str, Worker] = {}
        self._spare = SpareWorker()
        self._cleaned_at = time.monotonic()
        self._size = FolderSize(root)
        self._closed = threading.Event()
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                "The folder of runs {root} cannot be made: {reason}.", root=root, reason=error.strerror
            ) from error
        runs.purge(root)
        mark_lost_runs(root)
        self._monitor = threading.Thread(target=self._watch, name="runs", daemon=True)
        self._monitor.start()

    def submit(self, config: "RunSettings", *, name: str, owner: str | None = None) -> str:
        """Queue a new run and return its id. Raises UserError for a run beyond the limits, or of its owner's share."""
        self.check(config)
        with self._lock:
            self._check_queue(owner)
            run_id = make_folder(self.root, config, name, owner=owner)
            self._enqueue(run_id)
        return run_id

    def check(self, config: "RunSettings") -> None:
        """Raise UserError, saying what to change, for a training that is too large for this machine."""
        check_limits(config, self.limits)
        check_cost(config, available=available_bytes() / self.slots, minutes=self.limits.minutes)

    def fork(self, run_id: str, step: int, config: "RunSettings", *, name: str, owner: str | None = None) -> str:
        """Queue a run that continues from another's checkpoint; returns the new id.

        Raises UserError if the settings do not fit the weights, or exceed the limits.
        """
        self.check(config)
        with self._lock:
            self._check_queue(owner)
            new = fork(self.root, run_id, step, config, name=name, owner=owner)
            self._enqueue(new)
        return new

    def resume(self, run_id: str) -> None:
        """Resume a run from its last checkpoint. Raises UserError if it is running or has finished."""
        with self._lock:
            run = runs.read_run(runs.run_path(self.root, run_id))
            self._settle(run_id)
            if run_id in self._waiting or run_id in self._working or run.status.is_live:
                raise UserError("This run is running already.")
            if run.status.state == "finished":
                raise UserError("This run has finished; fork it with more steps to continue.")
            self._check_queue(run.owner)
            self._enqueue(run_id)

    def control(self, run_id: str, command: Command) -> None:
        """Send a command to a run, starting its worker for resume, rewind and step.

        Raises UserError if the run's state does not allow the command.
        """
        folder = runs.run_path(self.root, run_id)
        with self._lock:
            self._update()
            is_waiting = run_id in self._waiting
            is_live = not is_waiting and observed_status(folder).is_live
            if is_live or command.action == "rate":
                send(folder, command)
            elif is_waiting and command.action == "stop":
                self.cancel(run_id)
            elif is_waiting:
                raise UserError("This run is still in the queue.")
            elif command.action == "resume":
                self.resume(run_id)
            elif command.action in ("rewind", "step"):
                self._check_queue(runs.read_run(folder).owner)
                self._settle(run_id)
                send(folder, command)
                self._enqueue(run_id)
            else:
                raise UserError("This run is not running.")

    def cancel(self, run_id: str) -> None:
        """Remove a waiting run from the queue, or stop a running one, which writes a checkpoint."""
        folder = runs.run_path(self.root, run_id)
        with self._lock:
            if run_id not in self._waiting:
                send(folder, Command(action="stop"))
                return
            self._waiting.remove(run_id)
            status = read_status(folder)
            message = Message(template=N_("The run was taken from the queue; it can be started again."))
            self._write(run_id, status.with_message(message, state="stopped", position=None))
            self._write_positions()

    def delete(self, run_id: str) -> None:
        """Delete a run and its folder in any state; a worker exits when its folder is gone."""
        with self._lock:
            self.set_aside(run_id)
            runs.delete_aside(self.root, run_id)

    def set_aside(self, run_id: str) -> None:
        """Delete a run in any state so that `runs.restore` can bring it back; a worker exits as for `delete`."""
        with self._lock:
            if run_id in self._waiting:
                self.cancel(run_id)
            runs.set_aside(self.root, run_id)

    def read(self, run_id: str) -> runs.Run:
        """Read a run; if its worker has exited, record the reason first. Raises UserError if there is no such run."""
        run = runs.read_run(runs.run_path(self.root, run_id))
        if run.status.state != "interrupted":
            return run
        with self._lock:
            self._settle(run_id)
        return runs.read_run(run.folder)

    def waiting(self) -> tuple[str, ...]:
        """Ids of the waiting runs, next one first."""
        with self._lock:
            return tuple(self._waiting)

    def working(self) -> tuple[str, ...]:
        """Ids of the runs that have a worker."""
        with self._lock:
            return tuple(self._working)

    def is_warm(self, timeout: float = 0.0) -> bool:
        """Whether a spare worker is ready, within `timeout` seconds."""
        return self._spare.is_warm(timeout)

    def close(self) -> None:
        """Let every worker write a checkpoint and exit; kill those that take too long."""
        self._closed.set()
        self._monitor.join()
        with self._lock:
            for worker in self._working.values():
                worker.dismiss()
            deadline = time.monotonic() + CLOSE_SECONDS
            for worker in self._working.values():
                worker.end(max(0.1, deadline - time.monotonic()))
            self._reap()
            self._spare.close(max(0.1, deadline - time.monotonic()))
            for run_id in self._waiting:
                self._write(run_id, lost(read_status(self.root / run_id), N_("the server was closed")))
            self._waiting.clear()

    def _check_queue(self, owner: str | None) -> None:
        if self._closed.is_set():
            raise UserError("The server is closing; start the run again in a moment.")
        owners = [runs.owner_of(self.root, run_id) for run_id in (*self._waiting, *self._working)]
        own = 0 if owner is None else owners.count(owner)
        if own >= self.limits.runs_each:
            raise UserError(
                "Your runs that wait or train already: {own}, as many as allowed. Stop one, or wait for one.", own=own
            )
        if self._size.bytes() >= self.limits.all_bytes:
            raise UserError("This server has no room for more runs; delete one of yours, or try again tomorrow.")
        if len(self._waiting) >= self.limits.queued:
            raise UserError(
                "The queue is full, of length {queued}; try again when some have finished.", queued=self.limits.queued
            )

    def _enqueue(self, run_id: str) -> None:
        self._waiting.append(run_id)
        self._update()
        self._write_positions()

    def _watch(self) -> None:
        while not self._closed.wait(WATCH_SECONDS):
            with self._lock:
                self._update()
            if time.monotonic() - self._cleaned_at > CLEAN_SECONDS:
                self._cleaned_at = time.monotonic()
                delete_expired(self.root, days=self.limits.retention_days, busy={*self.waiting(), *self.working()})

    def _update(self) -> None:
        """Reap exited workers, start waiting runs, and keep a spare worker."""
        self._reap()
        started = False
        while self._waiting and len(self._working) < self.slots:
            self._start(self._waiting.pop(0))
            started = True
        if started:
            self._write_positions()
        self._keep_spare()

    def _keep_spare(self) -> None:
        if not self._closed.is_set():
            self._spare.keep()

    def _start(self, run_id: str) -> None:
        """Assign a run to the spare worker or a new one."""
        folder = self.root / run_id
        if not folder.is_dir():
            return
        try:
            worker = self._spare.take()
        except OSError as error:
            template = N_("No process could be started for the run: {reason}. Try again.")
            message = Message(template=template, values={"reason": error.strerror or str(error)})
            self._write(run_id, read_status(folder).with_message(message, state="failed", position=None))
            return
        status = by_this_process(read_status(folder))
        self._write(
            run_id, status.with_message(None, state="starting", position=None, pid=worker.pid, born=worker.born)
        )
        # If the spare worker has died, assign() fails silently, and _reap() records the exit as for any other worker.
        limits = RunLimits(
            seconds=self.limits.minutes * 60,
            disk_bytes=self.limits.disk_bytes,
            paused_seconds=self.limits.paused_minutes * 60,
        )
        worker.assign(folder, limits)
        self._working[run_id] = worker

    def _settle(self, run_id: str) -> None:
        """Wait for the worker of an ended run to exit, so that another can take the run over."""
        if run_id in self._working and not observed_status(self.root / run_id).is_live:
            self._working[run_id].end(EXIT_SECONDS)
            self._reap()

    def _reap(self) -> None:
        for run_id, worker in list(self._working.items()):
            code = worker.process.poll()
            if code is not None:
                del self._working[run_id]
                self._record_exit(run_id, code, worker.last_error_line())
                worker.release()

    def _record_exit(self, run_id: str, code: int, error_line: str) -> None:
        """Write the status of a run whose worker exited without doing so itself."""
        folder = self.root / run_id
        if folder.is_dir() and read_status(folder).is_live:
            reason = N_("the server was closed") if self._closed.is_set() else exit_reason(code)
            self._write(run_id, status_after_exit(folder, code, error_line, reason))

    def _write_positions(self) -> None:
        """Write each waiting run's position in the queue into its status."""
        for position, run_id in enumerate(self._waiting):
            status = read_status(self.root / run_id)
            if status.state != "queued" or status.position != position or not has_process(status):
                self._write(run_id, by_this_process(status.with_message(None, state="queued", position=position)))

    def _write(self, run_id: str, status: Status) -> None:
        """Write a status; if the folder is gone or the disk full, readers notice that the process has exited."""
        with contextlib.suppress(OSError):
            write_status(self.root / run_id, status)


@cache
def default_executor() -> LocalExecutor:
    """This process's executor: the runs in runs_folder(), within the server's settings."""
    from playground.folders import runs_folder

    return LocalExecutor(runs_folder(), slots=settings().slots, limits=limits_of(settings()))
