"""IsoFLOP valleys: of runs of one compute, or of losses between the runs of a grid."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from playground.charts.scaling.compute import Valley as DrawnValley
from playground.charts.scaling.compute import valleys_figure
from playground.charts.scaling.loss import Dots
from playground.errors import UserError
from playground.scaling.frontier import IsoFlop, Valley, isoflop
from playground.scaling.interpolation import at_budgets
from playground.scaling.points import Points
from playground.text import _
from ui.sections.scaling.figure import origin_of, show_picture
from ui.sections.scaling.study import Study
from ui.tables import Row

PARABOLA = 60
"""Points that a parabola is drawn with."""
NAMED = 4
"""Of the budgets that are left out of the line."""


def find_valleys(study: Study, *, is_asked: bool = True) -> tuple[IsoFlop, Points] | None:
    """The valleys and the points that they go through: runs of one compute, or losses between the runs of a grid.

    None, with the reason, where there are neither.
    """
    try:
        return isoflop(study.points), study.points
    except UserError as error:
        reason = str(error)
    try:
        between = at_budgets(study.points)
        return isoflop(between), between
    except UserError as error:
        if is_asked:
            st.info(f"{reason} {error}", icon=":material/info:")
        return None


def show_valleys(study: Study) -> None:
    """Loss over size for each budget, with parabolas in log N."""
    both = find_valleys(study)
    if both is None:
        return
    found, points = both
    is_measured = points is study.points
    drawn = [_drawn_valley(valley, points, study.clicks if is_measured else ()) for valley in found.valleys]
    rows: list[Row] = [("run", "budget", "params", "loss")]
    for valley, picture in zip(found.valleys, drawn, strict=True):
        measured = zip(picture.dots.names, picture.dots.x.tolist(), picture.dots.y.tolist(), strict=True)
        rows += [(name, f"{valley.flops:.6g}", f"{size:.6g}", f"{value:.6g}") for name, size, value in measured]
        if valley.inside:
            rows.append(("minimum", f"{valley.flops:.6g}", f"{valley.params:.6g}", f"{valley.loss:.6g}"))
    show_picture(
        valleys_figure(drawn),
        name="isoflop",
        label=_("Loss over the size of the model, for each budget"),
        origin=origin_of(study),
        rows=rows,
        code=VALLEYS_CODE if is_measured else VALLEYS_CODE.replace(MEASURED, BETWEEN).replace(ISOFLOP, BETWEEN_IMPORT),
        revision=study.mark,
        opens_runs=is_measured and any(study.links),
    )
    words = _("Through the lowest points: N grows as C to the power of {exponent:.2f}.")
    st.caption(words.format(exponent=found.frontier.exponent))
    if not is_measured:
        st.caption(
            _(
                "These runs are a grid, not runs of one compute: each size's loss is interpolated between its own "
                "finished runs, straight in the logarithms, and nothing is assumed beyond them."
            )
        )
    if found.left_out:
        named = "; ".join(found.left_out[:NAMED])
        more = _("; and {count} more").format(count=len(found.left_out) - NAMED) if len(found.left_out) > NAMED else ""
        st.caption(_("Left out of the line: {reasons}.").format(reasons=named + more))


def _drawn_valley(valley: Valley, points: Points, links: Sequence[str]) -> DrawnValley:
    rows = list(valley.rows)
    params = points.params[rows]
    x = np.geomspace(params.min() / 1.2, params.max() * 1.2, PARABOLA)
    dots = Dots(
        x=params,
        y=points.loss[rows],
        size=params,
        names=[points.name(row) for row in rows],
        links=[links[row] for row in rows] if links else (),
    )
    minimum = (valley.params, valley.loss) if valley.inside else None
    return DrawnValley(budget=valley.flops, dots=dots, x=x, y=valley.curve(x), minimum=minimum)


MEASURED, BETWEEN = "isoflop(points)", "isoflop(at_budgets(points))"
ISOFLOP = "from playground.scaling.frontier import isoflop\n"
BETWEEN_IMPORT = ISOFLOP + "from playground.scaling.interpolation import at_budgets\n"
VALLEYS_CODE = """from pathlib import Path

from playground.scaling.frontier import isoflop
from playground.scaling.points_csv import read_points

points = read_points(Path("points.csv").read_text()).points
found = isoflop(points)
for valley in found.valleys:
    print(f"{valley.flops:.3g} FLOPs: N {valley.params:.3g}, loss {valley.loss:.4f}")
print("N ~ C ^", found.frontier.exponent)
"""
