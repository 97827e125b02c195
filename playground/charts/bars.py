"""Horizontal bars with names, positive and negative in colours of their own."""

from collections.abc import Sequence

import plotly.graph_objects as go

from playground.charts.heatmap import NEGATIVE, POSITIVE, axis_label, table_height, table_layout
from playground.charts.palette import NEUTRAL


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


def zero_line(figure: go.Figure) -> None:
    """A line where bars begin."""
    figure.add_vline(x=0, line={"color": NEUTRAL.light, "width": 1})
