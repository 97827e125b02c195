"""The exponent a of the compute-optimal size, N ~ C^a, by several methods, and whether they agree."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playground.errors import UserError
from playground.scaling.allocation import optimal_params, tokens_for_compute
from playground.scaling.bootstrap import LEVEL, Bootstrap, percentile_interval
from playground.scaling.budgets import with_interval
from playground.scaling.fits import Fit
from playground.scaling.forms.form import Parameters
from playground.scaling.frontier import CLOSED_FORMS
from playground.text import _


@dataclass(frozen=True, kw_only=True)
class MethodExponent:
    """The exponent by one method; None where the method gives none."""

    method: str
    exponent: float | None
    interval: tuple[float, float] | None = None
    assumes: str = ""
    """What must hold for it; where there is no exponent, why not."""
    is_same_method: bool = False
    """Whether it repeats another row with N and C counted otherwise."""


def law_exponent(law: str, parameters: Parameters) -> float | None:
    """The exponent by a law's closed form, with C = 6 N D; None for a law without one.

    >>> law_exponent("chinchilla", {"E": 1.0, "A": 4.0, "B": 4.0, "alpha": 0.3, "beta": 0.1})
    0.25
    """
    try:
        frontier = CLOSED_FORMS[law](parameters)
    except (KeyError, UserError):
        return None
    return round(frontier.exponent, 12)


def law_exponent_interval(resamples: Bootstrap) -> tuple[float, float] | None:
    """The percentile interval of the same exponent; None where the law has no closed form."""
    exponents = [law_exponent(resamples.law, parameters) for parameters in resamples.parameters()]
    known = np.array([exponent for exponent in exponents if exponent is not None])
    if len(known) < 2:
        return None
    low, high = percentile_interval(known, LEVEL)
    return float(low), float(high)


def methods_agree(rows: Sequence[MethodExponent]) -> bool | None:
    """Whether all intervals overlap, so that one exponent lies in each; None where fewer than two methods have one."""
    intervals = [row.interval for row in _different_methods(rows) if row.interval is not None]
    if len(intervals) < 2:
        return None
    return max(low for low, _high in intervals) <= min(high for _low, high in intervals)


def _different_methods(rows: Sequence[MethodExponent]) -> list[MethodExponent]:
    return [row for row in rows if row.exponent is not None and not row.is_same_method]


def agreement_sentence(rows: Sequence[MethodExponent]) -> str:
    """From where to where the exponents go, and whether their intervals overlap; empty where there is one alone.

    Of methods that have no interval, or none yet, only the exponents are told.
    """
    exponents = [row.exponent for row in _different_methods(rows) if row.exponent is not None]
    if len(exponents) < 2:
        return ""
    template = {
        None: _("By {count} methods a is {low:.2f} to {high:.2f}."),
        True: _("By {count} methods a is {low:.2f} to {high:.2f}; the {known} intervals among them overlap."),
        False: _(
            "By {count} methods a is {low:.2f} to {high:.2f}; the {known} intervals among them do not all overlap: "
            "these runs do not settle it."
        ),
    }[methods_agree(rows)]
    known = sum(row.interval is not None for row in _different_methods(rows))
    return template.format(count=len(exponents), low=min(exponents), high=max(exponents), known=known)


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """The compute-optimal N and D of a budget by a fitted law, with their intervals where there is a bootstrap."""

    flops: float
    params: float
    tokens: float
    params_interval: tuple[float, float] | None = None
    tokens_interval: tuple[float, float] | None = None
    is_within: bool = True
    """Whether N lies between the smallest and the largest model that was trained."""


def optimum_of(fitted: Fit, resamples: Bootstrap | None, flops: float) -> Optimum:
    """The optimum for a compute that is counted as the runs' is. Raises UserError for a law that has none."""
    points = fitted.points
    budget = np.array([flops])
    params = optimal_params(fitted.law, fitted.parameters, budget, points)
    tokens = tokens_for_compute(points, params, budget)
    intervals: list[tuple[float, float] | None] = [None, None]
    sizes = []
    for parameters in resamples.parameters() if resamples else ():
        try:
            sizes.append(optimal_params(fitted.law, parameters, budget, points))
        except UserError:
            continue
    if len(sizes) > 1:
        each = np.array(sizes)
        both = (each, tokens_for_compute(points, each, np.full_like(each, flops)))
        intervals = [(float(low[0]), float(high[0])) for low, high in (percentile_interval(v, LEVEL) for v in both)]
    return Optimum(
        flops=flops,
        params=float(params[0]),
        tokens=float(tokens[0]),
        params_interval=intervals[0],
        tokens_interval=intervals[1],
        is_within=bool(points.params.min() <= params[0] <= points.params.max()),
    )


def optimum_sentence(optimum: Optimum) -> str:
    """N and D of the optimum with their intervals, and whether such a model was ever trained."""
    values = {
        "flops": optimum.flops,
        "params": with_interval(optimum.params, optimum.params_interval),
        "tokens": with_interval(optimum.tokens, optimum.tokens_interval),
    }
    template = (
        _("For the compute of the largest run, {flops:.2g} FLOP, the law's optimum is N = {params} and D = {tokens}.")
        if optimum.is_within
        else _(
            "For the compute of the largest run, {flops:.2g} FLOP, the law's optimum is N = {params} and D = {tokens}: "
            "no model of that size was trained."
        )
    )
    return template.format(**values)
