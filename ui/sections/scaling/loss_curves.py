"""Loss over N, D or C: the runs, the fitted law with its extrapolation band, and published laws overlaid."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Float

from playground.charts.layout import level
from playground.charts.scaling.loss import RAMP, Dots, Line, add_mark, axis_title, fitted_loss_figure, size_colours
from playground.csv_table import Row
from playground.progress import OnProgress
from playground.scaling.allocation import optimal_params, tokens_for_compute
from playground.scaling.bootstrap import Bootstrap
from playground.scaling.budgets import short
from playground.scaling.fits import Fit, fit_to_exponents
from playground.scaling.forms.form import Parameters
from playground.scaling.laws import LAWS
from playground.scaling.points import Points
from playground.scaling.published import BESIROGLU, HOFFMANN, KAPLAN, Published
from playground.text import _
from ui.cache import scaling_results
from ui.jobs import compute
from ui.sections.scaling.figure import fit_code, law_title, show_scaling_figure, source_line
from ui.sections.scaling.marked import marked_point, show_marked
from ui.sections.scaling.study import ScalingStudy
from ui.state.address import read_several, read_switch, write_several, write_switch
from ui.state.parameters import EXTRAPOLATE, OVER, PUBLISHED
from ui.state.revisions import widget_key
from ui.widgets.choice import as_label, choose_option

OVERLAYS: dict[str, Published] = {published.key: published for published in (KAPLAN, HOFFMANN, BESIROGLU)}


@dataclass(frozen=True, kw_only=True, eq=False)
class LawCurve:
    """A law as it is drawn on this page."""

    name: str
    law: str
    parameters: Parameters
    series: int = 0
    """Its colour: 0 for one's own fit, then the published laws."""

    @property
    def dash(self) -> str:
        """Published laws are dashed: their colours stand beside those of the points."""
        return "dash" if self.series else ""


def choose_overlays() -> list[str]:
    """The published laws to overlay, all by default."""
    known = list(OVERLAYS)
    chosen: list[str] = st.pills(
        _("Overlay published laws"),
        known,
        selection_mode="multi",
        default=read_several(PUBLISHED, known, known),
        format_func=lambda key: _(OVERLAYS[key].title),
        key=widget_key(PUBLISHED, "choose_published"),
        label_visibility="collapsed",
        width="content",
    )
    write_several(PUBLISHED, chosen, known, known)
    return chosen


def fetch_overlays(study: ScalingStudy, keys: list[str]) -> list[LawCurve]:
    """The chosen laws, fitted to the points; those that cannot be are left out with a sentence."""
    curves = []
    for series, (key, published) in enumerate(OVERLAYS.items(), start=1):
        if key not in keys:
            continue
        name = _(published.title)
        title = _("Fitting {law} with its published exponents …").format(law=name)
        parameters = compute(
            ("aligned", study.fingerprint, key), partial(_fit, published, study), title=title, cache=scaling_results()
        )
        if parameters is not None:
            curves.append(LawCurve(name=name, law=published.law, parameters=parameters, series=series))
    return curves


def _fit(published: Published, study: ScalingStudy, _on_progress: OnProgress) -> Parameters:
    return fit_to_exponents(published.law, published.parameters, study.points)


OTHER = {"params": "tokens", "tokens": "params", "flops": "params"}
"""What colours the points over an axis."""
EXTRAPOLATION = 30.0
"""How far beyond the largest run, as a factor, curves are drawn."""
LEVELS = 5
CURVE_POINTS = 120


def over_titles() -> dict[str, str]:
    """The axes to choose from."""
    return {column: as_label(axis_title(column)) for column in OTHER}


