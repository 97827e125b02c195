"""Charts of a model taken apart: maps of parts, shares as bars, the whole against the sum of its parts.

The scales end in a blue and an orange that the colour-blind tell apart, and pass through what is see-through, so that
zero is the page itself, white or dark.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from playground.charts.inside import plain
from playground.charts.layout import axis
from playground.charts.palette import NEUTRAL

LESS, MORE = "#d9701e", "#3b7dd8"
RISING = [[0.0, "rgba(59, 125, 216, 0.04)"], [1.0, MORE]]
DIVERGING = [[0.0, LESS], [0.5, "rgba(217, 112, 30, 0.04)"], [0.5, "rgba(59, 125, 216, 0.04)"], [1.0, MORE]]
ROW_PIXELS = 24
MOST_PIXELS = 720
"""A map of many rows is as high as a screen; which of their names fit, plotly decides."""
LABEL_LENGTH = 20
NOISE = 1e-6
"""Values that are all below this are rounding: in full colour they would pass for effects."""
LETTER_PIXELS = 7


def label(name: str) -> str:
    """A name on an axis: not too long, and nothing that plotly would read as markup.

    >>> label("3 <s>"), label("12 Donaudampfschiff | boat")
    ('3 &lt;s&gt;', '12 Donaudampfschiff…')
    """
    return plain(name if len(name) <= LABEL_LENGTH else name[: LABEL_LENGTH - 1].rstrip() + "…")


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

    values [row, column]; meaning: what a value is, with its unit. Names differ from each other. What is not finite
    stays empty.
    """
    finite = np.where(np.isfinite(values), values, np.nan)
    most = float(np.nanmax(np.abs(finite))) if np.isfinite(values).any() else 0.0
    most = most if most > NOISE else 1.0
    gap = 1 if max(values.shape, default=0) <= 64 else 0
    figure = go.Figure(
        go.Heatmap(
            z=finite,
            x=[label(column) for column in columns],
            y=[label(row) for row in rows],
            meta={"rows": list(rows), "columns": list(columns)},
            hovertemplate=f"{y} %{{y}}<br>{x} %{{x}}<br>{meaning} %{{z:.4g}}<extra></extra>",
            colorscale=DIVERGING if signed else RISING,
            zmin=-most if signed else 0.0,
            zmax=most,
            xgap=gap,
            ygap=gap,
            colorbar={"title": {"text": meaning, "side": "right"}, "thickness": 12},
        )
    )
    _frame(figure, x=x, y=y, height=_height(len(rows), at_least=LETTER_PIXELS * len(meaning)))
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(type="category", showgrid=False, autorange="reversed")
    return figure


def _height(rows: int, at_least: int = 0) -> int:
    """Rows within a screen, and room for the words beside the colours."""
    return 110 + max(at_least, min(MOST_PIXELS, ROW_PIXELS * rows))


def bars_figure(names: Sequence[str], values: Sequence[float], *, x: str, y: str = "") -> go.Figure:
    """Shares as horizontal bars, the first on top; what adds is blue, what takes away orange."""
    colours = [MORE if value >= 0 else LESS for value in values]
    figure = go.Figure(
        go.Bar(
            x=list(values),
            y=[label(name) for name in names],
            meta={"rows": list(names)},
            orientation="h",
            marker={"color": colours},
            hovertemplate="%{y}: %{x:.4g}<extra></extra>",
        )
    )
    _frame(figure, x=x, y=y, height=_height(len(names)))
    figure.update_yaxes(type="category", showgrid=False, autorange="reversed")
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
    figure.update_traces(name=titles[0])
    figure.add_scatter(
        x=list(chances),
        y=[label(name) for name in names],
        meta={"rows": list(names)},
        name=titles[1],
        mode="markers",
        marker={"symbol": "line-ns-open", "size": 14, "color": LESS, "line": {"width": 3}},
        hovertemplate=titles[1] + " %{x:.4g}<extra></extra>",
    )
    figure.add_vline(
        x=best_by_chance,
        line={"color": NEUTRAL.light, "dash": "dash"},
        annotation_text=titles[2],
        annotation_position="top",
    )
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
