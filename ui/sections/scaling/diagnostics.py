"""Diagnostics of a fit: residuals, held-out runs, intervals, identifiability, optimiser restarts."""

from dataclasses import replace

import streamlit as st

from playground.charts.scaling.intervals import Interval, intervals_figure
from playground.charts.scaling.loss import axis_title, residuals_figure
from playground.csv_table import Row
from playground.scaling.bootstrap import Bootstrap
from playground.scaling.fits import Fit
from playground.scaling.laws import LAWS
from playground.scaling.published import BESIROGLU, HOFFMANN, KAPLAN, Published
from playground.scaling.verdict import EXPONENT_SYMBOLS, LOOSE, ROUGH, p_text, runs_test, spread, symbol
from playground.text import _
from ui.sections.scaling.figure import fit_code, law_title, show_scaling_figure, source_line
from ui.sections.scaling.fit import unidentified
from ui.sections.scaling.loss_curves import dots_of, over_titles
from ui.sections.scaling.study import ScalingStudy
from ui.state.parameters import OVER
from ui.widgets.choice import choose_option
from ui.widgets.number_columns import decimals

TWO_SIDED_95 = 1.96
"""Standard errors from the mean to either end of a 95% interval."""
RESIDUAL_AXES = ("flops", "params", "tokens")


def choose_residual_axis() -> str:
    """What the residuals are shown over."""
    titles = over_titles()
    return choose_option(
        OVER, _("Over"), {axis: titles[axis] for axis in RESIDUAL_AXES}, key="residuals_over", hidden=True
    )


def show_fit_residuals(study: ScalingStudy, fitted: Fit, over: str) -> None:
    """Residuals over an axis, in percent and nats, and the held-out runs by the same definition."""
    predicted = LAWS[fitted.law].predict_points(fitted.parameters, fitted.points)
    nats = fitted.points.loss - predicted
    percent = 100 * nats / predicted
    dots = dots_of(study, over, percent)
    details = [f"{detail}<br>{_nats(value)}" for detail, value in zip(dots.details, nats.tolist(), strict=True)]
    table: list[Row] = [("run", over, "measured", "predicted", "measured_minus_predicted", "percent_of_predicted")]
    columns = (dots.x, fitted.points.loss, predicted, nats, percent)
    table += list(zip(dots.names, *(column.tolist() for column in columns), strict=True))
    show_scaling_figure(
        residuals_figure(replace(dots, details=details), x=axis_title(over)),
        name=f"residuals-{over}",
        label=_("Residuals of the fitted law"),
        source=source_line(study, law_title(fitted)),
        table=table,
        code=fit_code(study, fitted, 200),
        height=380,
        revision=study.fingerprint + fitted.law,
        opens_runs=study.opens_runs,
    )
    st.markdown(_streaks(fitted, over))
    st.caption(
        _(
            "Residual: measured − predicted loss, in percent of the predicted. Scatter without a pattern is noise. A "
            "curve means that the law has the wrong shape for these runs. The runs test (Wald & Wolfowitz 1940) counts "
            "streaks of one sign: few of them mean a curve, or runs that share their noise, such as branches of one "
            "training run."
        )
    )
    _show_heldout(fitted)


def _nats(residual: float) -> str:
    return _("{residual:+.4f} nats").format(residual=residual)


def _streaks(fitted: Fit, over: str) -> str:
    """The runs test along the axis that is shown."""
    test = runs_test(fitted.residuals(), fitted.points, over)
    counts = _("{above} runs lie above the law and {below} below it, in {streaks} streaks along {axis}").format(
        above=test.n_above, below=test.n_below, streaks=test.n_streaks, axis=axis_title(over)
    )
    chance = _("chance gives so few or fewer with {p}").format(p=p_text(test.p))
    return f"{counts}: {chance}."


def _show_heldout(fitted: Fit) -> None:
    held_out = fitted.heldout
    if held_out is None:
        return
    st.markdown("**" + _("Held-out: predicting the largest runs") + "**")
    st.caption(_("The law is fitted to the smaller runs alone, and predicts the loss of these."))
    table = [
        {
            _("Run"): name,
            _("Measured"): measured,
            _("Predicted"): predicted,
            _("Measured − predicted (nats)"): measured - predicted,
            _("in % of predicted"): 100 * (measured / predicted - 1),
        }
        for name, measured, predicted in zip(
            held_out.names, held_out.measured.tolist(), held_out.predicted.tolist(), strict=True
        )
    ]
    formats = {
        **decimals(_("Measured"), _("Predicted")),
        **decimals(_("Measured − predicted (nats)"), signed=True),
        **decimals(_("in % of predicted"), digits=2, signed=True, unit="%"),
    }
    st.dataframe(table, hide_index=True, key="heldout_rows", column_config=formats)


