"""A budget in FLOPs to a model, its data and its loss, by each paper and by a fit of one's own.

budgets.py makes FLOPs of hours and money; serving.py trades training for serving; repeats.py plans with too little
data; data_size.py says how much data that is.
"""

from dataclasses import dataclass

import numpy as np

from playground.errors import UserError
from playground.scaling.bootstrap import Bootstrap, quantiles
from playground.scaling.budgets import checked
from playground.scaling.fits import Fit
from playground.scaling.forms.form import Parameters
from playground.scaling.frontier import Frontier, closed_form, kaplan_closed_form
from playground.scaling.laws import LAWS
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN
from playground.scaling.published import ALLOCATIONS, BESIROGLU, HOFFMANN, KAPLAN_C, Allocation, Published

Interval = tuple[float, float]
INDEPENDENT = 1.2816
"""Standard errors between the median and the 90th percentile of a normal distribution."""
MIDDLE, LARGEST = ALLOCATIONS["hoffmann-3"].middle, ALLOCATIONS["hoffmann-3"].largest
"""The replication is fitted to runs of the same paper."""
LEVEL = 0.8
"""Papers print 10th to 90th percentiles, so a fit's own intervals here are the same."""
FRONTIERS = {"chinchilla": closed_form, "data-constrained": closed_form, "kaplan": kaplan_closed_form}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The best model of a budget by one law. Intervals are from the 10th to the 90th percentile, None where unknown.

    loss is in nats for each token of that paper's text and tokenizer: papers do not compare. beyond is
    how many times the budget is larger than that of the largest run that the law was fitted to. note says what stands
    behind the loss and the intervals.
    """

    key: str
    title: str
    flops: float
    params: float
    tokens: float
    loss: float
    params_interval: Interval | None
    tokens_interval: Interval | None
    loss_interval: Interval | None
    beyond: float
    source: str
    note: str

    @property
    def tokens_per_parameter(self) -> float:
        """About 20 by Hoffmann's first two approaches."""
        return self.tokens / self.params


def plan(flops: float, fit: Fit | None = None, bootstrap: Bootstrap | None = None) -> tuple[Plan, ...]:
    """The budget spent by Kaplan, Hoffmann's approaches 1 to 3, the replication, and a fit of one's own.

    Raises UserError for a budget that is none, and for a fit of a law that knows no optimum.
    """
    checked(flops)
    own = (own_plan(flops, fit, bootstrap),) if fit else ()
    return (*(_allocated(flops, allocation) for allocation in ALLOCATIONS.values()), _replicated(flops), *own)


def _allocated(flops: float, allocation: Allocation) -> Plan:
    """Along a printed N ~ C^a, with the exponent's interval swung around the middle of the paper's runs."""
    params = _along(flops, allocation, allocation.exponent)
    tokens = flops / (FLOPS_PER_PARAMETER_AND_TOKEN * params)
    interval = allocation.interval and _interval(
        *(_along(flops, allocation, exponent) for exponent in allocation.interval)
    )
    behind, loss, note = _loss_of(allocation, flops, params, tokens)
    return Plan(
        key=allocation.key,
        title=allocation.title,
        flops=flops,
        params=params,
        tokens=tokens,
        loss=loss,
        params_interval=interval,
        tokens_interval=interval and _tokens_of(flops, interval),
        loss_interval=None,
        beyond=flops / allocation.largest,
        source=f"{allocation.source}; loss: {behind.source}",
        note=note + (f" Interval: {allocation.interval_means}." if interval else " No interval is printed."),
    )


def _along(flops: float, allocation: Allocation, exponent: float) -> float:
    middle = allocation.params * (allocation.middle / allocation.flops) ** allocation.exponent
    return float(middle * (flops / allocation.middle) ** exponent)


