"""Charts of a model taken apart: maps of parts, shares as bars, the whole against the sum of its parts.

The scales end in a blue and an orange that the colour-blind tell apart, and pass through what is see-through, so that
zero is the page itself, white or dark.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.charts.colours import NEUTRAL
from playground.charts.layout import axis

LESS, MORE = "#d9701e", "#3b7dd8"
RISING = [[0.0, "rgba(59, 125, 216, 0.04)"], [1.0, MORE]]
DIVERGING = [[0.0, LESS], [0.5, "rgba(217, 112, 30, 0.04)"], [0.5, "rgba(59, 125, 216, 0.04)"], [1.0, MORE]]
ROW_PIXELS = 24


def map_figure(
    values: np.ndarray,
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    y: str,
    x: str,
    meaning: str,
    signed: bool = True,
) -> go.Figure:
    """A table as colours; signed: zero in the middle of the scale, the largest size at both ends.

    values [row, column]; meaning: what a value is, with its unit. What is not finite stays empty.
    """
    finite = np.where(np.isfinite(values), values, np.nan)
    most = float(np.nanmax(np.abs(finite))) if np.isfinite(values).any() else 0.0
    most = most or 1.0
    figure = go.Figure(
        go.Heatmap(
            z=finite,
            x=list(range(len(columns))),
            y=list(range(len(rows))),
            customdata=[[f"{y} {row}<br>{x} {column}" for column in columns] for row in rows],
            hovertemplate="%{customdata}<br>" + meaning + " %{z:.4g}<extra></extra>",
            colorscale=DIVERGING if signed else RISING,
            zmin=-most if signed else 0.0,
            zmax=most,
            xgap=1,
            ygap=1,
            colorbar={"title": {"text": meaning, "side": "right"}, "thickness": 12},
        )
    )
    _frame(figure, x=x, y=y, height=110 + ROW_PIXELS * len(rows))
    figure.update_xaxes(**_ticks(columns))
    figure.update_yaxes(**_ticks(rows), autorange="reversed")
    return figure


def bars_figure(names: Sequence[str], values: Sequence[float], *, x: str, y: str = "") -> go.Figure:
    """Shares as horizontal bars, the first on top; what adds is blue, what takes away orange."""
    colours = [MORE if value >= 0 else LESS for value in values]
    figure = go.Figure(
        go.Bar(
            x=list(values),
            y=list(range(len(names))),
            customdata=list(names),
            orientation="h",
            marker={"color": colours},
            hovertemplate="%{customdata}: %{x:.4g}<extra></extra>",
        )
    )
    _frame(figure, x=x, y=y, height=110 + ROW_PIXELS * len(names))
    figure.update_yaxes(**_ticks(names), autorange="reversed")
    figure.add_vline(x=0, line={"color": NEUTRAL.light, "width": 1})
    return figure


def together_figure(
    names: Sequence[str], singles: Sequence[float], joint: float, *, titles: tuple[str, str, str], x: str
) -> go.Figure:
    """Single effects laid end to end, the joint effect below, and what is between them.

    titles: what the three rows are called.
    """
    figure = go.Figure()
    for number, (name, value) in enumerate(zip(names, singles, strict=True)):
        figure.add_bar(
            x=[value],
            y=[titles[0]],
            name=name,
            orientation="h",
            marker={"color": MORE, "opacity": 1.0 if number % 2 else 0.7},
            hovertemplate=f"{name}: %{{x:.4g}}<extra></extra>",
        )
    rest = joint - sum(singles)
    for title, value, colour in ((titles[1], joint, MORE), (titles[2], rest, LESS)):
        figure.add_bar(
            x=[value], y=[title], orientation="h", marker={"color": colour}, hovertemplate="%{x:.4g}<extra></extra>"
        )
    _frame(figure, x=x, y="", height=230)
    figure.update_layout(barmode="relative")
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.add_vline(x=0, line={"color": NEUTRAL.light, "width": 1})
    return figure


def chance_figure(
    names: Sequence[str],
    scores: Sequence[float],
    chances: Sequence[float],
    best_by_chance: float,
    *,
    titles: Sequence[str],
) -> go.Figure:
    """Scores as bars, each with the most that shuffling gave it, and a line at the best of all by chance.

    titles: of the axis, the marks, the line.
    """
    figure = bars_figure(names, scores, x=titles[0])
    figure.add_scatter(
        x=list(chances),
        y=list(range(len(names))),
        mode="markers",
        marker={"symbol": "line-ns-open", "size": 14, "color": LESS, "line": {"width": 3}},
        hovertemplate=titles[1] + " %{x:.4g}<extra></extra>",
    )
    figure.add_vline(x=best_by_chance, line={"color": NEUTRAL.light, "dash": "dash"}, annotation={"text": titles[2]})
    return figure


def _frame(figure: go.Figure, *, x: str, y: str, height: int) -> None:
    """Thin axes with titles; the page gives the colours of text."""
    figure.update_layout(
        margin={"l": 56, "r": 14, "t": 24, "b": 44},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="closest",
        showlegend=False,
        height=height,
        xaxis=axis(x),
        yaxis={**axis(y), "type": "-", "title": {"text": y, "standoff": 20}},
    )


def _ticks(names: Sequence[str], most: int = 64) -> dict[str, Any]:
    """Names at whole numbers; of very many, every so many."""
    step = -(-len(names) // most)
    places = list(range(0, len(names), step))
    return {"tickmode": "array", "tickvals": places, "ticktext": [names[place] for place in places], "showgrid": False}
