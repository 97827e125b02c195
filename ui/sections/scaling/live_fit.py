"""A running sweep's points as they arrive, the law through them, and how its exponents converge."""

import numpy as np
import streamlit as st
from jaxtyping import Float

from playground.charts.scaling.intervals import Interval, intervals_figure
from playground.charts.scaling.loss import Dots, Line, axis_title, fitted_loss_figure
from playground.errors import UserError
from playground.scaling.allocation import optimal_params, tokens_for_compute
from playground.scaling.bootstrap import Bootstrap, bootstrap
from playground.scaling.budgets import short
from playground.scaling.fits import Fit, fit
from playground.scaling.laws import LAWS
from playground.scaling.points import Points
from playground.scaling.verdict import EXPONENT_SYMBOLS, symbol
from playground.sweeps.progress import SweepView
from playground.text import _, _n
from ui.cache import fit_history, scaling_results
from ui.components.live_chart import live_chart
from ui.sections.scaling.figure import export_header
from ui.state.parameters import RUN
from ui.text import page_link

FIRST_LAW, LAW = "power-c", "chinchilla"
ENOUGH = 8
"""Points from which on Chinchilla's law is fitted; before, a power law in C."""
FAST_RESAMPLES = 60
"""Few, so that a new point is answered at once."""
SHOWN_FITS = 8


def show_live_fit(sweep_id: str, view: SweepView) -> None:
    """The runs so far over their compute, those at work as lines, and the fit's exponents after each new point."""
    fitted = _fit_so_far(sweep_id, view)
    lines = _partial_lines(view)
    if fitted is not None:
        lines = [_law_line(*fitted), *lines]
    source = _source(sweep_id, view, fitted)
    left, right = st.columns([3, 2])
    with left:
        live_chart(
            fitted_loss_figure(_dots(sweep_id, view), lines, x=axis_title("flops"), title=_("finished runs")),
            key="sweep_chart",
            height=380,
            revision=sweep_id,
            label=_("Loss over compute of the sweep's runs"),
            provenance=source,
        )
    with right:
        _show_convergence(sweep_id, view, source)


def runs_done(done: int, total: int) -> str:
    """How many of a sweep's runs have finished."""
    return _("{done} of {runs}").format(done=done, runs=_n("{n} run", "{n} runs", total))


def _source(sweep_id: str, view: SweepView, fitted: tuple[Fit, Bootstrap] | None) -> list[str]:
    """Which sweep, how much of it, and by which law with how many resamples."""
    parts = [
        _("the sweep {name}").format(name=sweep_id[:12]),
        runs_done(len(view.points), len(view.cells)),
    ]
    if fitted is not None:
        law, count = _(LAWS[fitted[0].law].title), fitted[1].n_resamples
        parts.append(_("{law}, {count} resamples").format(law=law, count=count))
    return export_header(" · ".join(parts))


def _dots(sweep_id: str, view: SweepView) -> Dots:
    columns = {
        name: np.array([float(getattr(point, name)) for point in view.points]) for name in ("params", "flops", "loss")
    }
    return Dots(
        x=columns["flops"],
        y=columns["loss"],
        size=columns["params"],
        names=[point.run for point in view.points],
        links=[page_link("train", (RUN, f"{sweep_id}-{point.run}")) for point in view.points],
        details=[f"N {short(point.params)}, D {short(point.tokens)}" for point in view.points],
    )


def _partial_lines(view: SweepView) -> list[Line]:
    """The training curves of the runs at work, as far as they are."""
    flops_per_token = {each.cell.name: each.cell.flops / each.cell.tokens for each in view.cells}
    curves: dict[str, list[tuple[float, float]]] = {}
    for point in view.partial_curves:
        if point.tokens > 0:
            curves.setdefault(point.run, []).append((point.tokens * flops_per_token[point.run], point.loss))
    lines = []
    for name, pairs in curves.items():
        x, y = np.array(pairs).T
        lines.append(Line(name=name, x=x, y=y, colour="#6b7280", dash="dot"))
    return lines


