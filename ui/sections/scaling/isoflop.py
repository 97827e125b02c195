"""IsoFLOP profiles: of runs of equal compute, or interpolated between the runs of a grid."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from playground.charts.scaling.compute import ProfileTrace, profiles_figure
from playground.charts.scaling.loss import Dots
from playground.csv_table import Row
from playground.errors import UserError
from playground.scaling.points import Points
from playground.scaling.profiles import IsoFlop, IsoFlopProfile, interpolate_budgets, isoflop, profiles_sentence
from playground.text import _
from ui.sections.scaling.figure import show_scaling_figure, source_line
from ui.sections.scaling.study import ScalingStudy
from ui.text import error_sentence

PARABOLA_POINTS = 60
NAMED_BUDGETS = 4
"""Of those that are left out."""


def find_profiles(study: ScalingStudy, *, explains: bool = True) -> tuple[IsoFlop, Points] | None:
    """The profiles and the points that they go through: runs of equal compute, or interpolated between a grid's runs.

    None, with the reason where `explains`, where there are neither.
    """
    try:
        return isoflop(study.points), study.points
    except UserError as error:
        reason = error_sentence(error)
    try:
        between = interpolate_budgets(study.points)
        return isoflop(between), between
    except UserError as error:
        if explains:
            st.info(f"{reason} {error}", icon=":material/info:")
        return None


def show_profiles(study: ScalingStudy) -> None:
    """Loss over size for each budget, with parabolas in log N."""
    profiles_and_points = find_profiles(study)
    if profiles_and_points is None:
        return
    isoflops, points = profiles_and_points
    is_measured = points is study.points
    st.markdown(profiles_sentence(isoflops))
    traces = [_trace(profile, points, study.clicks if is_measured else ()) for profile in isoflops.profiles]
    show_scaling_figure(
        profiles_figure(traces),
        name="isoflop",
        label=_("Loss over the size of the model, for each budget"),
        source=source_line(study),
        table=_table(isoflops, traces),
        code=profiles_code(interpolated=not is_measured),
        revision=study.fingerprint,
        opens_runs=is_measured and study.opens_runs,
    )
    if not is_measured:
        st.caption(
            _(
                "These runs are a grid, not runs of equal compute: each size's loss is interpolated between its own "
                "finished runs, linearly in the logarithms, and nothing is assumed beyond them."
            )
        )
    if isoflops.left_out:
        named, more = isoflops.left_out[:NAMED_BUDGETS], len(isoflops.left_out) - NAMED_BUDGETS
        reasons = "; ".join([*named, *([_("and {count} more").format(count=more)] if more > 0 else [])])
        st.caption(_("Left out: {reasons}.").format(reasons=reasons))


def _table(isoflops: IsoFlop, traces: Sequence[ProfileTrace]) -> list[Row]:
    table: list[Row] = [("run", "budget", "params", "loss")]
    for profile, trace in zip(isoflops.profiles, traces, strict=True):
        budget, dots = f"{profile.flops:.6g}", trace.dots
        measured = zip(dots.names, dots.x.tolist(), dots.y.tolist(), strict=True)
        table += [(name, budget, f"{size:.6g}", f"{value:.6g}") for name, size, value in measured]
        if profile.is_bracketed:
            table.append(("minimum", budget, f"{profile.params:.6g}", f"{profile.loss:.6g}"))
    return table


def _trace(profile: IsoFlopProfile, points: Points, links: Sequence[str]) -> ProfileTrace:
    indices = list(profile.indices)
    params = points.params[indices]
    x = np.geomspace(params.min() / 1.2, params.max() * 1.2, PARABOLA_POINTS)
    dots = Dots(
        x=params,
        y=points.loss[indices],
        size=params,
        names=[points.name(index) for index in indices],
        links=[links[index] for index in indices] if links else (),
    )
    minimum = (profile.params, profile.loss) if profile.is_bracketed else None
    return ProfileTrace(budget=profile.flops, dots=dots, x=x, y=profile.curve(x), minimum=minimum)


def profiles_code(*, interpolated: bool) -> str:
    """Python that fits the same profiles."""
    names, points = (
        ("interpolate_budgets, isoflop", "interpolate_budgets(points)") if interpolated else ("isoflop", "points")
    )
    return f"""from pathlib import Path

from playground.scaling.points_csv import read_points
from playground.scaling.profiles import {names}

points = read_points(Path("points.csv").read_text()).points
isoflops = isoflop({points})
for profile in isoflops.profiles:
    print(f"{{profile.flops:.3g}} FLOP: N {{profile.params:.3g}}, loss {{profile.loss:.4f}}")
print("N ~ C ^", isoflops.frontier.exponent)
"""
