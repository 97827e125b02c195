"""Plan a compute budget: N, D and loss by each paper and by one's own fit, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playground.errors import UserError
from playground.scaling.bootstrap import Bootstrap, percentile_interval
from playground.scaling.budgets import check_budget, short, two_digits, with_interval
from playground.scaling.fits import Fit
from playground.scaling.forms.form import Parameters
from playground.scaling.frontier import CLOSED_FORMS, closed_form
from playground.scaling.laws import LAWS
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN
from playground.scaling.published import ALLOCATIONS, BESIROGLU, HOFFMANN, KAPLAN_C, Allocation, Published
from playground.text import _

Interval = tuple[float, float]
P90 = 1.2816
"""Standard errors between the median and the 90th percentile of a normal distribution."""
MIDDLE, LARGEST = ALLOCATIONS["hoffmann-3"].middle, ALLOCATIONS["hoffmann-3"].largest
"""Of the replication, which is fitted to runs of the same paper."""
LEVEL = 0.8
"""Papers print 10th to 90th percentiles; a fit's own intervals are the same here."""
FRONTIERS = {**CLOSED_FORMS, "data-constrained": closed_form}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The best model of a budget by one law. Intervals span the 10th to the 90th percentile, None where unknown."""

    key: str
    title: str
    """In the reader's language, like source and note."""
    flops: float
    params: float
    tokens: float
    loss: float
    """In nats per token of that paper's text and tokenizer: papers do not compare."""
    params_interval: Interval | None
    tokens_interval: Interval | None
    loss_interval: Interval | None
    beyond: float
    """The extrapolation factor: the budget over that of the largest run that the law was fitted to."""
    source: str
    note: str
    """What the loss and the intervals rest on."""

    @property
    def tokens_per_parameter(self) -> float:
        """About 20 by Hoffmann's first two approaches."""
        return self.tokens / self.params


def plan(flops: float, fit: Fit | None = None, bootstrap: Bootstrap | None = None) -> tuple[Plan, ...]:
    """Plan the budget by Kaplan, Hoffmann's approaches 1 to 3, the replication, and one's own fit.

    Raises UserError for a budget that is not above 0, and for a fit of a law that has no optimum.
    """
    check_budget(flops)
    own = (own_plan(flops, fit, bootstrap),) if fit else ()
    return (
        *(_allocation_plan(flops, allocation) for allocation in ALLOCATIONS.values()),
        _replication_plan(flops),
        *own,
    )


def plans_sentences(plans: Sequence[Plan]) -> list[str]:
    """From where to where the papers' optima go; one's own with its interval, and how far it is extrapolated."""
    papers, own = [each for each in plans if each.key != "own"], [each for each in plans if each.key == "own"]
    params, tokens = ([getattr(each, name) for each in papers] for name in ("params", "tokens"))
    values = {
        "flops": papers[0].flops,
        **{"n_low": short(min(params)), "n_high": short(max(params))},
        **{"d_low": short(min(tokens)), "d_high": short(max(tokens))},
    }
    template = _("For {flops:.2g} FLOP the papers' optima are N = {n_low} to {n_high} and D = {d_low} to {d_high}.")
    return [template.format(**values), *(_own_sentence(each) for each in own)]


def _own_sentence(own: Plan) -> str:
    template = (
        _("Your fit says N = {params} and D = {tokens}, {beyond} times beyond its largest run.")
        if own.beyond > 1
        else _("Your fit says N = {params} and D = {tokens}, within its runs.")
    )
    return template.format(
        params=with_interval(own.params, own.params_interval),
        tokens=with_interval(own.tokens, own.tokens_interval),
        beyond=two_digits(own.beyond),
    )


def _allocation_plan(flops: float, allocation: Allocation) -> Plan:
    """Along a printed N ~ C^a; the exponent's interval turns the line around the middle of the paper's runs."""
    params = _along(flops, allocation, allocation.exponent)
    tokens = flops / (FLOPS_PER_PARAMETER_AND_TOKEN * params)
    interval = allocation.interval and _interval(
        *(_along(flops, allocation, exponent) for exponent in allocation.interval)
    )
    law, loss, note = _loss_at(allocation, flops, params, tokens)
    return Plan(
        key=allocation.key,
        title=_(allocation.title),
        flops=flops,
        params=params,
        tokens=tokens,
        loss=loss,
        params_interval=interval,
        tokens_interval=interval and _tokens_of(flops, interval),
        loss_interval=None,
        beyond=flops / allocation.largest,
        source=_("{allocation}; loss: {law}").format(allocation=_(allocation.source), law=_(law.source)),
        note=" ".join(filter(None, [note, _interval_note(allocation)])),
    )


def _interval_note(allocation: Allocation) -> str:
    if not allocation.interval:
        return _("No interval is printed.")
    return _("Interval: {meaning}.").format(meaning=_(allocation.interval_means))