def show_curves(study: ScalingStudy, fitted: Fit, resamples: Bootstrap | None) -> None:
    """Choose an axis; see the runs, the laws and the extrapolation."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        over = _choose_axis(fitted)
        chosen = choose_overlays()
        extrapolates = st.toggle(
            _("Extrapolate"),
            value=read_switch(EXTRAPOLATE),
            key=widget_key(EXTRAPOLATE, "extrapolates"),
            help=_("Thirty times beyond the largest run, with the bootstrap's 95% interval."),
        )
        write_switch(EXTRAPOLATE, extrapolates)
    overlays = fetch_overlays(study, chosen)
    own = LawCurve(name=_(LAWS[fitted.law].title), law=fitted.law, parameters=fitted.parameters)
    x = curve_points(getattr(study.points, over), EXTRAPOLATION if extrapolates else 1.3)
    lines = lines_over(over, x, [own, *overlays], study, resamples if extrapolates else None)
    if not lines:
        st.info(_("This law does not depend on {axis}; the runs are shown alone.").format(axis=axis_title(over)))
    dots = dots_of(study, over)
    figure = fitted_loss_figure(dots, lines, x=axis_title(over))
    marked = marked_point(study)
    if marked is not None:
        add_mark(figure, dots, marked)
    if study.floor is not None:
        level(figure, study.floor, _("known entropy {floor:.3f}").format(floor=study.floor), log=True)
    show_scaling_figure(
        figure,
        name=f"loss-{over}",
        label=_("Loss over {axis}").format(axis=axis_title(over)),
        source=source_line(study, law_title(fitted)),
        table=curve_table(over, dots, lines),
        code=fit_code(study, fitted, resamples.n_resamples if resamples else 200),
        revision=f"{study.fingerprint}{fitted.law}{extrapolates}",
        opens_runs=study.opens_runs,
    )
    if marked is not None:
        show_marked(study, fitted, marked)
    _explain(over, fitted.law, bool(overlays))


def _choose_axis(fitted: Fit) -> str:
    column = LAWS[fitted.law].form.columns[0]
    default = column if column in OTHER else "params"
    titles = {default: as_label(axis_title(default)), **over_titles()}
    return choose_option(OVER, _("Over"), titles, key=f"over_{default}", hidden=True)


def _explain(over: str, law: str, has_overlays: bool) -> None:
    columns = LAWS[law].form.columns
    if over == "params" and len(columns) > 1:
        st.caption(
            _("One fitted line per value of D, in the runs' colours; published laws have one for the largest value.")
        )
    if over == "tokens" and len(columns) > 1:
        st.caption(
            _("One fitted line per value of N, in the runs' colours; published laws have one for the largest value.")
        )
    if over == "flops" and "flops" not in columns:
        st.caption(
            _(
                "The line is the law at the compute-optimal N. Compute is counted as for the runs: interpolated "
                "between their sizes, constant beyond them."
            )
        )
    if has_overlays:
        st.caption(
            _(
                "What makes them comparable: losses of different corpora and tokenizers do not compare, and neither do "
                "E, A, B, N_c and D_c. Exponents have no unit. So each published law keeps its exponents as printed, "
                "and everything else in it is fitted to these runs."
            )
        )


def curve_points(values: Float[np.ndarray, " point"], beyond: float) -> Float[np.ndarray, " step"]:
    """Where a curve is computed: from a little below the smallest value to so many times the largest."""
    return np.geomspace(values.min() / 1.3, values.max() * beyond, CURVE_POINTS)


def dots_of(study: ScalingStudy, over: str, y: Float[np.ndarray, " point"] | None = None) -> Dots:
    """The runs over one of their sizes, coloured by another one."""
    points = study.points
    sizes = zip(points.params.tolist(), points.tokens.tolist(), points.flops.tolist(), strict=True)
    return Dots(
        x=getattr(points, over),
        y=points.loss if y is None else y,
        size=getattr(points, OTHER[over]),
        size_title=axis_title(OTHER[over]),
        names=study.names,
        links=study.clicks,
        details=[f"N {short(params)}, D {short(tokens)}, C {short(flops)}" for params, tokens, flops in sizes],
    )


def lines_over(
    over: str, x: Float[np.ndarray, " step"], laws: list[LawCurve], study: ScalingStudy, resamples: Bootstrap | None
) -> list[Line]:
    """Each law's curves over an axis; one's own fit has a band where there is a bootstrap."""
    lines: list[Line] = []
    for law in laws:
        band = None if law.series else resamples
        columns = LAWS[law.law].form.columns
        if columns == (over,):
            lines.append(_line(law, {over: x}, x, band))
        elif "params" in columns and "tokens" in columns:
            if over == "flops":
                lines.append(_over_compute(law, x, study.points, band))
            else:
                lines += _at_levels(over, law, x, study, band)
    return lines


def _line(
    law: LawCurve,
    values: dict[str, Float[np.ndarray, " step"]],
    x: Float[np.ndarray, " step"],
    resamples: Bootstrap | None,
    *,
    name: str = "",
    colour: str = "",
    in_legend: bool = True,
) -> Line:
    columns: Any = values
    low, high = (None, None) if resamples is None else resamples.predicted(**columns)
    return Line(
        name=name or law.name,
        x=x,
        y=LAWS[law.law].predict(law.parameters, **columns),
        series=law.series,
        low=low,
        high=high,
        colour=colour,
        dash=law.dash,
        group=law.name,
        in_legend=in_legend,
    )


def _over_compute(law: LawCurve, x: Float[np.ndarray, " step"], points: Points, resamples: Bootstrap | None) -> Line:
    """The least loss for each compute, counted as the runs' is."""
    params = optimal_params(law.law, law.parameters, x, points)
    return _line(law, {"params": params, "tokens": tokens_for_compute(points, params, x)}, x, resamples)


def _at_levels(
    over: str, law: LawCurve, x: Float[np.ndarray, " step"], study: ScalingStudy, resamples: Bootstrap | None
) -> list[Line]:
    """A curve for some values of the other size; of a published law for the largest alone."""
    other = OTHER[over]
    values = getattr(study.points, other)
    chosen = [float(values.max())] if law.series else levels(values)
    colours = dict(zip(values.tolist(), size_colours(values), strict=True))
    lines = []
    for value in chosen:
        sizes = {over: x, other: np.full_like(x, value)}
        is_last = value == chosen[-1]
        title = f"{law.name}, {'D' if other == 'tokens' else 'N'} {short(value)}"
        colour = "" if law.series else colours.get(value, RAMP[-1])
        lines.append(_line(law, sizes, x, resamples if is_last else None, name=title, colour=colour, in_legend=is_last))
    return lines


def levels(values: Float[np.ndarray, " point"], most: int = LEVELS) -> list[float]:
    """Some of the values that occur, evenly in their order, the smallest and the largest among them.

    >>> levels(np.array([1.0, 2, 4, 8, 16, 32, 64, 64]), 3)
    [1.0, 8.0, 64.0]
    """
    known = np.unique(values)
    picked = np.unique(np.linspace(0, len(known) - 1, min(most, len(known))).round().astype(int))
    return [float(known[index]) for index in picked]


def curve_table(over: str, dots: Dots, lines: list[Line]) -> list[Row]:
    """The runs, then every line's values with its band."""
    table: list[Row] = [("series", over, "loss", "low", "high")]
    table += [(name, x, y, "", "") for name, x, y in zip(dots.names, dots.x.tolist(), dots.y.tolist(), strict=True)]
    for line in lines:
        low = [""] * len(line.x) if line.low is None else line.low.tolist()
        high = [""] * len(line.x) if line.high is None else line.high.tolist()
        table += [(line.name, *values) for values in zip(line.x.tolist(), line.y.tolist(), low, high, strict=True)]
    return table
