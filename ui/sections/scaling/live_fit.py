"""A sweep's points as they arrive, the law through them, and how its exponents settle."""

import numpy as np
import streamlit as st

from playground.charts.scaling.loss import COMPUTE, Dots, Interval, Line, intervals_figure, loss_figure, short
from playground.errors import UserError
from playground.scaling.allocation import best_params, tokens_bought
from playground.scaling.bootstrap import Bootstrap, bootstrap
from playground.scaling.fits import Fit, fit
from playground.scaling.laws import LAWS
from playground.scaling.points import Points
from playground.sweeps.sweep import SweepView
from playground.text import _
from ui import state
from ui.components.live_chart import live_chart
from ui.sections.scaling.figure import provenance
from ui.sections.scaling.fit import GREEK, symbol

FEW, MANY = "power-c", "chinchilla"
ENOUGH = 8
"""Points from which on Chinchilla's law is tried; before, a power law in C."""
DRAWINGS = 60
"""Few, so that a point that arrives is answered at once."""
SHOWN = 8


def show_growing(sweep_id: str, view: SweepView) -> None:
    """The runs so far over their compute, those at work as lines, and the fit's numbers after each new point."""
    points = _points(view)
    found = None if points is None else _fit_so_far(sweep_id, points)
    lines = _growing_lines(view)
    if found is not None:
        lines = [_law_line(*found), *lines]
    dots = _dots(sweep_id, view)
    left, right = st.columns([3, 2])
    with left:
        live_chart(
            loss_figure(dots, lines, x=COMPUTE, title=_("finished runs")),
            key="sweep_chart",
            height=380,
            revision=sweep_id,
            label=_("Loss over compute of the sweep's runs"),
            provenance=_provenance(sweep_id, view, found),
        )
    with right:
        _show_settling(sweep_id, _provenance(sweep_id, view, found))


def _provenance(sweep_id: str, view: SweepView, found: tuple[Fit, Bootstrap] | None) -> list[str]:
    """Of which sweep, how much of it, by which law with how many drawings."""
    words = [
        _("the sweep {name}").format(name=sweep_id[:12]),
        _("{done} of {total} runs").format(done=len(view.points), total=len(view.cells)),
    ]
    if found is not None:
        words.append(_("{law}, {count} drawings").format(law=LAWS[found[0].law].title, count=found[1].count))
    return provenance(" · ".join(words))


def _points(view: SweepView) -> Points | None:
    try:
        return view.to_points(with_embeddings=True)
    except UserError:
        return None


def _dots(sweep_id: str, view: SweepView) -> Dots:
    columns = {
        name: np.array([float(getattr(point, name)) for point in view.points]) for name in ("params", "flops", "loss")
    }
    return Dots(
        x=columns["flops"],
        y=columns["loss"],
        size=columns["params"],
        names=[point.run for point in view.points],
        links=[f"train?run={sweep_id}-{point.run}" for point in view.points],
        details=[f"N {short(point.params)}, D {short(point.tokens)}" for point in view.points],
    )


def _growing_lines(view: SweepView) -> list[Line]:
    """The runs at work, as far as they are."""
    each = {one.cell.name: one.cell.flops / one.cell.tokens for one in view.cells}
    found: dict[str, list[tuple[float, float]]] = {}
    for one in view.growing:
        if one.tokens > 0:
            found.setdefault(one.run, []).append((one.tokens * each[one.run], one.loss))
    lines = []
    for name, pairs in found.items():
        x, y = np.array(pairs).T
        lines.append(Line(name=name, x=x, y=y, colour="#6b7280", dash="dot"))
    return lines


def _fit_so_far(sweep_id: str, points: Points) -> tuple[Fit, Bootstrap] | None:
    """The fit of what is there, computed once for each new point; None while it is too little."""
    law = MANY if len(points) >= ENOUGH else FEW

    def compute() -> tuple[Fit, Bootstrap] | None:
        try:
            fitted = fit(law, points)
            return fitted, bootstrap(fitted, count=DRAWINGS, processes=1)
        except UserError:
            return None

    found = state.scaling_answers().remember(("sweep", sweep_id, len(points)), compute)
    if found is not None:
        state.settling(sweep_id)[len(points)] = found
    return found


def _law_line(fitted: Fit, intervals: Bootstrap) -> Line:
    """Loss over compute: the law itself, or the best that Chinchilla's allows with a model of the sizes tried."""
    points = fitted.points
    flops = np.geomspace(points.flops.min() / 2, points.flops.max() * 3, 80)
    if fitted.law == FEW:
        low, high = intervals.predicted(flops=flops)
        return Line(name=_("power law in C"), x=flops, y=fitted.predict(flops=flops), low=low, high=high)
    try:
        params = np.clip(
            best_params(fitted.law, fitted.parameters, flops, points), points.params.min(), points.params.max()
        )
    except UserError:
        params = np.full_like(flops, float(np.median(points.params)))
    tokens = tokens_bought(points, params, flops)
    low, high = intervals.predicted(params=params, tokens=tokens)
    return Line(
        name=_("Chinchilla, at the best of these sizes"),
        x=flops,
        y=fitted.predict(params=params, tokens=tokens),
        low=low,
        high=high,
    )


def _show_settling(sweep_id: str, origin: list[str]) -> None:
    """The exponents after so many points, the newest first."""
    history: dict[int, tuple[Fit, Bootstrap]] = state.settling(sweep_id)
    if not history:
        st.info(_("A law is fitted from the first few finished runs on."), icon=":material/hourglass_top:")
        return
    groups: dict[str, list[Interval]] = {}
    for count in sorted(history)[-SHOWN:]:
        fitted, intervals = history[count]
        for name, (low, high) in intervals.intervals().items():
            if name in GREEK:
                row = Interval(
                    name=_("{count} runs").format(count=count), value=fitted.parameters[name], low=low, high=high
                )
                groups.setdefault(symbol(name), []).append(row)
    live_chart(
        intervals_figure(list(groups.items()), x=_("exponents with 95 % intervals")),
        key="settling_chart",
        height=380,
        revision=sweep_id,
        label=_("How the exponents settle as runs arrive"),
        provenance=origin,
    )
