"""Where compute goes, drawn: training curves and their envelope, isoFLOP valleys, the map of loss, the frontier."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from playground.charts.inside import plain
from playground.charts.layout import quiet_layout
from playground.charts.palette import NEUTRAL
from playground.charts.scaling.loss import (
    COMPUTE,
    LOSS,
    PARAMETERS,
    RAMP,
    TOKENS,
    Dots,
    Line,
    add_band,
    add_line,
    colour_bar,
    loss_axis,
    short,
    size_colours,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingCurve:
    """A run's held-out loss over its compute in FLOP; params colours it; link is where a click leads."""

    name: str
    compute: Float[np.ndarray, "evaluation"]
    loss: Float[np.ndarray, "evaluation"]
    params: float
    link: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Valley:
    """Runs of one budget (FLOP): a parabola in log N through their losses, and its minimum."""

    budget: float
    dots: Dots
    x: Float[np.ndarray, "place"]
    y: Float[np.ndarray, "place"]
    minimum: tuple[float, float] | None


def training_curves_figure(
    curves: Sequence[TrainingCurve], envelope: Line | None, *, x: str = COMPUTE, title: str = PARAMETERS
) -> go.Figure:
    """Every run's loss as it trains, coloured by size, and the best loss that any run has at each compute."""
    figure = go.Figure()
    sizes = np.array([curve.params for curve in curves])
    for curve, colour in zip(curves, size_colours(sizes), strict=True):
        figure.add_scatter(
            x=curve.compute.tolist(),
            y=curve.loss.tolist(),
            mode="lines",
            name=plain(curve.name),
            line={"color": colour, "width": 1.3},
            showlegend=False,
            customdata=[[plain(curve.name), short(curve.params), curve.link]] * len(curve.loss),
            hovertemplate="<b>%{customdata[0]}</b>, N %{customdata[1]}<br>%{y:.4f} at %{x:.3s}<extra></extra>",
        )
    if len(sizes):
        _add_scale(figure, sizes, title)
    if envelope is not None:
        add_line(figure, envelope)
    quiet_layout(figure, x=x, y=LOSS, log_x=True, log_y=True)
    figure.update_layout(hovermode="closest", showlegend=envelope is not None)
    return loss_axis(figure)


def _add_scale(figure: go.Figure, sizes: Float[np.ndarray, "curve"], title: str) -> None:
    """A bar for the colours of lines: plotly gives one only to markers, so a mark that is never seen carries it."""
    marker = {**colour_bar(np.array([sizes.min(), sizes.max()]), title), "opacity": 0, "showscale": True}
    figure.add_scatter(
        x=[None, None], y=[None, None], mode="markers", marker=marker, hoverinfo="skip", showlegend=False
    )


def valleys_figure(valleys: Sequence[Valley]) -> go.Figure:
    """IsoFLOP valleys: for each budget the loss over the size of the model, its parabola and its lowest point."""
    figure = go.Figure()
    colours = size_colours(np.array([valley.budget for valley in valleys]))
    for valley, colour in zip(valleys, colours, strict=True):
        name = f"{short(valley.budget)} FLOP"
        dots = valley.dots
        links = dots.links or [""] * len(dots.names)
        look = {"legendgroup": name, "name": name}
        figure.add_scatter(
            x=dots.x.tolist(),
            y=dots.y.tolist(),
            mode="markers",
            marker={"color": colour, "size": 8},
            customdata=[[plain(run), name, link] for run, link in zip(dots.names, links, strict=True)],
            hovertemplate="<b>%{customdata[0]}</b>, %{customdata[1]}<br>%{y:.4f} at N %{x:.3s}<extra></extra>",
            **look,
        )
        line = {"color": colour, "width": 1.6}
        figure.add_scatter(
            x=valley.x.tolist(),
            y=valley.y.tolist(),
            mode="lines",
            line=line,
            showlegend=False,
            hoverinfo="skip",
            **look,
        )
        if valley.minimum is not None:
            figure.add_scatter(
                x=[valley.minimum[0]],
                y=[valley.minimum[1]],
                mode="markers",
                marker={"color": colour, "size": 14, "symbol": "x-thin-open", "line": {"width": 3}},
                showlegend=False,
                hovertemplate="best size %{x:.3s} at " + name + ": %{y:.4f}<extra></extra>",
                **look,
            )
    quiet_layout(figure, x=PARAMETERS, y=LOSS, log_x=True)
    figure.update_layout(hovermode="closest")
    return figure


def loss_map_figure(
    params: Float[np.ndarray, "column"],
    tokens: Float[np.ndarray, "row"],
    loss: Float[np.ndarray, "row column"],
    dots: Dots,
    frontiers: Sequence[Line],
) -> go.Figure:
    """A law's loss over N and D as contours, the runs on it, and the frontier: the best N and D for each compute."""
    figure = go.Figure()
    steps = len(RAMP) - 1
    low, high = float(np.nanmin(loss)), float(np.nanmax(loss))
    figure.add_contour(
        x=params.tolist(),
        y=tokens.tolist(),
        z=loss,
        name="loss by the law",
        contours={
            "coloring": "lines",
            "showlabels": True,
            "labelfont": {"size": 10, "color": NEUTRAL.light},
            "start": low,
            "end": high,
            "size": max((high - low) / 16, 1e-6),
        },
        colorscale=[[place / steps, colour] for place, colour in enumerate(reversed(RAMP))],
        line={"width": 1.4},
        showscale=False,
        hovertemplate="N %{x:.3s}, D %{y:.3s}: loss %{z:.4f}<extra></extra>",
    )
    for line in frontiers:
        add_line(figure, line)
    links, details = (column or [""] * len(dots.names) for column in (dots.links, dots.details))
    figure.add_scatter(
        x=dots.x.tolist(),
        y=dots.y.tolist(),
        mode="markers",
        name="runs",
        marker={"color": NEUTRAL.light, "size": 7},
        customdata=[[plain(run), detail, link] for run, detail, link in zip(dots.names, details, links, strict=True)],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
    )
    quiet_layout(figure, x=PARAMETERS, y=TOKENS, log_x=True, log_y=True)
    ends = [[float(np.log10(axis.min())), float(np.log10(axis.max()))] for axis in (params, tokens)]
    figure.update_layout(hovermode="closest", xaxis={"range": ends[0]}, yaxis={"range": ends[1]})
    return figure


def frontier_figure(lines: Sequence[Line], dots: Dots | None, *, y: str = PARAMETERS) -> go.Figure:
    """The best size (or data) for each compute, by several laws, and the minima that were measured."""
    figure = go.Figure()
    for line in lines:
        add_band(figure, line)
    for line in lines:
        add_line(figure, line)
    if dots is not None and len(dots.names):
        figure.add_scatter(
            x=dots.x.tolist(),
            y=dots.y.tolist(),
            mode="markers",
            name="lowest points of the valleys",
            marker={"color": NEUTRAL.light, "size": 8},
            customdata=[[plain(name)] for name in dots.names],
            hovertemplate="<b>%{customdata[0]}</b><br>N %{y:.3s} at %{x:.3s} FLOP<extra></extra>",
        )
    quiet_layout(figure, x=COMPUTE, y=y, log_x=True, log_y=True)
    figure.update_layout(hovermode="closest")
    return figure
