"""Scaling curves, drawn: measured points, laws through them, what lies beyond the data, residuals and intervals.

Points are coloured by a size on one ramp that is readable on white and on the dark page alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from playground.charts.inside import plain
from playground.charts.layout import quiet_layout
from playground.charts.palette import NEUTRAL, series_look

RAMP = ("#7a52c7", "#3b7dd8", "#12909a", "#4f9a3a", "#a8861a", "#d4701e")
"""Small to large; every colour has a contrast of 3 : 1 with both pages, so that none needs a counterpart."""
LOSS = "loss (nats per token)"
MARGIN = 1.06
"""Room below the lowest and above the highest loss that is drawn."""
DECADE = 1.1
"""What is shown across where the runs span less, in powers of ten."""
SPREAD = 0.4
"""How far apart the groups of one row stand, of the distance of two rows."""
PARAMETERS, TOKENS, COMPUTE = "parameters N", "training tokens D", "compute C (FLOP)"


@dataclass(frozen=True, kw_only=True, eq=False)
class Dots:
    """Measured points. names are what they are called, links where a click leads (empty: nowhere).

    size colours them on a logarithmic scale (parameters, say); sizes_title names it. details are further lines of a
    point's hover.
    """

    x: Float[np.ndarray, "point"]
    y: Float[np.ndarray, "point"]
    size: Float[np.ndarray, "point"]
    names: Sequence[str]
    size_title: str = PARAMETERS
    links: Sequence[str] = ()
    details: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """A named curve; low and high are its band, where it has one.

    place is its colour and dash among the laws, unless colour says another, as #rrggbb, and dash another. group: the
    curves of one law, which the legend shows and hides as one; in_legend: whether it is the one that stands there.
    """

    name: str
    x: Float[np.ndarray, "place"]
    y: Float[np.ndarray, "place"]
    place: int = 0
    low: Float[np.ndarray, "place"] | None = None
    high: Float[np.ndarray, "place"] | None = None
    colour: str = ""
    dash: str = ""
    group: str = ""
    in_legend: bool = True

    @property
    def look(self) -> tuple[str, str]:
        """Colour and dash."""
        colour, dash = series_look(self.place)
        return self.colour or colour, self.dash or dash


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A value and its interval."""

    name: str
    value: float
    low: float
    high: float


def size_colours(sizes: Float[np.ndarray, "point"]) -> list[str]:
    """A colour of the ramp for each size, by its logarithm between the smallest and the largest.

    >>> size_colours(np.array([1.0, 1e6]))
    ['#7a52c7', '#d4701e']
    """
    logs = np.log(np.asarray(sizes, dtype=np.float64))
    width = float(np.ptp(logs)) if logs.size else 0.0
    shares = (logs - logs.min()) / width if width > 0 else np.zeros_like(logs)
    return [RAMP[round(share * (len(RAMP) - 1))] for share in shares]


def colour_bar(sizes: Float[np.ndarray, "point"], title: str) -> dict[str, Any]:
    """A marker's colours on the logarithm of a size, with a bar that shows the sizes themselves."""
    logs = np.log10(np.asarray(sizes, dtype=np.float64))
    low, high = (float(logs.min()), float(logs.max())) if logs.size else (0.0, 1.0)
    ticks = np.unique(np.linspace(low, high, 5).round(2))
    steps = len(RAMP) - 1
    return {
        "color": logs.tolist(),
        "cmin": low,
        "cmax": max(high, low + 1e-9),
        "colorscale": [[place / steps, colour] for place, colour in enumerate(RAMP)],
        "colorbar": {
            "title": {"text": title, "side": "right"},
            "thickness": 10,
            "outlinewidth": 0,
            "tickvals": ticks.tolist(),
            "ticktext": [short(float(10**tick)) for tick in ticks],
        },
    }


def short(number: float) -> str:
    """A number with its prefix, in at most three digits.

    >>> short(1234567.0), short(0.0123), short(2.5e15)
    ('1.23M', '0.0123', '2.5e+15')
    """
    for bound, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if bound <= abs(number) < 1e15:
            return f"{number / bound:.3g}{letter}"
    return f"{number:.3g}"


def loss_figure(
    dots: Dots, lines: Sequence[Line], *, x: str, y: str = LOSS, log_y: bool = True, title: str = "measured"
) -> go.Figure:
    """Loss over N, D or C on logarithmic axes: points, laws, and each law's band, which opens beyond the data.

    At least a decade is shown across: on less, plotly writes a power beside every tick.
    """
    figure = go.Figure()
    for line in lines:
        add_band(figure, line)
    for line in lines:
        add_line(figure, line)
    add_dots(figure, dots, title)
    quiet_layout(figure, x=x, y=y, log_x=True, log_y=log_y)
    figure.update_layout(hovermode="closest")
    # A band may open to anything beyond the data; what is looked at are the runs and the curves.
    seen = np.concatenate([dots.y, *(line.y for line in lines)])
    if log_y and seen.size:
        figure.update_yaxes(range=[float(np.log10(seen.min() / MARGIN)), float(np.log10(seen.max() * MARGIN))])
    across = np.log10(np.concatenate([dots.x, *(line.x for line in lines)]))
    if across.size and np.ptp(across) < 1:
        middle = float(across.min() + across.max()) / 2
        figure.update_xaxes(range=[middle - DECADE / 2, middle + DECADE / 2])
    else:
        # Said, because a live chart that once had a range would keep none at all.
        figure.update_xaxes(autorange=True)
    return loss_axis(figure) if log_y else figure


