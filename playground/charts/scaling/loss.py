"""Scaling curves: measured points, fitted laws with their bands, and residuals.

Points are coloured by a size on one ramp that is readable on white and on the dark page alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from playground.charts.layout import fill_between, quiet_layout, token_label
from playground.charts.palette import NEUTRAL, series_look
from playground.scaling.budgets import short
from playground.text import N_, _

RAMP = ("#7a52c7", "#3b7dd8", "#12909a", "#4f9a3a", "#a8861a", "#d4701e")
"""Small to large; every colour has a contrast of 3 : 1 with both pages, so that none needs a counterpart."""
AXES = {
    "params": N_("parameters N"),
    "tokens": N_("training tokens D"),
    "flops": N_("compute C (FLOP)"),
    "loss": N_("loss (nats per token)"),
}
MARGIN = 1.06
"""Room below the lowest and above the highest loss that is drawn."""
LEAST_DECADES = 1.1
"""The width of an x axis whose runs span less than a decade."""


EXPONENT_FORMATS = {"params": "B", "tokens": "B", "flops": "e"}
"""As in the sentences: 34.9k parameters, 1e+13 FLOP; a raised exponent would be too small to read."""


def axis_title(column: str) -> str:
    """The title of an axis: params, tokens, flops or loss."""
    return _(AXES[column])


def size_axes(figure: go.Figure) -> go.Figure:
    """Write the powers of ten of a size as sentences do."""
    formats = {axis_title(column): form for column, form in EXPONENT_FORMATS.items()}
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        if axis.type == "log" and axis.title.text in formats:
            axis.exponentformat = formats[axis.title.text]
    return figure


@dataclass(frozen=True, kw_only=True, eq=False)
class Dots:
    """Measured points."""

    x: Float[np.ndarray, "point"]
    y: Float[np.ndarray, "point"]
    size: Float[np.ndarray, "point"]
    """Colours the points on a logarithmic scale."""
    names: Sequence[str]
    size_title: str = ""
    """Of the colour bar; empty: parameters."""
    links: Sequence[str] = ()
    """Where a click leads; empty: nowhere."""
    details: Sequence[str] = ()
    """A further line in each point's hover."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """A named curve."""

    name: str
    x: Float[np.ndarray, "step"]
    y: Float[np.ndarray, "step"]
    series: int = 0
    """Its colour and dash among the laws, unless they are given."""
    low: Float[np.ndarray, "step"] | None = None
    """With `high` its band, where it has one."""
    high: Float[np.ndarray, "step"] | None = None
    colour: str = ""
    dash: str = ""
    group: str = ""
    """The curves of one law, which the legend shows and hides together."""
    in_legend: bool = True

    @property
    def look(self) -> tuple[str, str]:
        """Colour and dash."""
        colour, dash = series_look(self.series)
        return self.colour or colour, self.dash or dash


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
        "colorscale": [[step / steps, colour] for step, colour in enumerate(RAMP)],
        "colorbar": {
            "title": {"text": title, "side": "right"},
            "thickness": 10,
            "outlinewidth": 0,
            "tickvals": ticks.tolist(),
            "ticktext": [short(float(10**tick)) for tick in ticks],
        },
    }


def fitted_loss_figure(dots: Dots, lines: Sequence[Line], *, x: str, title: str = "") -> go.Figure:
    """Loss over N, D or C on logarithmic axes: the points, named `title`, and laws with their bands.

    At least a decade is shown across: on less, plotly writes a power beside every tick.
    """
    figure = go.Figure()
    for line in lines:
        add_band(figure, line)
    for line in lines:
        add_line(figure, line)
    add_dots(figure, dots, title or _("measured"))
    size_axes(quiet_layout(figure, x=x, y=axis_title("loss"), log_x=True, log_y=True))
    figure.update_layout(hovermode="closest")
    # A band may open to anything beyond the data; the axis is for the runs and the curves.
    losses = np.concatenate([dots.y, *(line.y for line in lines)])
    if losses.size:
        figure.update_yaxes(range=[float(np.log10(losses.min() / MARGIN)), float(np.log10(losses.max() * MARGIN))])
    logs = np.log10(np.concatenate([dots.x, *(line.x for line in lines)]))
    if logs.size and np.ptp(logs) < 1:
        middle = float(logs.min() + logs.max()) / 2
        figure.update_xaxes(range=[middle - LEAST_DECADES / 2, middle + LEAST_DECADES / 2])
    else:
        # Explicit, because a live chart that once had a range would keep it.
        figure.update_xaxes(autorange=True)
    return loss_axis(figure)


def loss_axis(figure: go.Figure) -> go.Figure:
    """Losses span less than a decade or two: plain numbers, and no small ticks between them."""
    figure.update_yaxes(exponentformat="none", minor={"ticks": ""})
    return figure


def add_dots(figure: go.Figure, dots: Dots, title: str, *, y_format: str = ".4f") -> None:
    """Add the points, coloured by their size."""
    details = dots.details or [""] * len(dots.names)
    links = dots.links or [""] * len(dots.names)
    bar = colour_bar(dots.size, dots.size_title or axis_title("params"))
    figure.add_scatter(
        x=dots.x.tolist(),
        y=dots.y.tolist(),
        mode="markers",
        name=title,
        marker={"size": 8, "line": {"width": 0}, **bar},
        customdata=[
            [token_label(name), detail, short(x), link]
            for name, detail, x, link in zip(dots.names, details, dots.x.tolist(), links, strict=True)
        ],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>"
        + at(f"%{{y:{y_format}}}", "%{customdata[2]}")
        + "<extra></extra>",
    )


def add_mark(figure: go.Figure, dots: Dots, index: int) -> None:
    """A ring around one point, named in the legend."""
    figure.add_scatter(
        x=[float(dots.x[index])],
        y=[float(dots.y[index])],
        mode="markers",
        name=token_label(dots.names[index]),
        marker={"size": 18, "symbol": "circle-open", "color": NEUTRAL.light, "line": {"width": 3}},
        hoverinfo="skip",
    )


def at(y: str, x: str) -> str:
    """A hover's value and where it is."""
    return _("{y} at {x}").format(y=y, x=x)


def add_line(figure: go.Figure, line: Line) -> None:
    """Add a law's curve."""
    colour, dash = line.look
    figure.add_scatter(
        x=line.x.tolist(),
        y=line.y.tolist(),
        mode="lines",
        name=line.name,
        legendgroup=line.group or line.name,
        showlegend=line.in_legend,
        line={"color": colour, "dash": dash, "width": 2},
        hovertemplate=f"{token_label(line.name)}: {at('%{y:.4g}', '%{x:.3s}')}<extra></extra>",
    )


def add_band(figure: go.Figure, line: Line) -> None:
    """Add a law's band, if it has one."""
    if line.low is None or line.high is None:
        return
    fill_between(
        figure,
        line.x,
        line.low,
        line.high,
        colour=line.look[0],
        name=_("{law}: interval").format(law=line.name),
        group=line.group or line.name,
    )


def residuals_figure(dots: Dots, *, x: str) -> go.Figure:
    """Residuals in percent of the predicted loss: whether they have a pattern."""
    figure = go.Figure()
    add_dots(figure, dots, _("measured − predicted"), y_format="+.2f")
    size_axes(quiet_layout(figure, x=x, y=_("measured − predicted loss (% of predicted)"), log_x=True))
    figure.add_hline(y=0, line={"color": NEUTRAL.light, "width": 1})
    figure.update_layout(hovermode="closest", showlegend=False)
    return figure
