"""Charts of compute: training curves and their envelope, isoFLOP profiles, the loss surface, the frontier."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from playground.charts.layout import SMALLEST_TEXT, quiet_layout, token_label
from playground.charts.palette import NEUTRAL
from playground.charts.scaling.loss import (
    RAMP,
    Dots,
    Line,
    add_band,
    add_line,
    at,
    axis_title,
    colour_bar,
    loss_axis,
    size_axes,
    size_colours,
)
from playground.scaling.budgets import short
from playground.text import _


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingCurve:
    """A run's held-out loss over its compute."""

    name: str
    compute: Float[np.ndarray, "evaluation"]
    """In FLOP."""
    loss: Float[np.ndarray, "evaluation"]
    params: float
    """Colours it."""
    link: str = ""
    """Where a click leads."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ProfileTrace:
    """The runs of one budget, the parabola in log N through their losses, and its minimum."""

    budget: float
    """In FLOP."""
    dots: Dots
    x: Float[np.ndarray, "step"]
    y: Float[np.ndarray, "step"]
    minimum: tuple[float, float] | None
    """N and loss; None where it is beyond the runs."""


def training_curves_figure(curves: Sequence[TrainingCurve], envelope: Line | None) -> go.Figure:
    """Every run's loss as it trains, coloured by size, and the lower envelope."""
    figure = go.Figure()
    sizes = np.array([curve.params for curve in curves])
    for curve, colour in zip(curves, size_colours(sizes), strict=True):
        figure.add_scatter(
            x=curve.compute.tolist(),
            y=curve.loss.tolist(),
            mode="lines",
            name=token_label(curve.name),
            line={"color": colour, "width": 1.3},
            showlegend=False,
            customdata=[[token_label(curve.name), short(curve.params), curve.link]] * len(curve.loss),
            hovertemplate="<b>%{customdata[0]}</b>, N %{customdata[1]}<br>"
            + at("%{y:.4f}", "%{x:.3s}")
            + "<extra></extra>",
        )
    if len(sizes):
        _add_colour_scale(figure, sizes)
    if envelope is not None:
        add_line(figure, envelope)
    size_axes(quiet_layout(figure, x=axis_title("flops"), y=axis_title("loss"), log_x=True, log_y=True))
    figure.update_layout(hovermode="closest", showlegend=envelope is not None)
    return loss_axis(figure)


def _add_colour_scale(figure: go.Figure, sizes: Float[np.ndarray, "curve"]) -> None:
    """Add a bar for the colours of lines: plotly gives one only to markers, so an invisible marker carries it."""
    bar = colour_bar(np.array([sizes.min(), sizes.max()]), axis_title("params"))
    marker = {**bar, "opacity": 0, "showscale": True}
    figure.add_scatter(
        x=[None, None], y=[None, None], mode="markers", marker=marker, hoverinfo="skip", showlegend=False
    )


def profiles_figure(profiles: Sequence[ProfileTrace]) -> go.Figure:
    """IsoFLOP profiles: for each budget the loss over the size of the model, its parabola and its minimum."""
    figure = go.Figure()
    colours = size_colours(np.array([profile.budget for profile in profiles]))
    for profile, colour in zip(profiles, colours, strict=True):
        _add_profile(figure, profile, colour)
    size_axes(quiet_layout(figure, x=axis_title("params"), y=axis_title("loss"), log_x=True))
    figure.update_layout(hovermode="closest")
    return figure