def _loss_of(allocation: Allocation, flops: float, params: float, tokens: float) -> tuple[Published, float, str]:
    if allocation.key == "kaplan":
        loss = LAWS[KAPLAN_C.law].predict(KAPLAN_C.parameters, flops=flops)
        return KAPLAN_C, float(loss), "N without embeddings; the loss is that of Kaplan's best allocation of C."
    behind = HOFFMANN if allocation.key == "hoffmann-3" else BESIROGLU
    loss = LAWS[behind.law].predict(behind.parameters, params=params, tokens=tokens)
    note = (
        ""
        if behind is HOFFMANN
        else "The approach has no formula of the loss; this is the replication's at its N and D."
    )
    return behind, float(loss), note


def _replicated(flops: float) -> Plan:
    """The closed form of the replication; the interval treats its printed standard errors as independent."""
    parameters, errors = BESIROGLU.parameters, BESIROGLU.errors or {}
    frontier = closed_form(parameters)
    alpha, beta = parameters["alpha"], parameters["beta"]
    error = np.hypot(alpha * errors["beta"], beta * errors["alpha"]) / (alpha + beta) ** 2
    params = float(frontier.params(flops))
    swing = (flops / MIDDLE) ** (INDEPENDENT * error)
    interval = _interval(params / swing, params * swing)
    return Plan(
        key=BESIROGLU.key,
        title=BESIROGLU.title,
        flops=flops,
        params=params,
        tokens=float(frontier.tokens(flops)),
        loss=float(LAWS[BESIROGLU.law].predict(parameters, params=params, tokens=frontier.tokens(flops))),
        params_interval=interval,
        tokens_interval=_tokens_of(flops, interval),
        loss_interval=None,
        beyond=flops / LARGEST,
        source=BESIROGLU.source,
        note="Interval: of the exponent, from the printed standard errors of alpha and beta taken as independent.",
    )


def own_plan(flops: float, fit: Fit, bootstrap: Bootstrap | None = None) -> Plan:
    """By a fit, with intervals from its bootstrap. Raises UserError for laws of one thing: they know no optimum."""
    params, tokens, loss = optimum(checked(flops), fit.law, fit.parameters)
    drawn = np.array([optimum(flops, fit.law, parameters) for parameters in _usable(bootstrap)])
    intervals = list(zip(*quantiles(drawn, LEVEL), strict=True)) if len(drawn) else [None] * 3
    n, d, nats = (interval and _interval(*interval) for interval in intervals)
    beyond = flops / float(fit.points.flops.max())
    return Plan(
        key="own",
        title=f"Your fit, {LAWS[fit.law].title}",
        flops=flops,
        params=params,
        tokens=tokens,
        loss=loss,
        params_interval=n,
        tokens_interval=d,
        loss_interval=nats,
        beyond=beyond,
        source=f"{len(fit.points)} points",
        note=f"{bootstrap.count:,} drawings of the points." if bootstrap else "Draw intervals to see how sure this is.",
    )


def optimum(flops: float, law: str, parameters: Parameters) -> tuple[float, float, float]:
    """N, D and loss of the best use of a budget. Raises UserError for laws of one thing alone."""
    if law not in FRONTIERS:
        raise UserError(
            "The law {law} does not say how to share a budget; fit {frontiers}.",
            law=law,
            frontiers=", ".join(FRONTIERS),
        )
    frontier: Frontier = FRONTIERS[law](parameters)
    params, tokens = float(frontier.params(flops)), float(frontier.tokens(flops))
    return params, tokens, float(LAWS[law].predict(parameters, params=params, tokens=tokens))


def _usable(bootstrap: Bootstrap | None) -> list[Parameters]:
    """The drawings in which more parameters and more data do help; without them there is no optimum."""
    exponents = {"alpha", "beta", "alpha_N", "alpha_D"}
    every = bootstrap.parameters() if bootstrap else []
    return [one for one in every if all(one[name] > 0 for name in exponents & set(one))]


def _tokens_of(flops: float, params: Interval) -> Interval:
    return _interval(*(flops / (FLOPS_PER_PARAMETER_AND_TOKEN * size) for size in params))


def _interval(one: float, other: float) -> Interval:
    return (float(min(one, other)), float(max(one, other)))
