"""A bootstrap's drawings shared out to processes: `python -m playground.scaling.bootstrap_workers` is one of them.

The job comes as one line of JSON on its standard input; each fitted drawing leaves as one line on its standard output.
It ends with its work, or when nobody reads its output any more.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, Any

import numpy as np
from jaxtyping import Float

from playground.errors import UserError
from playground.scaling.bootstrap import OnSample, refitted
from playground.scaling.fits import Fit
from playground.scaling.points import Points

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 0.1
"""Seconds between two reports, at most."""
COLUMNS = ("params", "tokens", "loss", "flops", "unique")


def in_this_process(
    fit: Fit, *, count: int, seed: int, processes: int | None, on_sample: OnSample
) -> Float[np.ndarray, "sample parameter"]:
    """One drawing after the other."""
    samples = []
    for index in range(count):
        on_sample(index, count)
        samples.append(refitted(fit.law, fit.points, fit.parameters, seed, index, fit.floor))
    on_sample(count, count)
    return np.array(samples)


def in_processes(
    fit: Fit, *, count: int, seed: int, processes: int | None, on_sample: OnSample
) -> Float[np.ndarray, "sample parameter"]:
    """Every n-th drawing to each of n processes. Raises UserError where one of them dies."""
    number = min(processes or os.cpu_count() or 1, count)
    samples: dict[int, list[float]] = {}
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    with tempfile.TemporaryFile() as errors:
        workers = [_start(_job(fit, range(first, count, number), seed), lines, errors) for first in range(number)]
        try:
            while len(samples) < count:
                on_sample(len(samples), count)
                for line in _arrived(lines, workers, errors):
                    index, *values = json.loads(line)
                    samples[index] = values
            on_sample(count, count)
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
    return np.array([samples[index] for index in range(count)])


def _job(fit: Fit, indices: range, seed: int) -> dict[str, Any]:
    points = fit.points
    return {
        "law": fit.law,
        "parameters": fit.parameters,
        "floor": fit.floor,
        "columns": {name: getattr(points, name).tolist() for name in COLUMNS},
        "names": points.names,
        "seed": seed,
        "indices": list(indices),
    }


def _start(job: dict[str, Any], lines: "queue.SimpleQueue[str]", errors: IO[bytes]) -> "subprocess.Popen[str]":
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    worker = subprocess.Popen(
        [sys.executable, "-m", "playground.scaling.bootstrap_workers"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        env={**os.environ, **threads, "PYTHONPATH": os.pathsep.join(paths)},
    )
    threading.Thread(target=_feed_and_read, args=(worker, json.dumps(job), lines), daemon=True).start()
    return worker


def _feed_and_read(worker: "subprocess.Popen[str]", job: str, lines: "queue.SimpleQueue[str]") -> None:
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        with worker.stdin:
            worker.stdin.write(job)
        with worker.stdout:
            for line in worker.stdout:
                lines.put(line)
    except (OSError, ValueError):
        # It was ended while it was fed or read; whoever waits finds its exit code.
        return


def _arrived(lines: "queue.SimpleQueue[str]", workers: "list[subprocess.Popen[str]]", errors: IO[bytes]) -> list[str]:
    """What has come in, after waiting a little for the first."""
    failed = any(worker.poll() not in (None, 0) for worker in workers)
    try:
        found = [lines.get(timeout=PATIENCE)]
    except queue.Empty:
        if failed:
            errors.seek(0)
            last = errors.read().decode(errors="replace").strip().splitlines()[-1:] or ["without a word"]
            raise UserError(f"A process of the bootstrap ended early: {last[0]}. Try again.") from None
        return []
    while not lines.empty():
        found.append(lines.get())
    return found


def main() -> None:
    """Fit the drawings of a job."""
    job = json.loads(sys.stdin.read())
    points = Points(**job["columns"], names=tuple(job["names"]))
    for index in job["indices"]:
        values = refitted(job["law"], points, job["parameters"], job["seed"], index, job["floor"])
        try:
            print(json.dumps([index, *values]), flush=True)
        except BrokenPipeError:
            # Python would complain a second time on its way out.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return


if __name__ == "__main__":
    main()
