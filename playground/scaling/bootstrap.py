"""Bootstrap intervals of a fit's parameters (Efron 1979): refit the law to points resampled with replacement.

Each refit starts from the original fit and from one other start, so that a second minimum of the objective is found as
well. Points of one name are resampled together: budgets cut from one training curve are not independent.

`python -m playground.scaling.bootstrap` is the worker: a job as JSON on stdin, one line of JSON for each refit.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from playground.errors import UserError
from playground.progress import OnProgress, no_progress
from playground.scaling.diagnostics import Diagnostic
from playground.scaling.fits import Fit, fixed_offset
from playground.scaling.forms.form import Parameters
from playground.scaling.laws import LAWS
from playground.scaling.minimise import CentredPoints, minimise
from playground.scaling.points import ARRAYS, Points
from playground.text import N_

LEAST_RUNS = 5
"""With fewer, cluster resampling gives intervals that are far too narrow (Cameron et al. 2008, section 1)."""
LEVEL = 0.95
WIDE = 0.2
"""An interval of E that reaches further than this share of E to either side does not identify E."""
RESAMPLES = 1000
MOST_RESAMPLES = 100_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Bootstrap:
    """The law's parameters, refitted to resample after resample."""

    law: str
    seed: int
    estimates: Float[np.ndarray, "resample parameter"]
    """In the order of `LAWS[law].parameters`."""
    at_bounds: tuple[str, ...] = ()
    """Parameters that a bound held in the fit itself: the width of their estimates says nothing."""

    @property
    def n_resamples(self) -> int:
        """The number of resamples."""
        return len(self.estimates)

    def parameters(self) -> list[Parameters]:
        """Each resample's parameters by name."""
        names = LAWS[self.law].parameters
        return [dict(zip(names, map(float, estimate), strict=True)) for estimate in self.estimates]

    def intervals(self, level: float = LEVEL) -> dict[str, tuple[float, float]]:
        """Each parameter's percentile interval; none of those at bounds."""
        low, high = percentile_interval(self.estimates, level)
        by_name = zip(LAWS[self.law].parameters, low.tolist(), high.tolist(), strict=True)
        return {name: (a, b) for name, a, b in by_name if name not in self.at_bounds}

    def predicted(
        self, level: float = LEVEL, **columns: ArrayLike
    ) -> tuple[Float[np.ndarray, "*point"], Float[np.ndarray, "*point"]]:
        """The confidence band of the curve at these params, tokens, flops or unique; a single run scatters wider."""
        law = LAWS[self.law]
        losses = np.stack([law.predict(parameters, **columns) for parameters in self.parameters()])
        return percentile_interval(losses, level)

    def diagnose(self, fit: Fit) -> tuple[Diagnostic, ...]:
        """E, where its interval is too wide."""
        intervals = self.intervals()
        if "E" not in intervals or fit.floor is not None:
            return ()
        (low, high), fitted = intervals["E"], fit.parameters["E"]
        if low > (1 - WIDE) * fitted and high < (1 + WIDE) * fitted:
            return ()
        template = N_("The points do not identify E: its 95% interval is {low:.3g} to {high:.3g}.")
        return (Diagnostic(parameter="E", template=template, values={"low": low, "high": high}),)


def percentile_interval(
    samples: Float[np.ndarray, "sample *rest"], level: float
) -> tuple[Float[np.ndarray, "*rest"], Float[np.ndarray, "*rest"]]:
    """The quantiles that leave the same share outside on either side."""
    outside = (1 - level) / 2
    low, high = np.quantile(samples, [outside, 1 - outside], axis=0, method="nearest")
    return low, high


def bootstrap(
    fit: Fit,
    *,
    n_resamples: int = RESAMPLES,
    seed: int = 0,
    processes: int | None = None,
    on_progress: OnProgress = no_progress,
) -> Bootstrap:
    """Refit the law to `n_resamples` resamples, in worker processes (None: one for each core; 1: in this process).

    The result depends on the seed alone, not on the number of processes. on_progress is called at least every tenth of
    a second. Raises UserError for a number of resamples that makes no interval, for points of fewer than LEAST_RUNS
    runs that have several each, and where a process dies.
    """
    if not 2 <= n_resamples <= MOST_RESAMPLES:
        raise UserError(
            "{n_resamples} resamples make no interval; choose 2 to {most:,}.",
            n_resamples=n_resamples,
            most=MOST_RESAMPLES,
        )
    refused = why_not_resampled(fit.points)
    if refused is not None:
        raise refused
    if processes == 1:
        estimates = _in_this_process(fit, n_resamples, seed, on_progress)
    else:
        n_workers = min(processes or os.cpu_count() or 1, n_resamples)
        estimates = _in_workers(fit, n_resamples, seed, n_workers, on_progress)
    at_bounds = tuple(diagnostic.parameter for diagnostic in fit.diagnostics if not diagnostic.has_interval)
    return Bootstrap(law=fit.law, seed=seed, estimates=estimates, at_bounds=at_bounds)


def why_not_resampled(points: Points) -> UserError | None:
    """Whole runs are resampled where they have several points: of two runs most resamples hold one of them twice."""
    runs = len(set(_runs_of(points)))
    if runs < min(LEAST_RUNS, len(points)):
        return UserError(
            "The {points} points belong to {runs} runs, and points of one run do not scatter independently: intervals "
            "by resampling need at least {least} runs.",
            points=len(points),
            runs=runs,
            least=LEAST_RUNS,
        )
    return None


