"""Values with their intervals: parameters, exponents by paper, plans."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from playground.charts.layout import quiet_layout, token_label
from playground.charts.palette import series_look
from playground.text import _

GROUP_SPREAD = 0.4
"""How far apart the groups of one row stand, relative to the distance of two rows."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A value and its interval."""

    name: str
    value: float
    low: float
    high: float


Groups = Sequence[tuple[str, Sequence[Interval]]]


def intervals_figure(groups: Groups, *, x: str, log_x: bool = False) -> go.Figure:
    """Values with their intervals, a row for each name; groups (such as ours and the published) by colour."""
    figure = go.Figure()
    names = list(dict.fromkeys(interval.name for _group, intervals in groups for interval in intervals))
    for series, (group, intervals) in enumerate(groups):
        known = [interval for interval in intervals if np.isfinite(interval.value)]
        heights = [names.index(interval.name) + _offset(interval.name, series, groups) for interval in known]
        _add_intervals(figure, group, known, heights, series)
    quiet_layout(figure, x=x, y="", log_x=log_x)
    figure.update_layout(hovermode="closest")
    if log_x:
        figure.update_xaxes(exponentformat="B", nticks=6, minor={"ticks": ""})
    ticks = {
        "tickmode": "array",
        "tickvals": list(range(len(names))),
        "ticktext": [token_label(name) for name in names],
    }
    figure.update_yaxes(**ticks, range=[len(names) - 0.5, -0.5])
    return figure


def _offset(name: str, series: int, groups: Groups) -> float:
    """How far from its row a group stands, so that intervals of one name do not cover one another."""
    sharing = [index for index, (_group, members) in enumerate(groups) if name in {each.name for each in members}]
    return GROUP_SPREAD * (sharing.index(series) / (len(sharing) - 1) - 0.5) if len(sharing) > 1 else 0.0


def _add_intervals(
    figure: go.Figure, group: str, known: Sequence[Interval], heights: Sequence[float], series: int
) -> None:
    colour, _dash = series_look(series)
    bars = [
        (max(0.0, interval.value - interval.low), max(0.0, interval.high - interval.value))
        if np.isfinite([interval.low, interval.high]).all()
        else (0.0, 0.0)
        for interval in known
    ]
    span = _("{low} to {high}").format(low="%{customdata[1]:.4g}", high="%{customdata[2]:.4g}")
    figure.add_scatter(
        x=[interval.value for interval in known],
        y=list(heights),
        meta={"rows": [interval.name for interval in known]},
        mode="markers",
        name=group,
        marker={"color": colour, "size": 9, "symbol": "circle" if series == 0 else "diamond-open"},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [above for _below, above in bars],
            "arrayminus": [below for below, _above in bars],
            "color": colour,
            "thickness": 1.6,
            "width": 5,
        },
        customdata=[[token_label(interval.name), interval.low, interval.high, ""] for interval in known],
        hovertemplate=f"%{{customdata[0]}}: %{{x:.4g}} ({span})<extra>{token_label(group)}</extra>",
    )
