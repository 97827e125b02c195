"""Bars: named ones below each other, positive and negative in their own colours; one for each token of a text."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from playground.charts.heatmap import MOST_NAMES, NEGATIVE, POSITIVE, axis_label, table_height, table_layout
from playground.charts.layout import name_ticks, quiet_layout, token_label
from playground.charts.palette import NEUTRAL, Colour


def named_bars_figure(names: Sequence[str], values: Sequence[float], *, x: str, y: str = "") -> go.Figure:
    """One bar for each name, the first on top; positive is blue, negative orange."""
    figure = go.Figure(
        go.Bar(
            x=list(values),
            y=[axis_label(name) for name in names],
            meta={"rows": list(names)},
            orientation="h",
            marker={"color": [POSITIVE if value >= 0 else NEGATIVE for value in values]},
            hovertemplate="%{y}: %{x:.4g}<extra></extra>",
        )
    )
    table_layout(figure, x=x, y=y, height=table_height(len(names)))
    figure.update_yaxes(type="category", showgrid=False, autorange="reversed")
    zero_line(figure)
    return figure


def token_bars_figure(
    values: Float[np.ndarray, "token"], tokens: Sequence[str], colour: Colour, *, x: str, y: str
) -> go.Figure:
    """One vertical bar for each token; its whole column answers a pointer, for the bar may be flat."""
    figure = go.Figure()
    figure.add_bar(
        x=list(range(len(values))),
        y=list(values),
        marker={"color": colour.light},
        customdata=[token_label(token) for token in tokens],
        hovertemplate="%{customdata}: %{y:.4f}<extra></extra>",
    )
    quiet_layout(figure, x=x, y=y)
    figure.update_layout(showlegend=False, hovermode="x", bargap=0.25)
    figure.update_xaxes(name_ticks(tokens) if len(tokens) <= MOST_NAMES else {})
    return figure


def zero_line(figure: go.Figure) -> None:
    """A line where bars begin."""
    figure.add_vline(x=0, line={"color": NEUTRAL.light, "width": 1})
