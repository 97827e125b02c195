"""Loss over compute at several ratios of tokens to parameters, and what over-training costs."""

import numpy as np
import streamlit as st
from jaxtyping import Float

from playground.charts.scaling.loss import RAMP, Dots, Line, axis_title, fitted_loss_figure
from playground.errors import UserError
from playground.scaling.bootstrap import Bootstrap, percentile_interval
from playground.scaling.budgets import short
from playground.scaling.fits import Fit
from playground.scaling.frontier import CLOSED_FORMS
from playground.scaling.overtraining import loss_at_ratio, optimal_ratio
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN
from playground.text import _
from ui.sections.scaling.figure import law_title, show_scaling_figure, source_line
from ui.sections.scaling.loss_curves import curve_points, curve_table
from ui.sections.scaling.study import ScalingStudy
from ui.text import error_sentence

FACTORS = (1 / 16, 1 / 4, 1.0, 4.0, 16.0, 64.0)
"""Ratios that are drawn, as multiples of the optimal one at the largest run's compute."""
BAND_RESAMPLES = 200
BEYOND = 10.0


def show_overtraining(study: ScalingStudy, fitted: Fit, resamples: Bootstrap | None) -> None:
    """One line for each ratio D/N, the runs coloured by theirs; a sentence says what a ratio costs."""
    if fitted.law not in CLOSED_FORMS:
        st.info(
            _("Over-training needs a law with an optimum in closed form: Chinchilla's, Kaplan's or Gadre's."),
            icon=":material/info:",
        )
        return
    flops = float(ratio_compute(study).max())
    try:
        best = optimal_ratio(fitted.law, fitted.parameters, flops)
    except UserError as error:
        st.info(error_sentence(error), icon=":material/info:")
        return
    st.markdown(overtraining_sentence(fitted, resamples, flops, best))
    x = curve_points(ratio_compute(study), BEYOND)
    dots, lines = ratio_dots(study), ratio_lines(fitted, resamples, x, best)
    show_scaling_figure(
        fitted_loss_figure(dots, lines, x=axis_title("flops")),
        name="over-training",
        label=_("Loss over compute, a line for each ratio of tokens to parameters"),
        source=source_line(study, law_title(fitted)),
        table=curve_table("flops", dots, lines),
        code=ratio_code(fitted, resamples, best),
        revision=study.fingerprint + fitted.law + str(resamples is not None),
        opens_runs=study.opens_runs,
    )
    st.caption(
        _(
            "C = 6 N D here, whatever else the page counts: only then do compute and ratio give N and D. Dashed lines: "
            "over-trained, more tokens per parameter than optimal; dotted: under-trained. Where α and β are equal "
            "(Gadre's law) the lines are parallel above E, otherwise they cross."
        )
    )


def ratio_compute(study: ScalingStudy) -> Float[np.ndarray, " point"]:
    """The runs' compute as the ratio needs it."""
    return np.asarray(FLOPS_PER_PARAMETER_AND_TOKEN * study.points.params * study.points.tokens)


def overtraining_sentence(fitted: Fit, resamples: Bootstrap | None, flops: float, best: float) -> str:
    """The optimal ratio with its interval, and what sixteen times that costs at the same compute."""
    cost = [float(loss_at_ratio(fitted.law, fitted.parameters, flops, ratio)) for ratio in (best, 16 * best)]
    interval = ratio_interval(resamples, flops)
    shown = short(best)
    if interval is not None:
        shown = _("{value} [{low}, {high}]").format(value=shown, low=short(interval[0]), high=short(interval[1]))
    return _(
        "At {flops:.2g} FLOP the law's optimum is {ratio} tokens per parameter; 16 times as many cost {more:.3f} nats "
        "({percent:.1f}%) at the same compute, for a model of a quarter of the size."
    ).format(flops=flops, ratio=shown, more=cost[1] - cost[0], percent=100 * (cost[1] / cost[0] - 1))


