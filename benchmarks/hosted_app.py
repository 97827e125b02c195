"""A hosted server of its own process on loopback, for measurements: its address, its memory, its log."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks.browser import ROOT, free_port, streamlit_command, wait_until_healthy


@dataclass(frozen=True, kw_only=True)
class HostedApp:
    """A running server."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path
    runs: Path

    def megabytes(self) -> float:
        """Resident memory of the server's own process, without its trainings."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    def trainings(self) -> int:
        """How many runs are being trained now, or about to be."""
        from playground.training.run.status import observed_status

        folders = [folder for folder in self.runs.iterdir() if folder.is_dir()] if self.runs.is_dir() else []
        return sum(observed_status(folder).is_live for folder in folders)

    def tracebacks(self) -> int:
        """How many tracebacks stand in its log; the word alone, which some printers colour."""
        return self.log.read_text(errors="replace").count("Traceback")


@contextmanager
def hosted_app(environment: Mapping[str, str], *, threads: int) -> Iterator[HostedApp]:
    """`streamlit run asgi.py` with a home and a folder of runs of its own; the block begins when it answers."""
    port = free_port()
    command = streamlit_command("asgi.py", port)
    with TemporaryDirectory(prefix="load", ignore_cleanup_errors=True) as folder:
        log, runs = Path(folder) / "server.log", Path(folder) / "runs"
        variables = {"OMP_NUM_THREADS": str(threads), "HOME": folder, "PLAYGROUND_RUNS": str(runs)}
        with log.open("wb") as out:
            server = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **variables, **environment}, stdout=out, stderr=subprocess.STDOUT
            )
        try:
            wait_until_healthy(server, port)
            yield HostedApp(address=f"http://127.0.0.1:{port}", process=server, log=log, runs=runs)
        finally:
            workers = psutil.Process(server.pid).children(recursive=True)
            server.terminate()
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            psutil.wait_procs(workers, timeout=20)  # they leave with a checkpoint, into this folder
