"""Scaling laws: fit them, compare them with the published ones, plan a budget. No torch, no training (see sweeps).

points.py       measured losses over parameters, tokens and FLOPs
points_csv.py   points from a CSV
table_rows.py  the rows of a table, whatever stands above them
task_table.py   checkpoints of a task from a table, their losses and shares right
table_numbers.py  numbers as people write them, and units in headings
laws.py         the laws by name
forms/          their formulas, gradients and starting points
minimise.py     the Huber objective, minimised from many starts
fits.py         fit a law to points
bounds.py       parameters that ended where their range ends
diagnostics.py  which parameters the points identify; how well the largest runs are predicted
bootstrap.py    intervals by resampling, in worker processes
verdict.py      what a fit can and cannot say: exponents with their width, the runs test on its residuals
exponents.py    the exponent of the compute-optimal size by method, and whether the methods agree
frontier.py     the compute-optimal frontier: closed forms, and the envelope of training curves
profiles.py     isoFLOP profiles, and a grid's runs interpolated to common budgets
overtraining.py tokens per parameter: loss at a ratio, the optimal ratio, how far a model is from it
allocation.py   the optimal N and D of a budget; with inference, with repeated data
quantization.py the exponents that a Zipf law of skills predicts
published.py    what the papers printed, with sources
famous.py       language models that others trained, beside a law's optimum
refits.py       Hoffmann's runs, fitted in the ways in which the papers differ
downstream.py   from loss to task: the law of a task's error, fitted to checkpoints
plans.py        a budget planned by each paper and by one's own fit
budgets.py      FLOP to hours, energy and cost; tokens to bytes and books
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.scaling.fits import fit, fit_chinchilla, fit_power_law
    from playground.scaling.plans import plan
    from playground.scaling.points import Points
    from playground.scaling.profiles import isoflop

__all__ = ["Points", "fit", "fit_chinchilla", "fit_power_law", "isoflop", "plan"]

_HOMES = {
    "Points": "points",
    "fit": "fits",
    "fit_chinchilla": "fits",
    "fit_power_law": "fits",
    "isoflop": "profiles",
    "plan": "plans",
}


def __getattr__(name: str) -> Any:
    """Import scipy only when somebody fits."""
    if name not in _HOMES:
        raise AttributeError(f"module 'playground.scaling' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"playground.scaling.{_HOMES[name]}"), name)
