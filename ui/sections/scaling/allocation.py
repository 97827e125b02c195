"""Where compute goes: training curves and their envelope, isoFLOP valleys, the map of loss, the frontier."""

import numpy as np
import streamlit as st
from jaxtyping import Float

from playground.charts.scaling.compute import (
    TrainingCurve,
    frontier_figure,
    loss_map_figure,
    training_curves_figure,
)
from playground.charts.scaling.loss import Dots, Line, short
from playground.errors import UserError
from playground.scaling.allocation import best_params, tokens_bought
from playground.scaling.bootstrap import Bootstrap
from playground.scaling.fits import Fit
from playground.scaling.frontier import Envelope, closed_form, envelope
from playground.scaling.laws import LAWS
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN
from playground.scaling.published import ALLOCATIONS, BESIROGLU, HOFFMANN
from playground.text import _
from ui.sections.scaling.figure import fit_code, origin_of, show_picture, sweep_code, title_of
from ui.sections.scaling.isoflop import find_valleys
from ui.sections.scaling.study import Study
from ui.tables import Row

MAP_CELLS = 56
DRAWN = 120
"""Of the bootstrap's drawings, from which the frontier's band is made where it has no closed form."""


def show_training(study: Study) -> None:
    """Every run on its way, and the best loss for each compute."""
    if not study.curves:
        st.info(
            _("A table has no training curves; a sweep's runs do. Choose one on the left, or run one under Live."),
            icon=":material/info:",
        )
        return
    links = dict(zip(study.names, study.clicks, strict=True))
    curves = [
        TrainingCurve(name=one.name, compute=one.flops, loss=one.loss, params=one.params, link=links.get(one.name, ""))
        for one in study.curves
    ]
    found: Envelope | None = None
    try:
        found = envelope(study.curves)
    except UserError as error:
        st.info(str(error), icon=":material/info:")
    line = None
    if found is not None:
        # A run that has ended keeps its loss: what was reached with less compute is reached with more.
        line = Line(name=_("envelope"), x=found.flops, y=np.minimum.accumulate(found.loss), dash="dot")
    rows: list[Row] = [("run", "params", "flops", "loss")]
    for curve in curves:
        rows += [
            (curve.name, curve.params, flops, loss)
            for flops, loss in zip(curve.compute.tolist(), curve.loss.tolist(), strict=True)
        ]
    show_picture(
        training_curves_figure(curves, line),
        name="training-curves",
        label=_("Held-out loss of every run over its compute"),
        origin=origin_of(study),
        rows=rows,
        code=training_code(study),
        revision=study.mark,
        opens_runs=any(study.links),
    )
    if found is not None and found.frontier is not None:
        st.caption(
            _("Through the sizes that touch the envelope: N grows as C to the power of {exponent:.2f}.").format(
                exponent=found.frontier.exponent
            )
        )
    st.caption(
        _(
            "A run whose learning rate has not decayed yet lies above what it could have reached: "
            "read the envelope at the runs' ends."
        )
    )


def training_code(study: Study) -> str:
    """Python that lays the envelope under a sweep's training curves."""
    counted, each = ("params", "point.flops / point.tokens")
    if not study.counts_embeddings:
        counted, each = "params_without_embeddings", "None"
    lines = f"""curves = []
for point in view.points:
    on_the_way = [one for one in view.curves if one.run == point.run and one.tokens > 0]
    tokens, loss = np.array([(one.tokens, one.loss) for one in on_the_way], float).T
    curves.append(
        Curve(name=point.run, params=point.{counted}, tokens=tokens, loss=loss, flops_per_token={each})
    )
found = envelope(curves)
print(np.column_stack([found.flops, np.minimum.accumulate(found.loss)]))
print("N ~ C ^", found.frontier.exponent if found.frontier else "none")
"""
    return sweep_code(study, ["playground.scaling.frontier import Curve, envelope"], lines)