def _along(flops: float, allocation: Allocation, exponent: float) -> float:
    middle = allocation.params * (allocation.middle / allocation.flops) ** allocation.exponent
    return float(middle * (flops / allocation.middle) ** exponent)


def _loss_at(allocation: Allocation, flops: float, params: float, tokens: float) -> tuple[Published, float, str]:
    if allocation.key == "kaplan":
        loss = LAWS[KAPLAN_C.law].predict(KAPLAN_C.parameters, flops=flops)
        return KAPLAN_C, float(loss), _("N without embeddings; the loss is that of Kaplan's best allocation of C.")
    published = HOFFMANN if allocation.key == "hoffmann-3" else BESIROGLU
    loss = LAWS[published.law].predict(published.parameters, params=params, tokens=tokens)
    if published is HOFFMANN:
        return published, float(loss), ""
    return (
        published,
        float(loss),
        _("The approach has no formula of the loss; this is the replication's at its N and D."),
    )


def _replication_plan(flops: float) -> Plan:
    """The replication's closed form; the interval takes its printed standard errors as independent.

    a = beta / (alpha + beta), so da = (alpha dbeta - beta dalpha) / (alpha + beta)^2.
    """
    parameters, errors = BESIROGLU.parameters, BESIROGLU.errors or {}
    frontier = closed_form(parameters)
    alpha, beta = parameters["alpha"], parameters["beta"]
    error = np.hypot(alpha * errors["beta"], beta * errors["alpha"]) / (alpha + beta) ** 2
    params = float(frontier.params(flops))
    swing = (flops / MIDDLE) ** (P90 * error)
    interval = _interval(params / swing, params * swing)
    return Plan(
        key=BESIROGLU.key,
        title=_(BESIROGLU.title),
        flops=flops,
        params=params,
        tokens=float(frontier.tokens(flops)),
        loss=float(LAWS[BESIROGLU.law].predict(parameters, params=params, tokens=frontier.tokens(flops))),
        params_interval=interval,
        tokens_interval=_tokens_of(flops, interval),
        loss_interval=None,
        beyond=flops / LARGEST,
        source=_(BESIROGLU.source),
        note=_("Interval: of the exponent, from the printed standard errors of α and β taken as independent."),
    )


def own_plan(flops: float, fit: Fit, bootstrap: Bootstrap | None = None) -> Plan:
    """Plan by a fit, with intervals from its bootstrap.

    Raises UserError for laws of one variable: they have no optimum.
    """
    params, tokens, loss = optimum(check_budget(flops), fit.law, fit.parameters)
    optima = np.array([optimum(flops, fit.law, parameters) for parameters in _with_optimum(bootstrap)])  # [resample, 3]
    intervals = list(zip(*percentile_interval(optima, LEVEL), strict=True)) if len(optima) else [None] * 3
    params_interval, tokens_interval, loss_interval = (interval and _interval(*interval) for interval in intervals)
    beyond = flops / float(fit.points.flops.max())
    return Plan(
        key="own",
        title=_("Your fit, {law}").format(law=_(LAWS[fit.law].title)),
        flops=flops,
        params=params,
        tokens=tokens,
        loss=loss,
        params_interval=params_interval,
        tokens_interval=tokens_interval,
        loss_interval=loss_interval,
        beyond=beyond,
        source=_("{count} points").format(count=len(fit.points)),
        note=_("{count:,} bootstrap resamples.").format(count=bootstrap.n_resamples)
        if bootstrap
        else _("A bootstrap would give intervals."),
    )


def optimum(flops: float, law: str, parameters: Parameters) -> tuple[float, float, float]:
    """N, D and loss of the compute-optimal model. Raises UserError for laws of one variable."""
    if law not in FRONTIERS:
        raise UserError(
            "The law {law} does not say how to share a budget; fit {frontiers}.",
            law=law,
            frontiers=", ".join(FRONTIERS),
        )
    frontier = FRONTIERS[law](parameters)
    params, tokens = float(frontier.params(flops)), float(frontier.tokens(flops))
    return params, tokens, float(LAWS[law].predict(parameters, params=params, tokens=tokens))


def _with_optimum(bootstrap: Bootstrap | None) -> list[Parameters]:
    """The resamples in which more parameters and more data help; the others have no optimum."""
    exponents = {"alpha", "beta", "alpha_N", "alpha_D", "eta"}
    resamples = bootstrap.parameters() if bootstrap else []
    return [parameters for parameters in resamples if all(parameters[name] > 0 for name in exponents & set(parameters))]


def _tokens_of(flops: float, params: Interval) -> Interval:
    return _interval(*(flops / (FLOPS_PER_PARAMETER_AND_TOKEN * size) for size in params))


def _interval(end: float, other_end: float) -> Interval:
    return (float(min(end, other_end)), float(max(end, other_end)))