def loss_axis(figure: go.Figure) -> go.Figure:
    """Losses span less than a decade or two: plain numbers, and no small ticks between them."""
    figure.update_yaxes(exponentformat="none", minor={"ticks": ""})
    return figure


def add_dots(figure: go.Figure, dots: Dots, title: str, *, y_format: str = ".4f") -> None:
    """The points, coloured by their size."""
    details = dots.details or [""] * len(dots.names)
    links = dots.links or [""] * len(dots.names)
    figure.add_scatter(
        x=dots.x.tolist(),
        y=dots.y.tolist(),
        mode="markers",
        name=title,
        marker={"size": 8, "line": {"width": 0}, **colour_bar(dots.size, dots.size_title)},
        customdata=[
            [plain(name), detail, short(x), link]
            for name, detail, x, link in zip(dots.names, details, dots.x.tolist(), links, strict=True)
        ],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{y:"
        + y_format
        + "} at %{customdata[2]}<extra></extra>",
    )


def add_line(figure: go.Figure, line: Line) -> None:
    """A law's curve."""
    colour, dash = line.look
    figure.add_scatter(
        x=line.x.tolist(),
        y=line.y.tolist(),
        mode="lines",
        name=line.name,
        legendgroup=line.group or line.name,
        showlegend=line.in_legend,
        line={"color": colour, "dash": dash, "width": 2},
        hovertemplate=plain(line.name) + ": %{y:.4g} at %{x:.3s}<extra></extra>",
    )


def add_band(figure: go.Figure, line: Line) -> None:
    """What a law's interval covers; nothing where it has none."""
    if line.low is None or line.high is None:
        return
    colour, _dash = line.look
    figure.add_scatter(
        x=[*line.x.tolist(), *line.x[::-1].tolist()],
        y=[*line.low.tolist(), *line.high[::-1].tolist()],
        mode="lines",
        line={"width": 0, "color": colour},
        fill="toself",
        fillcolor=see_through(colour),
        name=f"{line.name}: interval",
        legendgroup=line.group or line.name,
        showlegend=False,
        hoverinfo="skip",
    )


def see_through(colour: str, opacity: float = 0.18) -> str:
    """The colour #rrggbb with the page behind it.

    >>> see_through("#ff0080", 0.5)
    'rgba(255, 0, 128, 0.5)'
    """
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def residuals_figure(dots: Dots, *, x: str) -> go.Figure:
    """Measured over predicted loss, less one, in percent: what a law leaves over, and whether it leaves a pattern."""
    figure = go.Figure()
    add_dots(figure, dots, "measured − fitted", y_format="+.2f")
    quiet_layout(figure, x=x, y="measured − fitted (% of the loss)", log_x=True)
    figure.add_hline(y=0, line={"color": NEUTRAL.light, "width": 1})
    figure.update_layout(hovermode="closest", showlegend=False)
    return figure


def intervals_figure(groups: Sequence[tuple[str, Sequence[Interval]]], *, x: str, log_x: bool = False) -> go.Figure:
    """Values with their intervals, one row for each name; groups (such as ours and the published) by colour."""
    figure = go.Figure()
    names = list(dict.fromkeys(row.name for _group, rows in groups for row in rows))
    for place, (group, intervals) in enumerate(groups):
        known = [row for row in intervals if np.isfinite(row.value)]
        _add_intervals(
            figure, group, known, [names.index(row.name) + _shift(row.name, place, groups) for row in known], place
        )
    quiet_layout(figure, x=x, y="", log_x=log_x)
    figure.update_layout(hovermode="closest")
    if log_x:
        figure.update_xaxes(exponentformat="B", nticks=6, minor={"ticks": ""})
    ticks = {"tickmode": "array", "tickvals": list(range(len(names))), "ticktext": [plain(name) for name in names]}
    figure.update_yaxes(**ticks, range=[len(names) - 0.5, -0.5])
    return figure


def _shift(name: str, place: int, groups: Sequence[tuple[str, Sequence[Interval]]]) -> float:
    """How far above or below its row a group stands, so that intervals of one name do not cover one another."""
    sharing = [number for number, (_group, rows) in enumerate(groups) if any(row.name == name for row in rows)]
    return SPREAD * (sharing.index(place) / (len(sharing) - 1) - 0.5) if len(sharing) > 1 else 0.0


def _add_intervals(
    figure: go.Figure, group: str, known: Sequence[Interval], heights: Sequence[float], place: int
) -> None:
    colour, _dash = series_look(place)
    reach = [
        (max(0.0, row.value - row.low), max(0.0, row.high - row.value))
        if np.isfinite([row.low, row.high]).all()
        else (0.0, 0.0)
        for row in known
    ]
    figure.add_scatter(
        x=[row.value for row in known],
        y=list(heights),
        mode="markers",
        name=group,
        marker={"color": colour, "size": 9, "symbol": "circle" if place == 0 else "diamond-open"},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [above for _below, above in reach],
            "arrayminus": [below for below, _above in reach],
            "color": colour,
            "thickness": 1.6,
            "width": 5,
        },
        customdata=[[plain(row.name), row.low, row.high, ""] for row in known],
        hovertemplate="%{customdata[0]}: %{x:.4g} (%{customdata[1]:.4g} to %{customdata[2]:.4g})<extra>"
        + plain(group)
        + "</extra>",
    )
