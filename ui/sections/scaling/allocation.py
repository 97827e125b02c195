"""Where compute goes: training curves and their envelope, the loss surface, the compute-optimal frontier."""

import numpy as np
import streamlit as st
from jaxtyping import Float

from playground.charts.scaling.compute import (
    TrainingCurve,
    frontier_figure,
    loss_surface_figure,
    training_curves_figure,
)
from playground.charts.scaling.loss import Dots, Line
from playground.csv_table import Row
from playground.errors import UserError
from playground.scaling.allocation import optimal_params, tokens_for_compute
from playground.scaling.bootstrap import Bootstrap
from playground.scaling.budgets import short
from playground.scaling.fits import Fit
from playground.scaling.frontier import Envelope, closed_form, envelope
from playground.scaling.laws import LAWS
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN
from playground.scaling.published import ALLOCATIONS, BESIROGLU, HOFFMANN
from playground.text import _
from ui.sections.scaling.figure import fit_code, law_title, show_scaling_figure, source_line, sweep_code
from ui.sections.scaling.isoflop import find_profiles
from ui.sections.scaling.study import ScalingStudy
from ui.text import error_sentence

SURFACE_CELLS = 56
FRONTIER_RESAMPLES = 120
"""Of the bootstrap, for the frontier's band: a law without a closed form takes a search for each."""


def show_training(study: ScalingStudy) -> None:
    """Every run's training curve, and their lower envelope."""
    if not study.curves:
        st.info(
            _(
                "A table has no training curves; a sweep's runs do. Choose a sweep on the left, or start one under "
                "Run a sweep."
            ),
            icon=":material/info:",
        )
        return
    links = dict(zip(study.names, study.clicks, strict=True))
    curves = [
        TrainingCurve(
            name=curve.name, compute=curve.flops, loss=curve.loss, params=curve.params, link=links.get(curve.name, "")
        )
        for curve in study.curves
    ]
    lowest = _envelope(study)
    line = None
    if lowest is not None and lowest.frontier is not None:
        growth = _("Through the {count} sizes that touch the envelope N grows as C to the power of {exponent}.")
        frontier = lowest.frontier
        st.markdown(growth.format(count=frontier.n_points, exponent=frontier.exponent_text()))
    if lowest is not None:
        # A run that has ended keeps its loss: what was reached with less compute is reached with more.
        line = Line(name=_("envelope"), x=lowest.flops, y=np.minimum.accumulate(lowest.loss), dash="dot")
    show_scaling_figure(
        training_curves_figure(curves, line),
        name="training-curves",
        label=_("Validation loss of every run over its compute"),
        source=source_line(study),
        table=_training_table(curves),
        code=training_code(study),
        revision=study.fingerprint,
        opens_runs=study.opens_runs,
    )
    st.caption(
        _("Mid-run losses are pessimistic: the learning rate has not decayed yet. Read the envelope at the runs' ends.")
    )


def _envelope(study: ScalingStudy) -> Envelope | None:
    try:
        return envelope(study.curves)
    except UserError as error:
        st.info(error_sentence(error), icon=":material/info:")
        return None


def _training_table(curves: list[TrainingCurve]) -> list[Row]:
    table: list[Row] = [("run", "params", "flops", "loss")]
    for curve in curves:
        points = zip(curve.compute.tolist(), curve.loss.tolist(), strict=True)
        table += [(curve.name, curve.params, flops, loss) for flops, loss in points]
    return table


def training_code(study: ScalingStudy) -> str:
    """Python that computes the envelope of a sweep's training curves."""
    params, each = ("params", "point.flops / point.tokens")
    if not study.counts_embeddings:
        params, each = "params_without_embeddings", "None"
    lines = f"""curves = []
for point in view.points:
    losses = [(step.tokens, step.loss) for step in view.curves if step.run == point.run and step.tokens > 0]
    tokens, loss = np.array(losses, float).T
    curves.append(
        LossCurve(name=point.run, params=point.{params}, tokens=tokens, loss=loss, flops_per_token={each})
    )
lowest = envelope(curves)
print(np.column_stack([lowest.flops, np.minimum.accumulate(lowest.loss)]))
print("N ~ C ^", lowest.frontier.exponent if lowest.frontier else "none")
"""
    return sweep_code(study, ["playground.scaling.frontier import LossCurve, envelope"], lines)


