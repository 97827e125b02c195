"""Charts of a run: loss, measures, learning rate and gradient norm, spectrum, learning-rate range test."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.charts.layout import axis, level, quiet_layout
from playground.charts.palette import HELD_OUT, NEUTRAL, QUERY, TRAIN, series_look
from playground.charts.series import Series
from playground.errors import UserError
from playground.text import N_, _

LOSS = N_("loss (nats per token)")
LOSS_OF_TEXTS = N_("loss (nats per text)")
"""Of a classification: one answer for each text."""
STEP = N_("training step")
MARK_ROW = 0.08
"""Between the words of two events, as a share of the plot's height."""
MARKS_TOP = 0.45
"""Where the words begin in a chart whose curves rise: after the event they are above."""


def training_loss_figure(
    steps: Sequence[float],
    train: Sequence[float | None],
    smoothed: Sequence[float],
    held_out_steps: Sequence[float],
    held_out: Sequence[float],
    floor: float | None = None,
    *,
    marks: Sequence[tuple[int, str]] = (),
    log_steps: bool = False,
    log_loss: bool = False,
    y: str = "",
) -> go.Figure:
    """Training loss, raw (faint) and smoothed, validation loss at each evaluation, the source's entropy where known.

    Losses and floor (the entropy) are in nats per token, or as `y` says; marks are events, a step and a few words each.
    """
    figure = go.Figure()
    raw = {"line": {"color": TRAIN.light, "width": 1}, "opacity": 0.4}
    figure.add_scatter(x=list(steps), y=list(train), mode="lines", name=_("train, each step"), **raw)
    figure.add_scatter(
        x=list(steps),
        y=list(smoothed),
        mode="lines",
        name=_("train, smoothed"),
        line={"color": TRAIN.light, "width": 2},
    )
    figure.add_scatter(
        x=list(held_out_steps),
        y=list(held_out),
        mode="lines+markers",
        name=_("validation"),
        line={"color": HELD_OUT.light, "width": 2},
        marker={"size": 5},
    )
    figure.update_traces(hovertemplate="%{y:.4f}")
    if floor is not None:
        level(figure, floor, _("entropy {floor:.3f}").format(floor=floor), log=log_loss)
    mark_steps(figure, marks, log=log_steps)
    return quiet_layout(figure, x=_(STEP), y=y or _(LOSS), log_x=log_steps, log_y=log_loss)


def mark_steps(figure: go.Figure, marks: Sequence[tuple[int, str]], *, top: float = 1.0, log: bool = False) -> None:
    """Add a dashed vertical line at each step, its words from `top` down; nothing at step 0 on a log axis."""
    for row, (step, text) in enumerate(mark for mark in marks if mark[0] > 0 or not log):
        line = {"color": NEUTRAL.light, "width": 1, "dash": "dash"}
        figure.add_shape(type="line", x0=step, x1=step, yref="y domain", y0=0, y1=1, line=line)
        figure.add_annotation(
            x=float(np.log10(step)) if log else step,
            yref="y domain",
            y=top - MARK_ROW * row,
            xanchor="left",
            yanchor="top",
            xshift=3,
            text=text,
            font={"color": NEUTRAL.light, "size": 11},
            showarrow=False,
        )


def overlay_figure(
    runs: Sequence[Series], *, y: str | None = None, log_steps: bool = False, log_values: bool = False
) -> go.Figure:
    """One curve per run over the same axes, for comparison; y: the axis title, by default the loss."""
    figure = _curves(runs, mode="lines")
    return quiet_layout(figure, x=_(STEP), y=y or _(LOSS), log_x=log_steps, log_y=log_values)


def _curves(curves: Sequence[Series], **look: Any) -> go.Figure:
    """Curves distinguished by colour and dash."""
    figure = go.Figure()
    for index, curve in enumerate(curves):
        colour, dash = series_look(index)
        figure.add_scatter(
            x=list(curve.steps),
            y=list(curve.values),
            name=curve.name,
            line={"color": colour, "width": 2, "dash": dash},
            hovertemplate="%{y:.4f}",
            customdata=curve.clicks,
            **look,
        )
    return figure