def show_map(study: Study, fitted: Fit) -> None:
    """The law's loss over N and D, and the way of the best N and D."""
    if not has_frontier(fitted.law):
        st.info(_("A map needs a law of N and D together, such as Chinchilla's or Kaplan's."), icon=":material/info:")
        return
    points = study.points
    params = np.geomspace(points.params.min() / 3, points.params.max() * 10, MAP_CELLS)
    tokens = np.geomspace(points.tokens.min() / 3, points.tokens.max() * 10, MAP_CELLS)
    grid = np.meshgrid(params, tokens)
    loss = LAWS[fitted.law].predict(fitted.parameters, params=grid[0].ravel(), tokens=grid[1].ravel())
    loss = loss.reshape(MAP_CELLS, MAP_CELLS)
    corners = FLOPS_PER_PARAMETER_AND_TOKEN * np.array([params[0] * tokens[0], params[-1] * tokens[-1]])
    flops = np.geomspace(corners[0], corners[1], 80)
    try:
        best = best_params(fitted.law, fitted.parameters, flops, fitted.points)
    except UserError as error:
        st.info(str(error), icon=":material/info:")
        return
    line = Line(name=_("efficient frontier"), x=best, y=tokens_bought(points, best, flops))
    details = [
        _("N {params}, D {tokens}: loss {loss:.4f}").format(params=short(n), tokens=short(d), loss=value)
        for n, d, value in zip(points.params.tolist(), points.tokens.tolist(), points.loss.tolist(), strict=True)
    ]
    dots = Dots(
        x=points.params, y=points.tokens, size=points.flops, names=study.names, links=study.clicks, details=details
    )
    rows: list[Row] = [("params", "tokens", "loss")]
    rows += list(zip(grid[0].ravel().tolist(), grid[1].ravel().tolist(), loss.ravel().tolist(), strict=True))
    show_picture(
        loss_map_figure(params, tokens, loss, dots, [line]),
        name="loss-map",
        label=_("Loss over parameters and tokens, with the efficient frontier"),
        origin=origin_of(study, title_of(fitted)),
        rows=rows,
        code=fit_code(study, fitted, 200),
        height=540,
        revision=study.mark + fitted.law,
        opens_runs=any(study.links),
    )


def has_frontier(law: str) -> bool:
    """Whether a law trades parameters against tokens."""
    return {"params", "tokens"} <= set(LAWS[law].form.columns)


def show_frontier(study: Study, fitted: Fit, intervals: Bootstrap | None) -> None:
    """The best size for each compute by the law, by the valleys, and by the papers in their own, absolute units."""
    points = study.points
    flops = np.geomspace(points.flops.min(), points.flops.max() * 1e3, 60)
    lines = _own_lines(fitted, intervals, flops) + published_frontiers(flops)
    both = find_valleys(study, is_asked=False)
    dots = None
    if both is not None:
        found = both[0]
        inside = [valley for valley in found.valleys if valley.inside]
        budgets = np.array([valley.flops for valley in inside])
        best = np.array([valley.params for valley in inside])
        names = [_("valley of {flops} FLOP").format(flops=short(valley.flops)) for valley in inside]
        dots = Dots(x=budgets, y=best, size=best, names=names)
        own = Line(name=_("isoFLOP valleys"), x=flops, y=found.frontier.params(flops), place=5, dash="dot")
        lines.insert(1, own)
    rows: list[Row] = [("by", "flops", "params")]
    for line in lines:
        rows += [(line.name, *pair) for pair in zip(line.x.tolist(), line.y.tolist(), strict=True)]
    show_picture(
        frontier_figure(lines, dots),
        name="frontier",
        label=_("The best size of a model for each compute"),
        origin=origin_of(study, title_of(fitted)),
        rows=rows,
        code=fit_code(study, fitted, 200),
        revision=study.mark + fitted.law,
        opens_runs=any(study.links),
    )
    st.caption(
        _(
            "Here papers stand in their own units: parameters and FLOP are counted, not measured on a corpus. "
            "Tokens still differ between tokenizers, and Kaplan's N leaves out embeddings. "
            "Where their lines are drawn at this compute they are far outside their data."
        )
    )


def _own_lines(fitted: Fit, intervals: Bootstrap | None, flops: Float[np.ndarray, " budget"]) -> list[Line]:
    """The frontier of the fitted law with a band from the drawings; empty where it has none."""
    if not has_frontier(fitted.law):
        st.info(_("This law does not trade N against D; the papers and the valleys are shown alone."))
        return []
    try:
        best = best_params(fitted.law, fitted.parameters, flops, fitted.points)
    except UserError as error:
        st.info(str(error), icon=":material/info:")
        return []
    low = high = None
    drawn = []
    for parameters in intervals.parameters()[:DRAWN] if intervals else ():
        try:
            drawn.append(best_params(fitted.law, parameters, flops, fitted.points))
        except UserError:
            continue
    if drawn:
        low, high = np.quantile(np.stack(drawn), [0.025, 0.975], axis=0)
    return [Line(name=LAWS[fitted.law].title, x=flops, y=best, low=low, high=high)]


def published_frontiers(flops: Float[np.ndarray, " budget"]) -> list[Line]:
    """Kaplan's line as printed, and the closed forms of Hoffmann's law and of the replication's."""
    kaplan = ALLOCATIONS["kaplan"]
    found = {kaplan.title: kaplan.params * (flops / kaplan.flops) ** kaplan.exponent}
    found |= {one.title: closed_form(one.parameters).params(flops) for one in (HOFFMANN, BESIROGLU)}
    return [
        Line(name=title, x=flops, y=params, place=place, dash="dash")
        for place, (title, params) in enumerate(found.items(), start=1)
    ]