def resample(points: Points, seed: int, index: int) -> Int[np.ndarray, " point"]:
    """The indices of one resample's points: as many points with replacement, or as many runs with all their points."""
    random = np.random.default_rng([seed, index])
    members: dict[str, list[int]] = {}
    for point, run in enumerate(_runs_of(points)):
        members.setdefault(run, []).append(point)
    if len(members) == len(points):
        return random.integers(0, len(points), len(points))
    runs = sorted(members)
    return np.concatenate([members[runs[pick]] for pick in random.integers(0, len(runs), len(runs))])


def _runs_of(points: Points) -> list[str]:
    """The run of each point, by name; a point that repeats another one's numbers is that one, whatever its name.

    Two exports in one table have each run twice: taken for two runs, they made intervals 1.4 times too narrow.
    """
    first: dict[tuple[float, ...], str] = {}
    names = points.names or tuple(map(str, range(len(points))))
    numbers = zip(points.params.tolist(), points.tokens.tolist(), points.loss.tolist(), strict=True)
    return [first.setdefault(row, name) for row, name in zip(numbers, names, strict=True)]


def refit_resample(
    name: str, points: Points, parameters: Parameters, seed: int, index: int, floor: float | None = None
) -> list[float]:
    """The law's parameters for one resample, starting from those of all points; E fixed at a known floor."""
    law = LAWS[name]
    sample = points.take(resample(points, seed, index))
    centred = CentredPoints.of(law.form, sample)
    low, high = np.array(centred.bounds()).T
    warm = np.clip(centred.to_theta(parameters), low, high)
    others = centred.starts()
    # One other start for each resample, in turn: the refits together visit all of them.
    starts = np.stack([warm, others[index % len(others)]])
    minimum = minimise(centred, starts, fixed_offset(law, sample, floor))
    refitted = centred.to_parameters(minimum.theta)
    return [refitted[parameter] for parameter in law.parameters]


def _in_this_process(
    fit: Fit, n_resamples: int, seed: int, on_progress: OnProgress
) -> Float[np.ndarray, "resample parameter"]:
    estimates = []
    for index in range(n_resamples):
        on_progress(index, n_resamples)
        estimates.append(refit_resample(fit.law, fit.points, fit.parameters, seed, index, fit.floor))
    on_progress(n_resamples, n_resamples)
    return np.array(estimates)


ROOT = Path(__file__).resolve().parents[2]
REPORT_SECONDS = 0.1
"""The longest time between two reports."""


def _in_workers(
    fit: Fit, n_resamples: int, seed: int, n_workers: int, on_progress: OnProgress
) -> Float[np.ndarray, "resample parameter"]:
    """Give every n-th resample to each of n processes. Raises UserError where one of them dies."""
    estimates: dict[int, list[float]] = {}
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    with tempfile.TemporaryFile() as errors:
        workers = [
            _start_worker(_job(fit, range(first, n_resamples, n_workers), seed), lines, errors)
            for first in range(n_workers)
        ]
        try:
            while len(estimates) < n_resamples:
                on_progress(len(estimates), n_resamples)
                for line in _next_lines(lines, workers, errors):
                    index, *parameters = json.loads(line)
                    estimates[index] = parameters
            on_progress(n_resamples, n_resamples)
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
    return np.array([estimates[index] for index in range(n_resamples)])


def _job(fit: Fit, indices: range, seed: int) -> dict[str, Any]:
    points = fit.points
    return {
        "law": fit.law,
        "parameters": fit.parameters,
        "floor": fit.floor,
        "arrays": {name: getattr(points, name).tolist() for name in ARRAYS},
        "names": points.names,
        "seed": seed,
        "indices": list(indices),
    }


def _start_worker(job: dict[str, Any], lines: "queue.SimpleQueue[str]", errors: IO[bytes]) -> "subprocess.Popen[str]":
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
        # The worker ended while it was fed or read; _next_lines sees its exit code.
        return


def _next_lines(
    lines: "queue.SimpleQueue[str]", workers: "list[subprocess.Popen[str]]", errors: IO[bytes]
) -> list[str]:
    """The lines that have arrived, after a short wait for the first. Raises UserError where a worker has died."""
    failed = any(worker.poll() not in (None, 0) for worker in workers)
    try:
        arrived = [lines.get(timeout=REPORT_SECONDS)]
    except queue.Empty:
        if failed:
            errors.seek(0)
            last = errors.read().decode(errors="replace").strip().splitlines()[-1:] or ["without a word"]
            raise UserError("A process of the bootstrap ended early: {last}. Try again.", last=last[0]) from None
        return []
    while not lines.empty():
        arrived.append(lines.get())
    return arrived


def main() -> None:
    """Work off the job on stdin."""
    job = json.loads(sys.stdin.read())
    points = Points(**job["arrays"], names=tuple(job["names"]))
    for index in job["indices"]:
        parameters = refit_resample(job["law"], points, job["parameters"], job["seed"], index, job["floor"])
        try:
            print(json.dumps([index, *parameters]), flush=True)
        except BrokenPipeError:
            # Python would complain a second time on its way out.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return


if __name__ == "__main__":
    main()
