"""What a fit leaves over, how far its numbers are told, and how its starts ended."""

import numpy as np
import streamlit as st

from playground.charts.scaling.loss import COMPUTE, PARAMETERS, TOKENS, Interval, intervals_figure, residuals_figure
from playground.scaling.bootstrap import Bootstrap
from playground.scaling.fits import Fit
from playground.scaling.laws import LAWS
from playground.scaling.published import BESIROGLU, HOFFMANN, KAPLAN, Published
from playground.text import _
from ui import state
from ui.sections.scaling.figure import fit_code, origin_of, show_picture, title_of
from ui.sections.scaling.fit import GREEK, symbol, untold
from ui.sections.scaling.loss_curves import dots_of
from ui.sections.scaling.study import Study
from ui.tables import Row
from ui.widgets.choice import choose_word

TWO_SIGMA = 1.96


def show_residuals(study: Study, fitted: Fit) -> None:
    """Measured over fitted loss in percent, over an axis; a pattern in them is what the law does not say."""
    axes = {"flops": COMPUTE, "params": PARAMETERS, "tokens": TOKENS}
    over = choose_word(state.OVER, _("Over"), axes, key="residuals_over")
    residuals = 100 * np.expm1(fitted.residuals())
    dots = dots_of(study, over, residuals)
    rows: list[Row] = [("run", over, "residual_percent")]
    rows += list(zip(dots.names, dots.x.tolist(), dots.y.tolist(), strict=True))
    show_picture(
        residuals_figure(dots, x=axes[over]),
        name=f"residuals-{over}",
        label=_("What the law leaves over"),
        origin=origin_of(study, title_of(fitted)),
        rows=rows,
        code=fit_code(study, fitted, 200),
        height=380,
        revision=study.mark + fitted.law,
        opens_runs=any(study.links),
    )
    st.caption(_("Scatter without a pattern is noise. A bend means that the law has the wrong shape for these runs."))
    _show_heldout(fitted)


def _show_heldout(fitted: Fit) -> None:
    found = fitted.heldout
    if found is None:
        return
    st.markdown("**" + _("Held out: the largest runs, foretold from the smaller ones") + "**")
    rows = [
        {
            _("Run"): name,
            _("Measured"): round(float(measured), 4),
            _("Foretold"): round(float(predicted), 4),
            _("Off by"): f"{predicted / measured - 1:+.2%}",
        }
        for name, measured, predicted in zip(
            found.names, found.measured.tolist(), found.predicted.tolist(), strict=True
        )
    ]
    st.dataframe(rows, hide_index=True, key="heldout_rows")


def show_intervals(study: Study, fitted: Fit, intervals: Bootstrap | None) -> None:
    """Exponents beside the published ones; the other numbers as multiples of their own value; the starts."""
    known = intervals.intervals() if intervals else {}
    unsure = untold(fitted, intervals)
    own = [_own(fitted, known, name, name in unsure) for name in fitted.parameters if name in GREEK]
    groups = [(LAWS[fitted.law].title, own)]
    groups += [(one.title, _printed(one)) for one in (KAPLAN, HOFFMANN, BESIROGLU) if one.law == fitted.law]
    rows: list[Row] = [("law", "parameter", "value", "low", "high")]
    rows += [(group, row.name, row.value, row.low, row.high) for group, found in groups for row in found]
    show_picture(
        intervals_figure(groups, x=_("exponent, with 95 % intervals where they are known")),
        name="exponents",
        label=_("Exponents and their intervals"),
        origin=origin_of(study, title_of(fitted)),
        rows=rows,
        code=fit_code(study, fitted, intervals.count if intervals else 200),
        height=130 + 60 * max(1, len(own)),
        revision=study.mark + fitted.law,
    )
    table = [
        {
            _("Number"): symbol(name),
            _("Fitted"): f"{value:.5g}",
            _("95 % from"): f"{known[name][0]:.4g}" if name in known else "–",
            _("95 % to"): f"{known[name][1]:.4g}" if name in known else "–",
            _("Told by the points"): _told(fitted, name, name in unsure),
        }
        for name, value in fitted.parameters.items()
    ]
    st.dataframe(table, hide_index=True, key="parameter_rows")
    _show_starts(fitted)


def _told(fitted: Fit, name: str, is_unsure: bool) -> str:
    if name == "E" and fitted.floor is not None:
        return _("known, not fitted")
    return _("no") if is_unsure else _("yes")


def _own(fitted: Fit, known: dict[str, tuple[float, float]], name: str, is_unsure: bool) -> Interval:
    value = fitted.parameters[name]
    low, high = known.get(name, (value, value))
    title = f"{symbol(name)} ({_('not told')})" if is_unsure else symbol(name)
    return Interval(name=title, value=value, low=low, high=high)


def _printed(published: Published) -> list[Interval]:
    """A paper's exponents; from standard errors where it prints them."""
    errors = published.errors or {}
    return [
        Interval(
            name=symbol(name),
            value=value,
            low=value - TWO_SIGMA * errors.get(name, 0.0),
            high=value + TWO_SIGMA * errors.get(name, 0.0),
        )
        for name, value in published.parameters.items()
        if name in GREEK
    ]


def _show_starts(fitted: Fit) -> None:
    words = _("{starts} starts, {reached} of them ended at the best objective {objective:.6g} (a sum of Huber losses).")
    st.caption(words.format(starts=fitted.starts, reached=fitted.reached, objective=fitted.objective))
    with st.expander(_("How every start ended")):
        ends = sorted(fitted.objectives)
        st.dataframe(
            [{_("Place"): place, _("Objective"): f"{end:.8g}"} for place, end in enumerate(ends, start=1)],
            hide_index=True,
            key="start_rows",
        )
