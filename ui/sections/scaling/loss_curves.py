"""Loss over N, D or C: the runs, the law through them and beyond them, and the published laws laid over."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Float

from playground.charts.layout import level
from playground.charts.scaling.loss import (
    COMPUTE,
    PARAMETERS,
    RAMP,
    TOKENS,
    Dots,
    Line,
    loss_figure,
    short,
    size_colours,
)
from playground.scaling.allocation import best_params, tokens_bought
from playground.scaling.bootstrap import Bootstrap
from playground.scaling.fits import Fit
from playground.scaling.laws import LAWS
from playground.scaling.points import Points
from playground.text import _
from ui import state
from ui.sections.scaling.figure import fit_code, origin_of, show_picture, title_of
from ui.sections.scaling.overlays import Overlay, choose_overlays, obtain_overlays
from ui.sections.scaling.study import Study
from ui.tables import Row
from ui.widgets.choice import choose_word

AXES = {"params": PARAMETERS, "tokens": TOKENS, "flops": COMPUTE}
OTHER = {"params": "tokens", "tokens": "params", "flops": "params"}
"""What colours the points over an axis."""
FURTHER = 30.0
"""How many times the largest run the cone reaches to."""
LEVELS = 5

PLACES = 120


@dataclass(frozen=True, kw_only=True, eq=False)
class Laid:
    """A law on this page: its name here, its numbers, and its place among the colours."""

    name: str
    law: str
    parameters: dict[str, float]
    place: int

    @property
    def dash(self) -> str:
        """Published laws are dashed: their colours stand beside those of the points."""
        return "dash" if self.place else ""


def show_curves(study: Study, fitted: Fit, intervals: Bootstrap | None) -> None:
    """Choose an axis; see the runs, the law and its cone."""
    left, right = st.columns(2)
    with left:
        columns = LAWS[fitted.law].form.columns
        usual = columns[0] if columns[0] in AXES else "params"
        titles = {usual: "", **AXES} | {usual: AXES[usual]}
        over = choose_word(state.OVER, _("Over"), titles, key=f"over_{usual}")
    with right:
        wants_cone = st.toggle(
            _("Extrapolate, with a 95 % band"), value=state.read_flag(state.CONE, True), key="wants_cone"
        )
        state.write_flag(state.CONE, wants_cone, True)
    overlays = obtain_overlays(study, choose_overlays())
    own = Laid(name=LAWS[fitted.law].title, law=fitted.law, parameters=fitted.parameters, place=0)
    laid = [own, *(_laid(overlay) for overlay in overlays)]
    x = places(getattr(study.points, over), FURTHER if wants_cone else 1.3)
    lines = lines_over(over, x, laid, study, intervals if wants_cone else None)
    if not lines:
        st.info(_("This law says nothing about {axis}; the runs are shown alone.").format(axis=AXES[over]))
    dots = dots_of(study, over)
    origin = origin_of(study, title_of(fitted))
    figure = loss_figure(dots, lines, x=AXES[over], title=_("measured"))
    if study.floor is not None:
        level(figure, study.floor, _("lowest possible loss {floor:.3f}").format(floor=study.floor), log=True)
    show_picture(
        figure,
        name=f"loss-{over}",
        label=_("Loss over {axis}").format(axis=AXES[over]),
        origin=origin,
        rows=curve_rows(over, dots, lines),
        code=fit_code(study, fitted, intervals.count if intervals else 200),
        revision=f"{study.mark}{fitted.law}{wants_cone}",
        opens_runs=any(study.links),
    )
    _explain(over, fitted.law, bool(overlays))


def _laid(overlay: Overlay) -> Laid:
    return Laid(name=overlay.name, law=overlay.law, parameters=overlay.parameters, place=overlay.place)


def _explain(over: str, law: str, has_overlays: bool) -> None:
    if over in ("params", "tokens") and len(LAWS[law].form.columns) > 1:
        st.caption(
            _(
                "The law has a line for each of some values of the other size, in its colour, as the runs have theirs; "
                "published laws have one for the largest value."
            )
        )
    if over == "flops" and "flops" not in LAWS[law].form.columns:
        st.caption(
            _(
                "The line is the best that the law allows for a compute, at the N that is best for it. Compute counts "
                "as for the runs: between their sizes in proportion, beyond them as for the nearest."
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


def places(values: Float[np.ndarray, " point"], further: float) -> Float[np.ndarray, " place"]:
    """Where a curve is computed: from a little below the smallest value to so many times the largest."""
    return np.geomspace(values.min() / 1.3, values.max() * further, PLACES)


def dots_of(study: Study, over: str, y: Float[np.ndarray, " point"] | None = None) -> Dots:
    """The runs over one of their sizes, coloured by another one."""
    points = study.points
    details = [
        f"N {short(params)}, D {short(tokens)}, C {short(flops)}"
        for params, tokens, flops in zip(
            points.params.tolist(), points.tokens.tolist(), points.flops.tolist(), strict=True
        )
    ]
    return Dots(
        x=getattr(points, over),
        y=points.loss if y is None else y,
        size=getattr(points, OTHER[over]),
        size_title=AXES[OTHER[over]],
        names=study.names,
        links=study.clicks,
        details=details,
    )


def lines_over(
    over: str, x: Float[np.ndarray, " place"], laid: list[Laid], study: Study, intervals: Bootstrap | None
) -> list[Line]:
    """Each law's curves over an axis; the first law's have a band where there are intervals."""
    found: list[Line] = []
    for law in laid:
        band = intervals if law is laid[0] else None
        columns = LAWS[law.law].form.columns
        if columns == (over,):
            found.append(_line(law, {over: x}, x, band))
        elif "params" in columns and "tokens" in columns:
            found += (
                _over_compute(law, x, study.points, band) if over == "flops" else _at_levels(over, law, x, study, band)
            )
    return found


def _line(
    law: Laid,
    given: dict[str, Float[np.ndarray, " place"]],
    x: Float[np.ndarray, " place"],
    intervals: Bootstrap | None,
    *,
    name: str = "",
    colour: str = "",
    in_legend: bool = True,
) -> Line:
    columns: Any = given
    low, high = (None, None) if intervals is None else intervals.predicted(**columns)
    return Line(
        name=name or law.name,
        x=x,
        y=LAWS[law.law].predict(law.parameters, **columns),
        place=law.place,
        low=low,
        high=high,
        colour=colour,
        dash=law.dash,
        group=law.name,
        in_legend=in_legend,
    )


def _over_compute(law: Laid, x: Float[np.ndarray, " place"], points: Points, intervals: Bootstrap | None) -> list[Line]:
    """The best loss for each compute, which is counted as the runs' is."""
    params = best_params(law.law, law.parameters, x, points)
    given = {"params": params, "tokens": tokens_bought(points, params, x)}
    return [_line(law, given, x, intervals)]


