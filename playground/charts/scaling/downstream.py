"""A task's error over the loss: checkpoints, the law through them with its band."""

from collections.abc import Sequence

import plotly.graph_objects as go

from playground.charts.layout import quiet_layout
from playground.charts.scaling.loss import Dots, Line, add_band, add_dots, add_line, axis_title
from playground.text import _


def downstream_figure(dots: Dots, lines: Sequence[Line], *, y: str) -> go.Figure:
    """Checkpoints over their loss on even axes, coloured by the size of their model, and curves."""
    figure = go.Figure()
    for line in lines:
        add_band(figure, line)
    add_dots(figure, dots, _("checkpoints"))
    for line in lines:
        add_line(figure, line)
    quiet_layout(figure, x=axis_title("loss"), y=y)
    figure.update_yaxes(range=[-0.04, 1.06])
    figure.update_xaxes(rangemode="tozero")
    figure.update_layout(hovermode="closest")
    return figure
