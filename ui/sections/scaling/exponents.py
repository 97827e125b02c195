"""The compute-optimal exponent by every method, in one table, and the sentences above it."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.errors import UserError
from playground.scaling.bootstrap import Bootstrap
from playground.scaling.exponents import (
    MethodExponent,
    agreement_sentence,
    law_exponent,
    law_exponent_interval,
    optimum_of,
    optimum_sentence,
)
from playground.scaling.fits import Fit
from playground.scaling.frontier import Frontier, envelope
from playground.scaling.laws import GADRE
from playground.scaling.profiles import interpolate_budgets, isoflop
from playground.text import _, _n
from ui.sections.scaling.allocation import has_frontier
from ui.sections.scaling.figure import law_title
from ui.sections.scaling.method_comparison import CountedExponent, fetch_exponents
from ui.sections.scaling.study import ScalingStudy
from ui.text import error_sentence


def show_allocation_verdict(study: ScalingStudy, fitted: Fit, resamples: Bootstrap | None) -> None:
    """N and D at the largest budget that was trained, and whether the methods agree on how they grow."""
    sentences = [_optimum(study, fitted, resamples), agreement_sentence(exponents_by_method(study, fitted, resamples))]
    st.markdown(" ".join(sentence for sentence in sentences if sentence))


def _optimum(study: ScalingStudy, fitted: Fit, resamples: Bootstrap | None) -> str:
    if not has_frontier(fitted.law):
        return _("This law does not trade N against D: choose Chinchilla's or Kaplan's for an optimum.")
    try:
        return optimum_sentence(optimum_of(fitted, resamples, float(study.points.flops.max())))
    except UserError as error:
        return error_sentence(error)


def exponents_by_method(study: ScalingStudy, fitted: Fit, resamples: Bootstrap | None) -> list[MethodExponent]:
    """The exponent by the fitted law, by isoFLOP profiles and by the envelope of training curves."""
    return [_by_law(fitted, resamples), _by_profiles(study), _by_envelope(study)]


def show_exponents(study: ScalingStudy, fitted: Fit, resamples: Bootstrap | None, *, counts: bool) -> None:
    """Every method's exponent in one table; counts: with N and C counted in other ways, which takes more fits."""
    st.subheader(_("Exponent a in N ∝ Cᵃ, by method"), anchor=False)
    slot, progress = st.empty(), st.container()
    methods = exponents_by_method(study, fitted, resamples)
    _draw_table(slot, methods)
    if not counts:
        return
    with progress:
        counted = fetch_exponents(study)
    _draw_table(slot, [*methods, *(_by_counting(each) for each in counted or [])])
    st.caption(
        _(
            "Intervals: of the law by its bootstrap; of profiles and envelope by the scatter of their optima about a "
            "line (Student's t). A recount is a single fit, without an interval."
        )
    )


def _draw_table(slot: DeltaGenerator, rows: list[MethodExponent]) -> None:
    slot.table(
        [
            {
                _("Method"): row.method,
                _("Exponent a"): "–" if row.exponent is None else f"{row.exponent:.2f}",
                _("95% interval"): "–" if row.interval is None else _range(row.interval),
                _("Assumes"): row.assumes,
            }
            for row in rows
        ]
    )


def _range(interval: tuple[float, float]) -> str:
    return _("{low:.2f} to {high:.2f}").format(low=interval[0], high=interval[1])


def _by_counting(counted: CountedExponent) -> MethodExponent:
    return MethodExponent(
        method=_("Recounted: {convention}").format(convention=_(counted.counting.title)),
        exponent=counted.exponent,
        assumes=str(counted.reason) if counted.reason else _("Chinchilla's law, E fitted, N and C so counted."),
        is_same_method=True,
    )


def _by_law(fitted: Fit, resamples: Bootstrap | None) -> MethodExponent:
    exponent = law_exponent(fitted.law, fitted.parameters)
    if fitted.law == GADRE.name:
        return MethodExponent(
            method=_("Fitted law ({law})").format(law=law_title(fitted)),
            exponent=None,
            assumes=_("1/2 by construction, whatever the runs say: the law has one exponent for N and D."),
        )
    return MethodExponent(
        method=_("Fitted law ({law})").format(law=law_title(fitted)),
        exponent=exponent,
        interval=law_exponent_interval(resamples) if resamples and exponent is not None else None,
        assumes=_("The law's form holds for all N and D; C = 6 N D.")
        if exponent is not None
        else _("No exponent: this law has no optimum of N against D in a closed form."),
    )


def _by_profiles(study: ScalingStudy) -> MethodExponent:
    method = _("IsoFLOP profiles")
    assumes = _("At equal compute the loss is a parabola in log N.")
    try:
        frontier = isoflop(study.points).frontier
    except UserError:
        assumes = _(
            "At equal compute the loss is a parabola in log N; between the runs of a grid it is interpolated in "
            "logarithms."
        )
        try:
            frontier = isoflop(interpolate_budgets(study.points)).frontier
        except UserError as error:
            return MethodExponent(method=method, exponent=None, assumes=_("None: {reason}").format(reason=error))
    return _through_optima(method, frontier, assumes)


def _by_envelope(study: ScalingStudy) -> MethodExponent:
    method = _("Envelope of training curves")
    if not study.curves:
        reason = _("a table has no training curves.")
        return MethodExponent(method=method, exponent=None, assumes=_("None: {reason}").format(reason=reason))
    try:
        frontier = envelope(study.curves).frontier
    except UserError as error:
        return MethodExponent(method=method, exponent=None, assumes=_("None: {reason}").format(reason=error))
    if frontier is None:
        reason = _("fewer than two sizes between the smallest and the largest touch the envelope.")
        return MethodExponent(method=method, exponent=None, assumes=_("None: {reason}").format(reason=reason))
    assumes = _("A run in the middle of its training has the loss that its compute can reach.")
    return _through_optima(method, frontier, assumes)


def _through_optima(method: str, frontier: Frontier, assumes: str) -> MethodExponent:
    count = _n("One optimum.", "{n} optima.", frontier.n_points)
    return MethodExponent(
        method=method, exponent=frontier.exponent, interval=frontier.interval(), assumes=f"{assumes} {count}"
    )