def _add_profile(figure: go.Figure, profile: ProfileTrace, colour: str) -> None:
    name, dots = f"{short(profile.budget)} FLOP", profile.dots
    links = dots.links or [""] * len(dots.names)
    look = {"legendgroup": name, "name": name}
    figure.add_scatter(
        x=dots.x.tolist(),
        y=dots.y.tolist(),
        mode="markers",
        marker={"color": colour, "size": 8},
        customdata=[[token_label(run), name, link] for run, link in zip(dots.names, links, strict=True)],
        hovertemplate="<b>%{customdata[0]}</b>, %{customdata[1]}<br>"
        + at("%{y:.4f}", "N %{x:.3s}")
        + "<extra></extra>",
        **look,
    )
    figure.add_scatter(
        x=profile.x.tolist(),
        y=profile.y.tolist(),
        mode="lines",
        line={"color": colour, "width": 1.6},
        showlegend=False,
        hoverinfo="skip",
        **look,
    )
    if profile.minimum is None:
        return
    hover = _("optimal size {size} at {budget}: {loss}").format(size="%{x:.3s}", budget=name, loss="%{y:.4f}")
    figure.add_scatter(
        x=[profile.minimum[0]],
        y=[profile.minimum[1]],
        mode="markers",
        marker={"color": colour, "size": 14, "symbol": "x-thin-open", "line": {"width": 3}},
        showlegend=False,
        hovertemplate=f"{hover}<extra></extra>",
        **look,
    )


def loss_surface_figure(
    params: Float[np.ndarray, "column"],
    tokens: Float[np.ndarray, "row"],
    loss: Float[np.ndarray, "row column"],
    dots: Dots,
    frontiers: Sequence[Line],
) -> go.Figure:
    """A law's loss over N and D as contours, the runs on it, and the compute-optimal frontier."""
    figure = go.Figure()
    _add_contours(figure, params, tokens, loss)
    for line in frontiers:
        add_line(figure, line)
    links, details = (column or [""] * len(dots.names) for column in (dots.links, dots.details))
    figure.add_scatter(
        x=dots.x.tolist(),
        y=dots.y.tolist(),
        mode="markers",
        name=_("runs"),
        marker={"color": NEUTRAL.light, "size": 7},
        customdata=[
            [token_label(run), detail, link] for run, detail, link in zip(dots.names, details, links, strict=True)
        ],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
    )
    size_axes(quiet_layout(figure, x=axis_title("params"), y=axis_title("tokens"), log_x=True, log_y=True))
    ends = [[float(np.log10(axis.min())), float(np.log10(axis.max()))] for axis in (params, tokens)]
    figure.update_layout(hovermode="closest", xaxis={"range": ends[0]}, yaxis={"range": ends[1]})
    return figure


def _add_contours(
    figure: go.Figure,
    params: Float[np.ndarray, "column"],
    tokens: Float[np.ndarray, "row"],
    loss: Float[np.ndarray, "row column"],
) -> None:
    steps = len(RAMP) - 1
    low, high = float(np.nanmin(loss)), float(np.nanmax(loss))
    hover = _("N {params}, D {tokens}: loss {loss}").format(params="%{x:.3s}", tokens="%{y:.3s}", loss="%{z:.4f}")
    figure.add_contour(
        x=params.tolist(),
        y=tokens.tolist(),
        z=loss,
        name=_("loss by the law"),
        contours={
            "coloring": "lines",
            "showlabels": True,
            "labelfont": {"size": SMALLEST_TEXT, "color": NEUTRAL.light},
            "start": low,
            "end": high,
            "size": max((high - low) / 16, 1e-6),
        },
        colorscale=[[step / steps, colour] for step, colour in enumerate(reversed(RAMP))],
        line={"width": 1.4},
        showscale=False,
        hovertemplate=f"{hover}<extra></extra>",
    )


def frontier_figure(lines: Sequence[Line], dots: Dots | None) -> go.Figure:
    """The compute-optimal size for each budget, by several laws, and the minima of measured isoFLOP profiles."""
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
            name=_("minima of the isoFLOP profiles"),
            marker={"color": NEUTRAL.light, "size": 8},
            customdata=[[token_label(name)] for name in dots.names],
            hovertemplate="<b>%{customdata[0]}</b><br>" + at("N %{y:.3s}", "%{x:.3s} FLOP") + "<extra></extra>",
        )
    size_axes(quiet_layout(figure, x=axis_title("flops"), y=axis_title("params"), log_x=True, log_y=True))
    figure.update_layout(hovermode="closest")
    return figure