def show_loss_surface(study: ScalingStudy, fitted: Fit) -> None:
    """The law's loss over N and D, and its compute-optimal frontier."""
    if not has_frontier(fitted.law):
        st.info(
            _("A loss surface needs a law of N and D together, such as Chinchilla's or Kaplan's."),
            icon=":material/info:",
        )
        return
    points = study.points
    params = np.geomspace(points.params.min() / 3, points.params.max() * 10, SURFACE_CELLS)
    tokens = np.geomspace(points.tokens.min() / 3, points.tokens.max() * 10, SURFACE_CELLS)
    n, d = np.meshgrid(params, tokens)  # both [token, param]
    loss = LAWS[fitted.law].predict(fitted.parameters, params=n.ravel(), tokens=d.ravel())
    corners = FLOPS_PER_PARAMETER_AND_TOKEN * np.array([params[0] * tokens[0], params[-1] * tokens[-1]])
    flops = np.geomspace(corners[0], corners[1], 80)
    try:
        best = optimal_params(fitted.law, fitted.parameters, flops, fitted.points)
    except UserError as error:
        st.info(error_sentence(error), icon=":material/info:")
        return
    line = Line(name=_("compute-optimal frontier"), x=best, y=tokens_for_compute(points, best, flops))
    table: list[Row] = [("params", "tokens", "loss")]
    table += list(zip(n.ravel().tolist(), d.ravel().tolist(), loss.tolist(), strict=True))
    show_scaling_figure(
        loss_surface_figure(params, tokens, loss.reshape(n.shape), _surface_dots(study), [line]),
        name="loss-map",
        label=_("Loss over parameters and tokens, with the compute-optimal frontier"),
        source=source_line(study, law_title(fitted)),
        table=table,
        code=fit_code(study, fitted, 200),
        height=540,
        revision=study.fingerprint + fitted.law,
        opens_runs=study.opens_runs,
    )


def _surface_dots(study: ScalingStudy) -> Dots:
    points = study.points
    details = [
        _("N {params}, D {tokens}: loss {loss:.4f}").format(params=short(params), tokens=short(tokens), loss=loss)
        for params, tokens, loss in zip(
            points.params.tolist(), points.tokens.tolist(), points.loss.tolist(), strict=True
        )
    ]
    return Dots(
        x=points.params, y=points.tokens, size=points.flops, names=study.names, links=study.clicks, details=details
    )


def has_frontier(law: str) -> bool:
    """Whether a law trades parameters against tokens."""
    return {"params", "tokens"} <= set(LAWS[law].form.columns)


def show_frontier(study: ScalingStudy, fitted: Fit, resamples: Bootstrap | None) -> None:
    """The compute-optimal size by the fitted law, by isoFLOP profiles, and by the papers in their own units."""
    points = study.points
    flops = np.geomspace(points.flops.min(), points.flops.max() * 1e3, 60)
    lines = _own_lines(fitted, resamples, flops) + published_frontiers(flops)
    dots = None
    profiles_and_points = find_profiles(study, explains=False)
    if profiles_and_points is not None:
        isoflops, _points = profiles_and_points
        bracketed = [profile for profile in isoflops.profiles if profile.is_bracketed]
        optima = np.array([profile.params for profile in bracketed])
        names = [_("minimum at {flops} FLOP").format(flops=short(profile.flops)) for profile in bracketed]
        dots = Dots(x=np.array([profile.flops for profile in bracketed]), y=optima, size=optima, names=names)
        frontier = Line(name=_("isoFLOP profiles"), x=flops, y=isoflops.frontier.params(flops), series=5, dash="dot")
        lines.insert(1, frontier)
    table: list[Row] = [("by", "flops", "params")]
    for line in lines:
        table += [(line.name, *pair) for pair in zip(line.x.tolist(), line.y.tolist(), strict=True)]
    show_scaling_figure(
        frontier_figure(lines, dots),
        name="frontier",
        label=_("The compute-optimal size of a model for each budget"),
        source=source_line(study, law_title(fitted)),
        table=table,
        code=fit_code(study, fitted, 200),
        revision=study.fingerprint + fitted.law,
        opens_runs=study.opens_runs,
    )
    st.caption(
        _(
            "The papers' lines are in their own units: parameters and FLOPs are counted, not measured on a corpus. "
            "Tokens still differ between tokenizers, and Kaplan's N leaves out embeddings. "
            "At this compute the lines are far outside the papers' data."
        )
    )


def _own_lines(fitted: Fit, resamples: Bootstrap | None, flops: Float[np.ndarray, " budget"]) -> list[Line]:
    """The frontier of the fitted law with its bootstrap band; empty where it has none."""
    if not has_frontier(fitted.law):
        st.info(_("This law does not trade N against D; the papers and the isoFLOP profiles are shown alone."))
        return []
    try:
        best = optimal_params(fitted.law, fitted.parameters, flops, fitted.points)
    except UserError as error:
        st.info(error_sentence(error), icon=":material/info:")
        return []
    frontiers = []
    for parameters in resamples.parameters()[:FRONTIER_RESAMPLES] if resamples else ():
        try:
            frontiers.append(optimal_params(fitted.law, parameters, flops, fitted.points))
        except UserError:
            continue
    low, high = np.quantile(np.stack(frontiers), [0.025, 0.975], axis=0) if frontiers else (None, None)
    return [Line(name=_(LAWS[fitted.law].title), x=flops, y=best, low=low, high=high)]


def published_frontiers(flops: Float[np.ndarray, " budget"]) -> list[Line]:
    """Kaplan's line as printed, and the closed forms of Hoffmann's law and of the replication's."""
    kaplan = ALLOCATIONS["kaplan"]
    frontiers = {_(kaplan.title): kaplan.params * (flops / kaplan.flops) ** kaplan.exponent}
    for published in (HOFFMANN, BESIROGLU):
        frontiers[_(published.title)] = closed_form(published.parameters).params(flops)
    return [
        Line(name=title, x=flops, y=params, series=series, dash="dash")
        for series, (title, params) in enumerate(frontiers.items(), start=1)
    ]