def measures_figure(
    measures: Sequence[Series], *, y: str | None = None, marks: Sequence[tuple[int, str]] = ()
) -> go.Figure:
    """A task's own measures, such as accuracies; values within 0 to 1 get that whole range. y: the axis title."""
    figure = _curves(measures, mode="lines+markers", marker={"size": 5})
    mark_steps(figure, marks, top=MARKS_TOP)
    quiet_layout(figure, x=_(STEP), y=y or _("share"))
    values = [value for measure in measures for value in measure.values if value is not None]
    if values and min(values) >= 0 and max(values) <= 1:
        figure.update_yaxes(range=[-0.03, 1.03])
    return figure


def rate_and_norm_figure(
    steps: Sequence[float], rate: Sequence[float | None], norm: Sequence[float | None], clip: float | None = None
) -> go.Figure:
    """Learning rate above, gradient norm (before clipping) below, over the same steps."""
    figure = go.Figure()
    figure.add_scatter(
        x=list(steps),
        y=list(rate),
        mode="lines",
        name=_("learning rate"),
        line={"color": QUERY.light, "width": 2},
        hovertemplate="%{y:.3g}",
    )
    figure.add_scatter(
        x=list(steps),
        y=list(norm),
        mode="lines",
        name=_("gradient norm"),
        line={"color": NEUTRAL.light, "width": 1.2},
        hovertemplate="%{y:.3g}",
        yaxis="y2",
    )
    quiet_layout(figure, x=_(STEP), y=_("learning rate"))
    figure.update_layout(
        yaxis={"domain": [0.56, 1.0], "exponentformat": "e", "rangemode": "tozero"},
        yaxis2=axis(_("gradient norm"), domain=[0.0, 0.44], rangemode="tozero"),
        xaxis={"anchor": "y2"},
        hoversubplots="axis",
    )
    if clip is not None:
        line = {"color": NEUTRAL.light, "width": 1, "dash": "dot"}
        figure.add_hline(y=clip, yref="y2", line=line)
    return figure


def spectrum_figure(power: Sequence[float]) -> go.Figure:
    """Power spectrum of the number embedding in modular addition (Nanda et al. 2023); shares that sum to 1."""
    figure = go.Figure()
    figure.add_bar(
        x=list(range(len(power))),
        y=list(power),
        marker={"color": TRAIN.light},
        hovertemplate=_("frequency %{x}: %{y:.4f}") + "<extra></extra>",
    )
    quiet_layout(figure, x=_("frequency (cycles per modulus)"), y=_("share of the embedding's power"))
    figure.update_layout(showlegend=False, hovermode="closest", bargap=0.25)
    return figure


def finder_figure(
    rates: Sequence[float],
    losses: Sequence[float],
    suggestion: float | None = None,
    smoothed: Sequence[float] | None = None,
) -> go.Figure:
    """Learning-rate range test (Smith 2017): loss over a rising learning rate, and the suggested rate.

    Raises UserError for rates that are not above zero: the axis is logarithmic.
    """
    if any(rate <= 0 for rate in rates):
        raise UserError("Learning rates must be above zero to be drawn.")
    figure = go.Figure()
    faint = {"opacity": 0.4} if smoothed is not None else {}
    line = {"color": TRAIN.light, "width": 1 if smoothed is not None else 2}
    figure.add_scatter(x=list(rates), y=list(losses), mode="lines", name=_("train"), line=line, **faint)
    if smoothed is not None:
        line = {"color": TRAIN.light, "width": 2}
        figure.add_scatter(x=list(rates), y=list(smoothed), mode="lines", name=_("train, smoothed"), line=line)
    figure.update_traces(hovertemplate="%{y:.4f}")
    quiet_layout(figure, x=_("learning rate"), y=_(LOSS), log_x=True)
    if suggestion is not None:
        figure.add_vline(x=suggestion, line={"color": HELD_OUT.light, "width": 1.5, "dash": "dash"})
        figure.add_annotation(
            x=float(np.log10(suggestion)),
            y=1,
            yref="paper",
            yanchor="top",
            xanchor="left",
            xshift=5,
            showarrow=False,
            text=_("suggested {rate:.2g}").format(rate=suggestion),
            font={"color": HELD_OUT.light, "size": 11},
        )
    return figure
