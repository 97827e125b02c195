"""Scaling laws: fit them, hold them against the published ones, and plan a budget with them.

points.py     measured losses over parameters, tokens and FLOPs;  reading.py  from a CSV;  numerals.py  its numbers
laws.py       the laws by name;  forms/  their formulas, gradients and starts
fits.py       a law fitted to points from many starts;  minimise.py, heldout.py, identifiability.py
bootstrap.py  intervals, in worker processes
frontier.py   the compute-optimal model: closed form, isoFLOP valleys, the envelope of training curves
spending.py   the best use of compute, counted as one's own runs count it
constants.py  what the papers printed, with sources
counting.py   parameters and FLOPs, by each convention;  counted.py  what that does to an exponent
plans.py      a budget to a model, data, loss;  budgets.py, serving.py, repeats.py, data_size.py
alignment.py  published laws in the units of one's own points;  interpolation.py  runs brought to one budget
design.py     a sweep's cells: sizes, budgets, seeds;  costs.py  what they will take
sweep.py      running them into a folder, resumable;  places.py, cluster.py  where;  driving.py  from a page
results.py    points.csv and curves.csv of a sweep;  folder.py, progress.py, view.py, card.py
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.scaling.fits import fit, fit_chinchilla, fit_power_law
    from playground.scaling.frontier import isoflop
    from playground.scaling.plans import plan
    from playground.scaling.points import Points

__all__ = ["Points", "fit", "fit_chinchilla", "fit_power_law", "isoflop", "plan"]

_HOMES = {
    "Points": "points",
    "fit": "fits",
    "fit_chinchilla": "fits",
    "fit_power_law": "fits",
    "isoflop": "frontier",
    "plan": "plans",
}


def __getattr__(name: str) -> Any:
    """Import scipy only when somebody fits."""
    if name not in _HOMES:
        raise AttributeError(f"module 'playground.scaling' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"playground.scaling.{_HOMES[name]}"), name)
