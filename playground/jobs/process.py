"""A worker process as its parent sees it: started ahead, handed one job, watched until it exits."""

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
    """A process that waits for a job or does it."""

    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    """Its standard error."""
    born: float
    """When the process started, in seconds since 1970."""
    started: float = field(default_factory=time.monotonic)

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def assign(self, folder: Path, *, seconds: float, disk_bytes: int) -> bool:
        """Hand it its job; returns whether it was there to take it."""
        assert self.process.stdin is not None
        job = {"folder": str(folder.resolve()), "seconds": seconds, "disk_bytes": disk_bytes}
        try:
            self.process.stdin.write(json.dumps(job).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            return False
        return self.process.poll() is None

    def is_warm(self, timeout: float = 0.0) -> bool:
        """Whether it has imported everything; waits so many seconds for that."""
        assert self.process.stdout is not None
        return bool(select.select([self.process.stdout], [], [], timeout)[0])

    def dismiss(self) -> None:
        """Ask it to exit, with a checkpoint if it is at work."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
        except OSError:
            return

    def end(self, timeout: float) -> None:
        """Wait until it exits; kill it after so many seconds."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def last_error_line(self) -> str:
        """The last line that it wrote to standard error."""
        self.errors.seek(max(0, self.errors.seek(0, os.SEEK_END) - TAIL_BYTES))
        lines = self.errors.read().decode("utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def release(self) -> None:
        """Close the files of a process that is gone."""
        self.dismiss()
        for file in (self.process.stdout, self.errors):
            if file is not None:
                file.close()


def start_worker() -> Worker:
    """Start a process that prepares for a job: one torch thread, in a process session of its own.

    A Ctrl-C in the terminal then reaches only the server; the workers learn of its end when their input closes.
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
