"""Charts of the page Emergence: one metric of several runs, and behaviour above progress measures."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from playground.charts.layout import axis, quiet_layout
from playground.charts.palette import HELD_OUT, series_look
from playground.charts.series import Series
from playground.errors import UserError

GAP = 0.12
"""Between the two panels, as a share of the height."""


@dataclass(frozen=True, kw_only=True)
class Axes:
    """Titles and scales of a panel."""

    x: str
    y: str
    log_x: bool = False
    log_y: bool = False
    is_share: bool = True
    """Whether values lie between 0 and 1, which fixes a linear axis to that range."""


def ability_figure(
    measured: Sequence[Series], expected: Sequence[Series], axes: Axes, *, live: Sequence[Series] = ()
) -> go.Figure:
    """Measured curves, the expected p^L beside them (dotted, in the same colours), and a live run.

    A logarithmic axis omits zeros.
    """
    figure = go.Figure()
    for index, curve in enumerate(measured):
        colour, dash = series_look(index)
        _add(figure, curve, axes, colour=colour, dash=dash, size=6)
    for index, curve in enumerate(expected):
        _add(figure, curve, axes, colour=series_look(index)[0], dash="dot", size=0)
        # One entry in the legend explains the dotted lines.
        figure.data[-1].update(showlegend=index == 0)
    for curve in live:
        _add(figure, curve, axes, colour=HELD_OUT.light, dash="solid", size=8)
    quiet_layout(figure, x=axes.x, y=axes.y, log_x=axes.log_x, log_y=axes.log_y)
    figure.update_xaxes(exponentformat="B")
    if axes.is_share and not axes.log_y:
        figure.update_yaxes(range=[-0.03, 1.03])
    return figure


def _add(figure: go.Figure, curve: Series, axes: Axes, *, colour: str, dash: str, size: int, panel: str = "y") -> None:
    points = [
        (x, y if y is None or y > 0 or not axes.log_y else None)
        for x, y in zip(curve.steps, curve.values, strict=True)
        if x > 0 or not axes.log_x
    ]
    figure.add_scatter(
        x=[x for x, _ in points],
        y=[y for _, y in points],
        name=curve.name,
        mode="lines+markers" if size else "lines",
        line={"color": colour, "width": 2, "dash": dash},
        marker={"size": size or 6},
        customdata=[[curve.click]] * len(points) if curve.click else None,
        hovertemplate="%{y:.4g}",
        yaxis=panel,
    )


@dataclass(frozen=True, kw_only=True)
class Panels:
    """The curves of one run in both panels."""

    behaviour: Sequence[Series]
    """Above: what one sees, such as accuracy."""
    progress: Sequence[Series]
    """Below: progress measures."""
    dash: str = "solid"


def panels_figure(runs: Sequence[Panels], axes: tuple[Axes, Axes]) -> go.Figure:
    """Both panels of several runs over one axis of steps; a metric has one colour in all runs.

    The legend names the curves of the first run. Raises UserError where the two x axes differ.
    """
    above, below = axes
    if (above.x, above.log_x) != (below.x, below.log_x):
        raise UserError("The panels share one axis of steps; give both the same title and scale.")
    figure = go.Figure()
    for number, run in enumerate(runs):
        panels = [(curve, above, "y") for curve in run.behaviour] + [(curve, below, "y2") for curve in run.progress]
        for index, (curve, panel_axes, panel) in enumerate(panels):
            # Markers close together would hide the dashes.
            size = 0 if run.dash == "dash" else 4
            _add(figure, curve, panel_axes, colour=series_look(index)[0], dash=run.dash, size=size, panel=panel)
            figure.data[-1].update(showlegend=number == 0)
    quiet_layout(figure, x=above.x, y=above.y, log_x=above.log_x)
    figure.update_layout(
        yaxis=axis(above.y, log=above.log_y, domain=[0.5 + GAP / 2, 1.0], **_range(above)),
        yaxis2=axis(below.y, log=below.log_y, domain=[0.0, 0.5 - GAP / 2], **_range(below)),
        xaxis={"anchor": "y2", "exponentformat": "B"},
        hoversubplots="axis",
    )
    return figure


def _range(axes: Axes) -> dict[str, list[float]]:
    return {"range": [-0.03, 1.03]} if axes.is_share and not axes.log_y else {}
