"""A worker process, seen from its parent: start it, assign a job, wait for its exit."""

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from playground.training.run.status import birth_of

ROOT = Path(__file__).resolve().parents[2]
TAIL_BYTES = 2000


@dataclass(kw_only=True)
class Worker:
    """A process that waits for its job, or does it."""

    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    """Its standard error."""
    born: float
    """Start of the process in seconds since 1970, by which a reused process id is recognised."""
    started: float = field(default_factory=time.monotonic)

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def assign(self, folder: Path, *, seconds: float, disk_bytes: int) -> bool:
        """Assign the job; returns False if the process has exited."""
        assert self.process.stdin is not None
        job = {"folder": str(folder.resolve()), "seconds": seconds, "disk_bytes": disk_bytes}
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
