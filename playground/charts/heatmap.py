"""Heatmaps: a table of numbers as colours, with a colour bar or in the one colour of what it shows.

The scales end in a blue and an orange that the colour-blind tell apart, and are transparent in the middle, so that zero
is the page itself, white or dark.
"""

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from playground.charts.layout import axis, name_ticks, quiet_layout, token_label
from playground.charts.palette import NEUTRAL, Colour

NEGATIVE, POSITIVE = "#d9701e", "#3b7dd8"
RISING = [[0.0, "rgba(59, 125, 216, 0.04)"], [1.0, POSITIVE]]
DIVERGING = [[0.0, NEGATIVE], [0.5, "rgba(217, 112, 30, 0.04)"], [0.5, "rgba(59, 125, 216, 0.04)"], [1.0, POSITIVE]]
ROW_PIXELS = 24
MOST_PIXELS = 720
"""A map of many rows is as high as a screen; which of their names fit, plotly decides."""
CLEAR = "rgba(127, 127, 127, 0)"
LABEL_LENGTH = 20
NOISE = 1e-6
"""Values that are all below this are rounding: in full colour they would pass for effects."""
LETTER_PIXELS = 7
MOST_NAMES = 32
"""More names than this would run into each other along a tinted map."""


def axis_label(name: str) -> str:
    """A name on an axis: not too long, and nothing that plotly would read as markup.

    >>> axis_label("3 <s>"), axis_label("12 Donaudampfschiff | boat")
    ('3 &lt;s&gt;', '12 Donaudampfschiff…')
    """
    return token_label(name, LABEL_LENGTH)


def heatmap_figure(
    values: np.ndarray,
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    y: str,
    x: str,
    meaning: str,
    signed: bool = True,
) -> go.Figure:
    """A table as colours; signed: zero in the middle of the scale, the largest magnitude at both ends.

    values [row, column]; meaning: what a value is, with its unit. The names of rows and of columns must differ. What is
    not finite stays empty.
    """
    finite = np.where(np.isfinite(values), values, np.nan)
    largest = float(np.nanmax(np.abs(finite))) if np.isfinite(values).any() else 0.0
    largest = largest if largest > NOISE else 1.0
    gap = 1 if max(values.shape, default=0) <= 64 else 0
    figure = go.Figure(
        go.Heatmap(
            z=finite,
            x=[axis_label(column) for column in columns],
            y=[axis_label(row) for row in rows],
            meta={"rows": list(rows), "columns": list(columns)},
            hovertemplate=f"{y} %{{y}}<br>{x} %{{x}}<br>{meaning} %{{z:.4g}}<extra></extra>",
            colorscale=DIVERGING if signed else RISING,
            zmin=-largest if signed else 0.0,
            zmax=largest,
            xgap=gap,
            ygap=gap,
            colorbar={"title": {"text": meaning, "side": "right"}, "thickness": 12},
        )
    )
    table_layout(figure, x=x, y=y, height=table_height(len(rows), at_least=LETTER_PIXELS * len(meaning)))
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(type="category", showgrid=False, autorange="reversed")
    return figure


def tinted_map_figure(
    values: Float[np.ndarray, "row column"],
    colour: Colour,
    *,
    x: str,
    y: str,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    signed: bool = False,
) -> go.Figure:
    """A map in one colour, transparent at 0, without a colour bar; signed: negative values are grey.

    rows, columns: tokens; the cells are numbered without.
    """
    bound = largest_magnitude(values)
    hover = f"{escape(y)} %{{y}}, {escape(x)} %{{x}}"
    figure = go.Figure()
    figure.add_heatmap(
        z=values,
        colorscale=[[0, NEUTRAL.light], [0.5, CLEAR], [1, colour.light]] if signed else [[0, CLEAR], [1, colour.light]],
        zmin=-bound if signed else 0,
        zmax=bound,
        customdata=[[[token_label(row), token_label(column)] for column in columns] for row in rows] or None,
        hovertemplate=("%{customdata[0]} → %{customdata[1]}" if rows else hover) + ": %{z:.4f}<extra></extra>",
        showscale=False,
    )
    quiet_layout(figure, x=x, y=y)
    figure.update_layout(showlegend=False, hovermode="closest")
    is_named = 0 < max(len(rows), len(columns)) <= MOST_NAMES
    figure.update_yaxes(name_ticks(rows) if is_named else {}, showgrid=False, range=[len(values) - 0.5, -0.5])
    figure.update_xaxes(name_ticks(columns) if is_named else {}, showgrid=False)
    return figure


def largest_magnitude(values: Float[np.ndarray, "*shape"]) -> float:
    """The largest finite magnitude, and 1 for zeros."""
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size and finite.max() > 0 else 1.0


def table_height(rows: int, at_least: int = 0) -> int:
    """Pixels for so many rows, within a screen; at_least: room for the title of the colour bar."""
    return 110 + max(at_least, min(MOST_PIXELS, ROW_PIXELS * rows))


def table_layout(figure: go.Figure, *, x: str, y: str, height: int) -> None:
    """Thin axes with titles for a figure with named rows; the page gives the colours of text."""
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
