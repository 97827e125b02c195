"""Charts of what a length costs: measured time and memory, beside the parts that grow with n and n²."""

from collections.abc import Sequence

import plotly.graph_objects as go

from playground.charts.layout import quiet_layout
from playground.charts.palette import HELD_OUT, NEUTRAL, TRAIN, VALUE, Colour


def length_figure(
    lengths: Sequence[int],
    measured: Sequence[float],
    formulas: Sequence[tuple[str, Sequence[float]]],
    *,
    x: str,
    y: str,
) -> go.Figure:
    """Measured points and formulas over the length; both axes logarithmic, so that a power is a straight line.

    formulas: name and values of each, at every length; fewer lengths may be measured.
    """
    figure = go.Figure()
    looks: list[tuple[Colour, str]] = [(NEUTRAL, "solid"), (TRAIN, "dash"), (HELD_OUT, "dot"), (VALUE, "dashdot")]
    for (name, values), (colour, dash) in zip(formulas, looks, strict=False):
        figure.add_scatter(
            x=list(lengths), y=list(values), name=name, mode="lines", line={"color": colour.light, "dash": dash}
        )
    figure.add_scatter(
        x=list(lengths[: len(measured)]),
        y=list(measured),
        name=y,
        mode="markers",
        marker={"color": TRAIN.light, "size": 9},
    )
    quiet_layout(figure, x=x, y=y, log_x=True, log_y=True)
    figure.update_xaxes(tickvals=list(lengths), ticktext=[str(length) for length in lengths], minor=None)
    return figure