def show_intervals(study: ScalingStudy, fitted: Fit, resamples: Bootstrap | None) -> None:
    """Exponents beside the published ones, all parameters with their intervals, and the optimiser restarts."""
    intervals = resamples.intervals() if resamples else {}
    unsure = unidentified(fitted, resamples)
    own = [_own(fitted, intervals, name, name in unsure) for name in fitted.parameters if name in EXPONENT_SYMBOLS]
    groups = [(_(LAWS[fitted.law].title), own)]
    groups += [
        (_(published.title), _printed(published))
        for published in (KAPLAN, HOFFMANN, BESIROGLU)
        if published.law == fitted.law
    ]
    exported: list[Row] = [("law", "parameter", "value", "low", "high")]
    exported += [(group, each.name, each.value, *_known_ends(each)) for group, members in groups for each in members]
    show_scaling_figure(
        intervals_figure(groups, x=_("exponent, with its 95% interval where it is known")),
        name="exponents",
        label=_("Exponents and their intervals"),
        source=source_line(study, law_title(fitted)),
        table=exported,
        code=fit_code(study, fitted, resamples.n_resamples if resamples else 200),
        height=130 + 60 * max(1, len(own)),
        revision=study.fingerprint + fitted.law,
    )
    table = [
        {
            _("Parameter"): symbol(name),
            _("Fitted"): f"{value:.5g}",
            _("95% from"): f"{intervals[name][0]:.4g}" if name in intervals else "–",
            _("95% to"): f"{intervals[name][1]:.4g}" if name in intervals else "–",
            _("Identifiable"): _identifiable(fitted, name, name in unsure, intervals.get(name)),
        }
        for name, value in fitted.parameters.items()
    ]
    st.dataframe(table, hide_index=True, key="parameter_rows")
    explanation = _(
        "Identifiable: no, where another value fits about as well; hardly, where the interval's ends are {loose:.2g} "
        "times apart; roughly, from {rough:.2g} times on, as far as two papers are apart about one exponent."
    )
    st.caption(explanation.format(loose=LOOSE, rough=ROUGH))
    _show_restarts(fitted)


def _identifiable(fitted: Fit, name: str, is_unsure: bool, interval: tuple[float, float] | None) -> str:
    if name == "E" and fitted.floor is not None:
        return _("known, not fitted")
    if is_unsure:
        return _("no")
    width = 1.0 if interval is None else spread(*interval)
    if width >= LOOSE:
        return _("hardly")
    return _("roughly") if width >= ROUGH else _("yes")


def _own(fitted: Fit, intervals: dict[str, tuple[float, float]], name: str, is_unsure: bool) -> Interval:
    value = fitted.parameters[name]
    low, high = intervals.get(name, (value, value))
    title = _("{parameter} (not identifiable)").format(parameter=symbol(name)) if is_unsure else symbol(name)
    return Interval(name=title, value=value, low=low, high=high)


def _known_ends(interval: Interval) -> tuple[object, object]:
    """Both ends for a table; empty where no interval is known."""
    return ("", "") if interval.low == interval.high else (interval.low, interval.high)


def _printed(published: Published) -> list[Interval]:
    """A paper's exponents, with intervals from the standard errors that it prints."""
    errors = published.errors or {}
    return [
        Interval(
            name=symbol(name),
            value=value,
            low=value - TWO_SIDED_95 * errors.get(name, 0.0),
            high=value + TWO_SIDED_95 * errors.get(name, 0.0),
        )
        for name, value in published.parameters.items()
        if name in EXPONENT_SYMBOLS
    ]


def _show_restarts(fitted: Fit) -> None:
    reached = _("{reached} of {starts} restarts reached the best objective, {objective:.6g} (a sum of Huber losses).")
    st.caption(reached.format(starts=fitted.starts, reached=fitted.reached, objective=fitted.objective))
    with st.expander(_("Optimiser restarts")):
        ends = enumerate(sorted(fitted.objectives), start=1)
        table = [{_("Rank"): rank, _("Objective"): f"{objective:.8g}"} for rank, objective in ends]
        st.dataframe(table, hide_index=True, key="start_rows")
