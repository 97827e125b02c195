"""Charts of the planner: lifetime compute over the size of a model, and the loss with repeated data."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from playground.charts.layout import quiet_layout
from playground.charts.palette import HELD_OUT, NEUTRAL, TRAIN
from playground.charts.scaling.loss import axis_title, size_axes
from playground.scaling.budgets import short
from playground.text import _


def serving_figure(
    params: Float[np.ndarray, "model"],
    training: Float[np.ndarray, "model"],
    serving: Float[np.ndarray, "model"],
    *,
    best: tuple[float, float],
    optimal: tuple[float, float],
) -> go.Figure:
    """Compute of training to one loss and of serving afterwards, over the size of the model.

    best and optimal mark the cheapest and the compute-optimal model: N and total FLOP.
    """
    figure = go.Figure()
    curves = (
        (_("training"), training, TRAIN.light, "solid"),
        (_("inference"), serving, HELD_OUT.light, "solid"),
        (_("total"), training + serving, NEUTRAL.light, "dash"),
    )
    for name, values, colour, dash in curves:
        known = np.isfinite(values)
        hover = _("{curve} {flops} FLOP at N {size}").format(curve=name, flops="%{y:.3g}", size="%{x:.3s}")
        _add_curve(figure, name, params[known], values[known], {"color": colour, "dash": dash}, hover)
    for name, (size, flops), symbol in (
        (_("inference-aware"), best, "circle"),
        (_("compute-optimal"), optimal, "diamond-open"),
    ):
        figure.add_scatter(
            x=[size],
            y=[flops],
            mode="markers",
            name=f"{name}: N {short(size)}",
            marker={"size": 11, "symbol": symbol, "color": NEUTRAL.light},
            hovertemplate=name + ": N %{x:.3s}, %{y:.3g} FLOP<extra></extra>",
        )
    size_axes(
        quiet_layout(figure, x=axis_title("params"), y=_("compute to the same loss (FLOP)"), log_x=True, log_y=True)
    )
    figure.update_yaxes(exponentformat="e")
    figure.update_layout(hovermode="closest")
    return figure


def _add_curve(
    figure: go.Figure,
    name: str,
    x: Float[np.ndarray, "step"],
    y: Float[np.ndarray, "step"],
    line: dict[str, str],
    hover: str,
) -> None:
    figure.add_scatter(
        x=x.tolist(),
        y=y.tolist(),
        mode="lines",
        name=name,
        line={**line, "width": 2},
        hovertemplate=f"{hover}<extra></extra>",
    )


def repeats_figure(
    epochs: Float[np.ndarray, "step"], fresh: Float[np.ndarray, "step"], repeated: Float[np.ndarray, "step"]
) -> go.Figure:
    """Loss over epochs: of repeated data, and if every token were fresh."""
    figure = go.Figure()
    curves = (
        (_("repeated"), repeated, HELD_OUT.light, "solid"),
        (_("if all were fresh"), fresh, NEUTRAL.light, "dash"),
    )
    for name, values, colour, dash in curves:
        hover = _("{curve}: {loss} after {epochs} epochs").format(curve=name, loss="%{y:.4f}", epochs="%{x:.3g}")
        _add_curve(figure, name, epochs, values, {"color": colour, "dash": dash}, hover)
    quiet_layout(figure, x=_("epochs"), y=axis_title("loss"), log_x=True)
    figure.update_xaxes(exponentformat="none")
    figure.update_layout(hovermode="closest")
    return figure