def ratio_interval(resamples: Bootstrap | None, flops: float) -> tuple[float, float] | None:
    """The percentile interval of the optimal ratio; None without resamples that have one."""
    ratios = []
    for parameters in resamples.parameters() if resamples else ():
        try:
            ratios.append(optimal_ratio(resamples.law, parameters, flops) if resamples else 0.0)
        except UserError:
            continue
    if len(ratios) < 2:
        return None
    low, high = percentile_interval(np.array(ratios), 0.95)
    return float(low), float(high)


def ratio_dots(study: ScalingStudy) -> Dots:
    """The runs over 6 N D, coloured by their ratio."""
    points = study.points
    ratio = points.tokens / points.params
    details = [
        _("D/N {ratio}, N {params}, D {tokens}").format(ratio=short(r), params=short(n), tokens=short(d))
        for r, n, d in zip(ratio.tolist(), points.params.tolist(), points.tokens.tolist(), strict=True)
    ]
    return Dots(
        x=ratio_compute(study),
        y=points.loss,
        size=ratio,
        size_title=_("tokens per parameter D/N"),
        names=study.names,
        links=study.clicks,
        details=details,
    )


def ratio_lines(fitted: Fit, resamples: Bootstrap | None, x: Float[np.ndarray, " step"], best: float) -> list[Line]:
    """A line for each multiple of the optimal ratio; the optimal one has a band."""
    lines = []
    for factor, colour in zip(FACTORS, RAMP, strict=True):
        low, high = _band(resamples, x, best) if factor == 1 else (None, None)
        lines.append(
            Line(
                name=_ratio_name(factor, best),
                x=x,
                y=loss_at_ratio(fitted.law, fitted.parameters, x, factor * best),
                colour=colour,
                dash="dash" if factor > 1 else "dot" if factor < 1 else "solid",
                low=low,
                high=high,
            )
        )
    return lines


def _ratio_name(factor: float, best: float) -> str:
    if factor == 1:
        return _("D/N {ratio}, optimal").format(ratio=short(best))
    template = _("D/N {ratio}, over-trained × {times:g}") if factor > 1 else _("D/N {ratio}, under-trained ÷ {times:g}")
    return template.format(ratio=short(factor * best), times=factor if factor > 1 else 1 / factor)


def _band(
    resamples: Bootstrap | None, x: Float[np.ndarray, " step"], ratio: float
) -> tuple[Float[np.ndarray, " step"] | None, Float[np.ndarray, " step"] | None]:
    if resamples is None:
        return None, None
    chosen = resamples.parameters()[:BAND_RESAMPLES]
    losses = np.stack([loss_at_ratio(resamples.law, parameters, x, ratio) for parameters in chosen])
    return percentile_interval(losses, 0.95)


def ratio_code(fitted: Fit, resamples: Bootstrap | None, best: float) -> str:
    """Python that computes the optimal ratio and the lines, given points.csv of the section of data."""
    floor = "" if fitted.floor is None else f", floor={fitted.floor!r}"
    count = resamples.n_resamples if resamples else 200
    return f"""from pathlib import Path

import numpy as np

from playground.scaling.bootstrap import bootstrap
from playground.scaling.fits import fit
from playground.scaling.overtraining import loss_at_ratio, optimal_ratio
from playground.scaling.points_csv import read_points

points = read_points(Path("points.csv").read_text()).points
fitted = fit({fitted.law!r}, points{floor})
flops = 6 * points.params * points.tokens
x = np.geomspace(flops.min(), flops.max(), 5)
best = optimal_ratio(fitted.law, fitted.parameters, flops.max())  # {best:.6g}
print(best, fitted.parameters, bootstrap(fitted, n_resamples={count}, seed=0).intervals())
for factor in {FACTORS!r}:
    print(factor * best, loss_at_ratio(fitted.law, fitted.parameters, x, factor * best))
"""
