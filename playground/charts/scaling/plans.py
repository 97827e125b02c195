"""A plan, drawn: what training and serving cost together over the size of a model, what repeated data are worth."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from playground.charts.layout import quiet_layout
from playground.charts.palette import HELD_OUT, NEUTRAL, TRAIN
from playground.charts.scaling.loss import PARAMETERS, short


def serving_figure(
    params: Float[np.ndarray, "model"],
    training: Float[np.ndarray, "model"],
    serving: Float[np.ndarray, "model"],
    *,
    best: tuple[float, float],
    optimal: tuple[float, float],
) -> go.Figure:
    """FLOP of training to one loss and of serving afterwards, over the size; the cheapest, and the compute-optimal one.

    best and optimal are a size and its FLOP in all.
    """
    figure = go.Figure()
    curves = (
        ("training", training, TRAIN.light, "solid"),
        ("serving", serving, HELD_OUT.light, "solid"),
        ("together", training + serving, NEUTRAL.light, "dash"),
    )
    for name, values, colour, dash in curves:
        known = np.isfinite(values)
        figure.add_scatter(
            x=params[known].tolist(),
            y=values[known].tolist(),
            mode="lines",
            name=name,
            line={"color": colour, "width": 2, "dash": dash},
            hovertemplate=name + " %{y:.3g} FLOP at N %{x:.3s}<extra></extra>",
        )
    for name, place, symbol in (("cheapest", best, "circle"), ("compute-optimal", optimal, "diamond-open")):
        figure.add_scatter(
            x=[place[0]],
            y=[place[1]],
            mode="markers",
            name=f"{name}: N {short(place[0])}",
            marker={"size": 11, "symbol": symbol, "color": NEUTRAL.light},
            hovertemplate=name + ": N %{x:.3s}, %{y:.3g} FLOP<extra></extra>",
        )
    quiet_layout(figure, x=PARAMETERS, y="FLOP to the same loss", log_x=True, log_y=True)
    figure.update_layout(hovermode="closest")
    return figure


def repeats_figure(
    epochs: Float[np.ndarray, "place"], fresh: Float[np.ndarray, "place"], repeated: Float[np.ndarray, "place"]
) -> go.Figure:
    """Loss over how often the data are read: repeated, and if every token were fresh."""
    figure = go.Figure()
    curves = (("repeated", repeated, HELD_OUT.light, "solid"), ("if all were fresh", fresh, NEUTRAL.light, "dash"))
    for name, values, colour, dash in curves:
        figure.add_scatter(
            x=epochs.tolist(),
            y=values.tolist(),
            mode="lines",
            name=name,
            line={"color": colour, "width": 2, "dash": dash},
            hovertemplate=name + ": %{y:.4f} after %{x:.3g} epochs<extra></extra>",
        )
    quiet_layout(figure, x="epochs: how often the data are read", y="loss (nats per token)", log_x=True)
    figure.update_layout(hovermode="closest")
    return figure