def _fit_so_far(sweep_id: str, view: SweepView) -> tuple[Fit, Bootstrap] | None:
    """The fit to the finished runs, computed once for their points; None while they are too few."""
    points = _points_so_far(view)
    if points is None:
        return None

    def make() -> tuple[Fit, Bootstrap] | None:
        try:
            fitted = fit(LAW if len(points) >= ENOUGH else FIRST_LAW, points)
            return fitted, bootstrap(fitted, n_resamples=FAST_RESAMPLES, processes=1)
        except UserError:
            return None

    fitted = scaling_results().remember(("sweep", sweep_id, points.fingerprint), make)
    if fitted is not None:
        fit_history(sweep_id)[points.fingerprint] = fitted
    return fitted


def _points_so_far(view: SweepView) -> Points | None:
    """The finished runs; None while there are none."""
    try:
        return view.to_points(with_embeddings=True)
    except UserError:
        return None


def fits_on_the_way(sweep_id: str, points: Points) -> dict[int, tuple[Fit, Bootstrap]]:
    """The fits to some of these points, by their number: runs that were trained anew since then count no more."""
    history: dict[str, tuple[Fit, Bootstrap]] = fit_history(sweep_id)
    known = set(_rows(points))
    on_the_way = [fitted for fitted in history.values() if known.issuperset(_rows(fitted[0].points))]
    return {len(fitted[0].points): fitted for fitted in on_the_way}


def _rows(points: Points) -> list[tuple[object, ...]]:
    names = [points.name(index) for index in range(len(points))]
    return list(
        zip(names, *(getattr(points, name).tolist() for name in ("params", "tokens", "flops", "loss")), strict=True)
    )


def _law_line(fitted: Fit, resamples: Bootstrap) -> Line:
    """Loss over compute: the law itself, or the least that Chinchilla's allows with a model of the sizes tried."""
    points = fitted.points
    flops = np.geomspace(points.flops.min() / 2, points.flops.max() * 3, 80)
    if fitted.law == FIRST_LAW:
        low, high = resamples.predicted(flops=flops)
        return Line(name=_("power law in C"), x=flops, y=fitted.predict(flops=flops), low=low, high=high)
    params = _optimal_within(points, fitted, flops)
    tokens = tokens_for_compute(points, params, flops)
    low, high = resamples.predicted(params=params, tokens=tokens)
    return Line(
        name=_("Chinchilla, at the best of these sizes"),
        x=flops,
        y=fitted.predict(params=params, tokens=tokens),
        low=low,
        high=high,
    )


def _optimal_within(points: Points, fitted: Fit, flops: Float[np.ndarray, " budget"]) -> Float[np.ndarray, " budget"]:
    """The compute-optimal size for each budget, within the sizes that were trained."""
    try:
        best = optimal_params(fitted.law, fitted.parameters, flops, points)
    except UserError:
        return np.full_like(flops, float(np.median(points.params)))
    return np.asarray(np.clip(best, points.params.min(), points.params.max()))


def _show_convergence(sweep_id: str, view: SweepView, source: list[str]) -> None:
    """The exponents after so many points."""
    points = _points_so_far(view)
    history = {} if points is None else fits_on_the_way(sweep_id, points)
    if not history:
        st.info(_("A law is fitted as soon as a few runs have finished."), icon=":material/hourglass_top:")
        return
    groups: dict[str, list[Interval]] = {}
    for count in sorted(history)[-SHOWN_FITS:]:
        fitted, resamples = history[count]
        name = _n("{n} run", "{n} runs", count)
        for parameter, (low, high) in resamples.intervals().items():
            if parameter in EXPONENT_SYMBOLS:
                interval = Interval(name=name, value=fitted.parameters[parameter], low=low, high=high)
                groups.setdefault(symbol(parameter), []).append(interval)
    live_chart(
        intervals_figure(list(groups.items()), x=_("exponents with 95% intervals")),
        key="settling_chart",
        height=380,
        revision=sweep_id,
        label=_("How the exponents converge as runs arrive"),
        provenance=source,
    )
