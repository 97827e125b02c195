"""Famous models: tokens over parameters with a law's frontier, and sizes over the years, each with labels that fit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from playground.charts.layout import SMALLEST_TEXT, quiet_layout, token_label
from playground.charts.palette import NEUTRAL
from playground.charts.scaling.loss import Line, add_band, add_line, axis_title, size_axes, size_colours
from playground.text import _

NARROW, WIDE = (285.0, 330.0), (880.0, 380.0)
"""The plot's area in pixels on a telephone and on a desk: a label has to be free on both."""
LETTER, ROW, GAP = 6.0, 13.0, 6.0
"""Pixels of a letter and a row of the smallest text, and from a dot's middle to its label."""
POSITIONS = ("top center", "bottom center", "middle right", "middle left", "top right", "top left", "bottom right")
MARGIN = 0.08
"""Of an axis, on either side of the data."""

Box = tuple[float, float, float, float]
Span = tuple[float, float]
Places = tuple[Float[np.ndarray, "point"], Float[np.ndarray, "point"]]
"""Across and up, as they are drawn."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedDots:
    """Points with a name each."""

    names: Sequence[str]
    x: Float[np.ndarray, "point"]
    y: Float[np.ndarray, "point"]
    years: Float[np.ndarray, "point"]
    """Colours them."""
    is_mixture: Sequence[bool]
    """Whose symbol is a diamond."""
    details: Sequence[str]
    """Lines below the name in the hover."""


def famous_figure(dots: NamedDots, frontier: Sequence[Line]) -> go.Figure:
    """Training tokens over parameters, both logarithmic, the frontiers of laws laid over."""
    figure = go.Figure()
    for line in frontier:
        add_band(figure, line)
    for line in frontier:
        add_line(figure, line)
    spans = span_of(np.log10(dots.x)), span_of(np.log10(dots.y))
    drawn = [(np.log10(line.x), np.log10(line.y)) for line in frontier]
    _add_named(figure, dots, (np.log10(dots.x), np.log10(dots.y)), spans, drawn)
    size_axes(quiet_layout(figure, x=axis_title("params"), y=axis_title("tokens"), log_x=True, log_y=True))
    figure.update_xaxes(range=list(spans[0]))
    figure.update_yaxes(range=list(spans[1]))
    figure.update_layout(hovermode="closest")
    return figure


def sizes_figure(dots: NamedDots) -> go.Figure:
    """Parameters over the years, a logarithmic axis."""
    figure = go.Figure()
    spans = span_of(dots.x), span_of(np.log10(dots.y))
    _add_named(figure, dots, (dots.x, np.log10(dots.y)), spans)
    size_axes(quiet_layout(figure, x=_("year"), y=axis_title("params"), log_y=True))
    figure.update_xaxes(range=list(spans[0]), tickformat="d", dtick=1)
    figure.update_yaxes(range=list(spans[1]))
    figure.update_layout(hovermode="closest")
    return figure


def span_of(values: Float[np.ndarray, "point"]) -> Span:
    """An axis from a little below the smallest to a little above the largest value."""
    low, high = float(values.min()), float(values.max())
    room = MARGIN * max(high - low, 0.1)
    return low - room, high + room


def _add_named(
    figure: go.Figure,
    dots: NamedDots,
    places: Places,
    spans: tuple[Span, Span],
    lines: Sequence[Places] = (),
) -> None:
    labels = place_labels(dots.names, places[0], places[1], spans, lines)
    texts = [_spaced(token_label(name)) if at else "" for name, at in zip(dots.names, labels, strict=True)]
    figure.add_scatter(
        x=dots.x.tolist(),
        y=dots.y.tolist(),
        mode="markers+text",
        name=_("models"),
        showlegend=False,
        text=texts,
        textposition=[position or "top center" for position in labels],
        textfont={"size": SMALLEST_TEXT, "color": NEUTRAL.light},
        cliponaxis=False,
        marker={
            "size": 9,
            "symbol": ["diamond" if mixed else "circle" for mixed in dots.is_mixture],
            "color": size_colours(np.exp(dots.years - dots.years.min())),
        },
        customdata=[[token_label(name), detail, ""] for name, detail in zip(dots.names, dots.details, strict=True)],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
    )


def _spaced(label: str) -> str:
    """A label with wider spaces: beside digits the font's own are hardly seen."""
    return label.replace(" ", "\u2002")


def place_labels(
    names: Sequence[str],
    x: Float[np.ndarray, "point"],
    y: Float[np.ndarray, "point"],
    spans: tuple[Span, Span],
    lines: Sequence[Places] = (),
) -> list[str]:
    """Where each name stands beside its dot, as plotly calls it; empty where no place is free on both screens.

    Names are placed in their order; a place is free where it meets no dot, no placed name, no line and not the edge.
    """
    pixels = [_pixels(x, y, spans, area) for area in (NARROW, WIDE)]
    taken: list[list[Box]] = [[_dot_box(left, top) for left, top in screen] for screen in pixels]
    for blocked, area in zip(taken, (NARROW, WIDE), strict=True):
        blocked += [_dot_box(*place, reach=2) for line in lines for place in _pixels(*line, spans, area)]
    chosen = []
    for index, name in enumerate(names):
        for position in POSITIONS:
            boxes = [_label_box(name, *screen[index], position) for screen in pixels]
            areas = (NARROW, WIDE)
            if all(_is_free(box, blocked, area) for box, blocked, area in zip(boxes, taken, areas, strict=True)):
                for blocked, box in zip(taken, boxes, strict=True):
                    blocked.append(box)
                chosen.append(position)
                break
        else:
            chosen.append("")
    return chosen


def _pixels(
    x: Float[np.ndarray, "point"], y: Float[np.ndarray, "point"], spans: tuple[Span, Span], area: tuple[float, float]
) -> list[tuple[float, float]]:
    """From the left and from the top."""
    (left, right), (bottom, top) = spans
    across = area[0] * (x - left) / (right - left)
    down = area[1] * (top - y) / (top - bottom)
    return list(zip(across.tolist(), down.tolist(), strict=True))


def _dot_box(left: float, top: float, reach: float = 4.5) -> Box:
    return left - reach, top - reach, left + reach, top + reach


def _label_box(name: str, left: float, top: float, position: str) -> Box:
    """Left, top, right, bottom of a name at a position beside its dot."""
    vertical, horizontal = position.split()
    width = LETTER * len(name)
    start = {"left": left - GAP - width, "center": left - width / 2, "right": left + GAP}[horizontal]
    head = {"top": top - GAP - ROW, "middle": top - ROW / 2, "bottom": top + GAP}[vertical]
    return start, head, start + width, head + ROW


def _is_free(box: Box, blocked: Sequence[Box], area: tuple[float, float]) -> bool:
    is_inside = box[0] >= 0 and box[1] >= 0 and box[2] <= area[0] and box[3] <= area[1]
    return is_inside and not any(overlaps(box, other) for other in blocked)


def overlaps(box: Box, other: Box) -> bool:
    """Whether two boxes share more than an edge.

    >>> overlaps((0, 0, 2, 2), (1, 1, 3, 3)), overlaps((0, 0, 2, 2), (2, 0, 4, 2))
    (True, False)
    """
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
