"""Time a fit and its bootstrap: `python -m benchmarks.scaling`.

250 points of the replication's law with noise of half a percent: Chinchilla's law fitted from 32 starts (with
diagnostics), and 1,000 bootstrap resamples in two processes; then each law once on the same points. For comparison,
what one start of a plain L-BFGS-B reaches on the mean of the losses. Writes benchmarks/results/scaling.json. Run
nothing else meanwhile.
"""

import argparse
import json
import statistics
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from scipy.optimize import minimize

from benchmarks.machine import RESULTS, measured_on
from playground.scaling.bootstrap import bootstrap
from playground.scaling.fits import Fit, fit, fit_chinchilla
from playground.scaling.laws import LAWS
from playground.scaling.minimise import objective
from playground.scaling.points import Points
from playground.scaling.published import BESIROGLU

PACKAGES = ("numpy", "scipy")
COUNT = 250
NOISE = 0.005
STUCK = 1.001
"""Above the best objective, relative to it, a plain run has stuck."""


def planted(seed: int = 0) -> Points:
    """Runs of random sizes whose losses follow the replication's law."""
    random = np.random.default_rng(seed)
    params, tokens = 10 ** random.uniform(7.5, 10.2, COUNT), 10 ** random.uniform(9, 11.5, COUNT)
    loss = LAWS["chinchilla"].predict(BESIROGLU.parameters, params=params, tokens=tokens)
    return Points(params=params, tokens=tokens, loss=loss * np.exp(NOISE * random.normal(size=COUNT)))


def measure(*, rounds: int, n_resamples: int, processes: int) -> dict[str, Any]:
    """Seconds of a fit and of its bootstrap in each round, and how plain runs end."""
    points = planted()
    fits, bootstraps = [], []
    for _ in range(rounds):
        started = perf_counter()
        fitted = fit_chinchilla(points)
        fits.append(perf_counter() - started)
        started = perf_counter()
        resamples = bootstrap(fitted, n_resamples=n_resamples, processes=processes)
        bootstraps.append(perf_counter() - started)
    return {
        "made": measured_on("scaling", threads=1, packages=PACKAGES),
        "points": COUNT,
        "noise": NOISE,
        "planted": BESIROGLU.parameters,
        "fitted": fitted.parameters,
        "intervals": resamples.intervals(),
        "starts": fitted.starts,
        "reached": fitted.reached,
        "fit_seconds": fits,
        "fit_median": statistics.median(fits),
        "drawings": n_resamples,
        "processes": processes,
        "bootstrap_seconds": bootstraps,
        "bootstrap_median": statistics.median(bootstraps),
        "laws": {name: each(name, points, n_resamples=n_resamples, processes=processes) for name in LAWS},
        "plain": plain(fitted),
    }


def each(name: str, points: Points, *, n_resamples: int, processes: int) -> dict[str, Any]:
    """Seconds of a law's fit and bootstrap on the same points, which do not identify every law."""
    started = perf_counter()
    fitted = fit(name, points)
    fit_seconds = perf_counter() - started
    started = perf_counter()
    bootstrap(fitted, n_resamples=n_resamples, processes=processes)
    bootstrap_seconds = perf_counter() - started
    return {"fit": fit_seconds, "bootstrap": bootstrap_seconds, "not_told": list(fitted.unidentified)}


def plain(fitted: Fit) -> dict[str, Any]:
    """Plain L-BFGS-B from the same starts, on the sum and on the mean of the losses, neither centred nor scaled."""
    points, form = fitted.points, LAWS["chinchilla"].form
    logs, losses = points.logs(form.columns), np.log(points.loss)
    centre = form.centre(logs)
    starts = form.shift(form.starts(logs - centre[:, None], losses), -centre)
    outcomes = {}
    for name, scale in (("sum", 1.0), ("mean", 1 / COUNT)):

        def scaled(theta: Any, scale: float = scale) -> tuple[float, Any]:
            value, gradient = objective(theta, form, logs, losses)
            return scale * value, scale * gradient

        ends = [minimize(scaled, start, jac=True, method="L-BFGS-B") for start in starts]
        best = min(ends, key=lambda end: float(end.fun))
        outcomes[name] = {
            "stuck": float(np.mean([end.fun / scale > STUCK * fitted.objective for end in ends])),
            "report_success": float(np.mean([end.success for end in ends])),
            "best": form.to_parameters(best.x),
            "best_over_ours": float(best.fun / scale / fitted.objective),
        }
    return outcomes


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description="Time a fit of Chinchilla's law and its bootstrap.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS / "scaling.json", help="where the JSON goes")
    arguments = parser.parse_args()
    results = measure(rounds=arguments.rounds, n_resamples=arguments.resamples, processes=arguments.processes)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(
        json.dumps(
            {name: results[name] for name in ("fit_median", "bootstrap_median", "reached", "laws", "plain")}, indent=1
        )
    )


if __name__ == "__main__":
    main()
