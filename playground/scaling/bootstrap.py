"""Intervals of a fit's numbers by the bootstrap: Efron 1979; the law is fitted again to points drawn with replacement.

Each drawing starts from the fit and from one other start, so that a second valley of the objective is found as well.
Points of one name are drawn together: budgets cut from one training curve are not independent.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from playground.errors import UserError
from playground.scaling.diagnostics import Doubt
from playground.scaling.fits import Fit, held_at
from playground.scaling.forms.form import Parameters
from playground.scaling.laws import LAWS
from playground.scaling.minimise import minimise
from playground.scaling.points import Points

LEVEL = 0.95
LOOSE = 0.2
"""An interval of E that reaches further than this share of E to either side is too wide to headline E."""
COUNT = 1000
MOST = 100_000

OnSample = Callable[[int, int], None]
"""Told how many of how many drawings are fitted; what it raises ends the work, which is how it is cancelled."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Bootstrap:
    """The law's numbers, fitted to drawing after drawing. samples are in the order of `LAWS[law].parameters`."""

    law: str
    seed: int
    samples: Float[np.ndarray, "sample parameter"]

    @property
    def count(self) -> int:
        """How many drawings."""
        return len(self.samples)

    def parameters(self) -> list[Parameters]:
        """The numbers of each drawing by name."""
        names = LAWS[self.law].parameters
        return [dict(zip(names, map(float, sample), strict=True)) for sample in self.samples]

    def intervals(self, level: float = LEVEL) -> dict[str, tuple[float, float]]:
        """Of each number, between which quantiles so many of the drawings lie."""
        low, high = quantiles(self.samples, level)
        names = LAWS[self.law].parameters
        return {name: (float(a), float(b)) for name, a, b in zip(names, low, high, strict=True)}

    def predicted(
        self, level: float = LEVEL, **columns: ArrayLike
    ) -> tuple[Float[np.ndarray, "*point"], Float[np.ndarray, "*point"]]:
        """Between what the curve itself lies at these params, tokens, flops or unique; a single run scatters wider."""
        law = LAWS[self.law]
        losses = np.stack([law.predict(parameters, **columns) for parameters in self.parameters()])
        return quantiles(losses, level)

    def doubts(self, fit: Fit) -> tuple[Doubt, ...]:
        """An E whose interval is too wide."""
        if "E" not in fit.parameters or fit.floor is not None:
            return ()
        (low, high), fitted = self.intervals()["E"], fit.parameters["E"]
        if low > (1 - LOOSE) * fitted and high < (1 + LOOSE) * fitted:
            return ()
        sentence = f"The points do not tell E: 95 % of the drawings give {low:.3g} to {high:.3g}."
        return (Doubt(parameter="E", sentence=sentence),)


def quantiles(
    samples: Float[np.ndarray, "sample *rest"], level: float
) -> tuple[Float[np.ndarray, "*rest"], Float[np.ndarray, "*rest"]]:
    """The quantiles that leave the same share outside on either side."""
    outside = (1 - level) / 2
    low, high = np.quantile(samples, [outside, 1 - outside], axis=0, method="nearest")
    return low, high


def bootstrap(
    fit: Fit,
    *,
    count: int = COUNT,
    seed: int = 0,
    processes: int | None = None,
    on_sample: OnSample | None = None,
) -> Bootstrap:
    """Fit `count` drawings, in processes of their own (None: one for each core; 1: in this one).

    The result depends on the seed alone, not on the number of processes. on_sample is called at least every tenth of
    a second and cancels by raising.
    Raises UserError for a count that makes no sense, or where a process dies.
    """
    if not 2 <= count <= MOST:
        raise UserError("A bootstrap of {count} drawings makes no sense; choose 2 to {most:,}.", count=count, most=MOST)

    work = in_this_process if processes == 1 else in_processes
    samples = work(fit, count=count, seed=seed, processes=processes, on_sample=on_sample or _tell_nobody)
    return Bootstrap(law=fit.law, seed=seed, samples=samples)


def _tell_nobody(done: int, total: int) -> None:
    """Nobody waits."""


def drawn(points: Points, seed: int, index: int) -> Int[np.ndarray, " row"]:
    """The rows of one drawing."""
    random = np.random.default_rng([seed, index])
    if not points.names or len(set(points.names)) == len(points):
        return random.integers(0, len(points), len(points))
    names = sorted(set(points.names))
    chosen = random.integers(0, len(names), len(names))
    rows = [[row for row, name in enumerate(points.names) if name == names[pick]] for pick in chosen]
    return np.concatenate(rows)


def refitted(
    name: str, points: Points, parameters: Parameters, seed: int, index: int, floor: float | None = None
) -> list[float]:
    """The law's numbers for one drawing, beginning from those fitted to all points; E held at a known floor."""
    form = LAWS[name].form
    sample = points.take(drawn(points, seed, index))
    logs, log_losses = sample.logs(form.columns), np.log(sample.loss)
    centre = form.centre(logs)
    logs = logs - centre[:, None]
    held = held_at(LAWS[name], sample, floor)
    low, high = np.array(form.bounds(logs, log_losses)).T
    warm = np.clip(form.moved(form.theta(parameters), centre), low, high)
    others = form.starts(logs, log_losses)
    found = minimise(form, logs, log_losses, np.stack([warm, others[index % len(others)]]), held)
    published = form.published(form.moved(found.theta, -centre))
    return [published[parameter] for parameter in form.parameters]


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
        [sys.executable, "-m", "playground.scaling.bootstrap"],
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
            raise UserError("A process of the bootstrap ended early: {last}. Try again.", last=last[0]) from None
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