def _at_levels(
    over: str, law: Laid, x: Float[np.ndarray, " place"], study: Study, intervals: Bootstrap | None
) -> list[Line]:
    """A curve for some values of the other size; of a published law for the largest alone."""
    other = OTHER[over]
    values = getattr(study.points, other)
    chosen = levels(values) if law.place == 0 else [float(values.max())]
    colours = dict(zip(values.tolist(), size_colours(values), strict=True))
    found = []
    for value in chosen:
        given = {over: x, other: np.full_like(x, value)}
        is_last = value == chosen[-1]
        title = f"{law.name}, {'D' if other == 'tokens' else 'N'} {short(value)}"
        colour = colours.get(value, RAMP[-1]) if law.place == 0 else ""
        band = intervals if is_last else None
        found.append(_line(law, given, x, band, name=title, colour=colour, in_legend=is_last))
    return found


def levels(values: Float[np.ndarray, " point"], most: int = LEVELS) -> list[float]:
    """Some of the values that occur, evenly in their order, the smallest and the largest among them.

    >>> levels(np.array([1.0, 2, 4, 8, 16, 32, 64, 64]), 3)
    [1.0, 8.0, 64.0]
    """
    known = np.unique(values)
    picked = np.unique(np.linspace(0, len(known) - 1, min(most, len(known))).round().astype(int))
    return [float(known[place]) for place in picked]


def curve_rows(over: str, dots: Dots, lines: list[Line]) -> list[Row]:
    """The runs, then every line's values with its band."""
    rows: list[Row] = [("series", over, "loss", "low", "high")]
    rows += [(name, x, y, "", "") for name, x, y in zip(dots.names, dots.x.tolist(), dots.y.tolist(), strict=True)]
    for line in lines:
        low = [""] * len(line.x) if line.low is None else line.low.tolist()
        high = [""] * len(line.x) if line.high is None else line.high.tolist()
        rows += [(line.name, *values) for values in zip(line.x.tolist(), line.y.tolist(), low, high, strict=True)]
    return rows


"""Their place among the colours, after that of the points' own law."""
