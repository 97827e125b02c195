"""A worker process, seen from its parent: start it, assign a job, wait for its exit; one is kept in reserve."""

import contextlib
import dataclasses
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from playground.training.run.limits import RunLimits
from playground.training.run.status import birth_of

ROOT = Path(__file__).resolve().parents[2]
TAIL_BYTES = 2000
SPARE_SECONDS = 1.0
"""Delay of the next spare worker after a run has started: its imports would slow the first steps."""


@dataclass(kw_only=True)
class Worker:
    """A process that waits for its job, or does it."""

    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    """Its standard error."""
    born: float
    """Start of the process as `birth_of` says, by which a reused process id is recognised."""
    started: float = field(default_factory=time.monotonic)

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def assign(self, folder: Path, limits: RunLimits) -> bool:
        """Assign a run; returns False if the process has exited."""
        return self._send({"folder": str(folder.resolve()), "limits": dataclasses.asdict(limits)})

    def assign_range_test(self, config: dict[str, Any], steps: int, trials: Path) -> bool:
        """Assign a learning-rate range test that appends its trials to a file; False if the process has exited."""
        return self._send({"config": config, "steps": steps, "trials": str(trials.resolve())})

    def _send(self, job: dict[str, Any]) -> bool:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(job).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            return False
        return self.process.poll() is None

    def is_warm(self, timeout: float = 0.0) -> bool:
        """Whether it has imported everything, within `timeout` seconds."""
        assert self.process.stdout is not None
        return bool(select.select([self.process.stdout], [], [], timeout)[0])

    def dismiss(self) -> None:
        """Ask it to exit; a running job writes a checkpoint first."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
        except OSError:
            return

    def end(self, timeout: float) -> None:
        """Wait for its exit; kill it after `timeout` seconds."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def last_error_line(self) -> str:
        """The last line of its standard error."""
        self.errors.seek(max(0, self.errors.seek(0, os.SEEK_END) - TAIL_BYTES))
        lines = self.errors.read().decode("utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def release(self) -> None:
        """Close the files of a process that has exited."""
        self.dismiss()
        for file in (self.process.stdout, self.errors):
            if file is not None:
                file.close()


def start_worker() -> Worker:
    """Start a worker with one torch thread, in a process session of its own.

    A Ctrl-C in the terminal then reaches only the server; workers notice its end when their input closes.
    """
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process lives
    process = subprocess.Popen(
        [sys.executable, "-m", "playground.jobs.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**os.environ, **threads, "PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=True,
    )
    return Worker(process=process, errors=errors, born=birth_of(process.pid))


class SpareWorker:
    """A worker that has imported torch before there is a job for it."""

    def __init__(self) -> None:
        self._worker: Worker | None = None
        self._taken_at = 0.0

    def take(self) -> Worker:
        """The spare worker, or a new one. Raises OSError where no process can be started."""
        worker, self._worker = self._worker or start_worker(), None
        self._taken_at = time.monotonic()
        return worker

    def keep(self) -> None:
        """Start another in place of one that was taken or has exited."""
        if self._worker is not None and self._worker.process.poll() is not None:
            self._worker.release()
            self._worker = None
        if self._worker is None and time.monotonic() - self._taken_at > SPARE_SECONDS:
            with contextlib.suppress(OSError):  # no process can be started at the moment: try again later
                self._worker = start_worker()

    def is_warm(self, timeout: float = 0.0) -> bool:
        """Whether there is one with everything imported, within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            worker = self._worker
            if worker is not None and worker.is_warm():
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)

    def close(self, timeout: float) -> None:
        """Let it exit."""
        if self._worker is not None:
            self._worker.dismiss()
            self._worker.end(timeout)
            self._worker.release()
            self._worker = None
