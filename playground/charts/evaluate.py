"""Charts of the page Evaluate: scores with their intervals, differences, a confusion matrix, calibration, strides."""

import unicodedata
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from playground.charts.heatmap import RISING, table_height, table_layout
from playground.charts.layout import name_ticks, quiet_layout
from playground.charts.palette import HELD_OUT, NEUTRAL, TRAIN
from playground.evaluation.calibration import Reliability
from playground.evaluation.resampling import PairedSpread, Spread
from playground.lens.generate.stride import StrideScore
from playground.text import _

LONGEST_NAME = 28
LONGEST_SIDE = 18
"""Of a name that stands below a column, too: on a telephone they are turned, and longer ones leave no room."""
LETTER_SIDE, TELEPHONE_SIDE = 6, 180
"""Pixels of a letter in a name, and of all columns on a telephone."""
BARS = 40
PALEST = 1.4
"""End of the colour scale of shares: below it, numbers on the cells can be read in the page's own colour."""


def spreads_figure(names: Sequence[str], spreads: Sequence[Spread], *, meaning: str) -> go.Figure:
    """A dot for each score with its 95% interval, the first name on top."""
    figure = go.Figure()
    values = np.array([spread.value for spread in spreads])
    figure.add_scatter(
        x=values,
        y=list(range(len(names))),
        meta={"rows": list(names)},
        mode="markers",
        name=meaning,
        marker={"size": 9, "color": TRAIN.light},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": np.array([spread.high for spread in spreads]) - values,
            "arrayminus": values - np.array([spread.low for spread in spreads]),
            "thickness": 2,
            "color": TRAIN.light,
        },
        customdata=[[spread.low, spread.high, spread.n] for spread in spreads],
        hovertemplate="%{x:.4g} [%{customdata[0]:.4g}, %{customdata[1]:.4g}], n = %{customdata[2]:,}<extra></extra>",
    )
    quiet_layout(figure, x=meaning, y="")
    figure.update_yaxes(name_ticks([_shortened(name) for name in names]), range=[len(names) - 0.4, -0.6])
    figure.update_layout(showlegend=False, hovermode="closest", margin={"l": 120})
    return figure


def difference_figure(paired: PairedSpread, *, meaning: str) -> go.Figure:
    """The difference in every resample, with 0 and the interval marked."""
    heights, edges = np.histogram(paired.gains, bins=BARS)
    figure = go.Figure()
    figure.add_bar(
        x=(edges[:-1] + edges[1:]) / 2,
        y=heights,
        width=np.diff(edges),
        marker={"color": TRAIN.light, "opacity": 0.65},
        name=_("resamples"),
        hovertemplate="%{x:.3g}: %{y:,}<extra></extra>",
    )
    quiet_layout(figure, x=meaning, y=_("resamples"))
    figure.update_layout(showlegend=False, hovermode="closest", bargap=0)
    figure.add_vline(x=0, line={"color": HELD_OUT.light, "width": 2})
    for edge in (paired.difference.low, paired.difference.high):
        figure.add_vline(x=edge, line={"color": NEUTRAL.light, "width": 1, "dash": "dash"})
    return figure


def confusion_figure(labels: Sequence[str], counts: Int[np.ndarray, "true predicted"]) -> go.Figure:
    """Rows are true labels, columns predicted ones; coloured by the share of the row, numbers are counts."""
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    names = _told_apart(labels)
    figure = go.Figure()
    figure.add_heatmap(
        z=shares,
        x=list(range(len(names))),
        y=list(range(len(names))),
        zmin=0,
        zmax=PALEST,
        colorscale=RISING,
        customdata=counts,
        meta={"rows": list(labels), "columns": list(labels)},
        name=_("share of the true label"),
        hovertemplate="%{y} → %{x}: %{customdata:,} (%{z:.1%})<extra></extra>",
        showscale=False,
    )
    if len(labels) <= 12:
        for row, column in np.ndindex(*counts.shape):
            figure.add_annotation(x=column, y=row, text=f"{counts[row, column]:,}", showarrow=False, font={"size": 13})
    table_layout(figure, x=_("predicted label"), y=_("true label"), height=confusion_height(labels))
    figure.update_xaxes(name_ticks(names), range=[-0.5, len(names) - 0.5], showgrid=False)
    figure.update_yaxes(name_ticks(names), range=[len(names) - 0.5, -0.5], showgrid=False, type="linear")
    return figure


def confusion_height(labels: Sequence[str]) -> int:
    """Pixels for these labels; where a telephone has no room for them side by side, with room for upright names.

    >>> confusion_height(["yes", "no"]), confusion_height(["yes", "an answer to all"]) - confusion_height(["yes", "no"])
    (240, 96)
    """
    name = LETTER_SIDE * max(map(_letters, _told_apart(labels)), default=0)
    is_turned = name * len(labels) > TELEPHONE_SIDE
    return table_height(len(labels), at_least=130) + (name if is_turned else 0)


def _letters(name: str) -> int:
    """Latin letters that are as wide as a name: a Chinese character is as wide as two.

    >>> _letters("ab"), _letters("消极")
    (2, 4)
    """
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in name)


def reliability_figure(binned: Reliability) -> go.Figure:
    """Observed share over predicted probability; on the diagonal where probabilities are true."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name=_("calibrated"),
        line={"color": NEUTRAL.light, "width": 1, "dash": "dot"},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=binned.predicted,
        y=binned.observed,
        mode="lines+markers",
        name=_("measured"),
        marker={"size": 6 + 14 * np.sqrt(binned.counts / binned.counts.max()), "color": TRAIN.light},
        line={"color": TRAIN.light, "width": 2},
        customdata=binned.counts,
        hovertemplate="%{x:.3f} → %{y:.3f}, n = %{customdata:,}<extra></extra>",
    )
    quiet_layout(figure, x=_("predicted probability"), y=_("observed share"))
    figure.update_xaxes(range=[-0.03, 1.03])
    figure.update_yaxes(range=[-0.05, 1.05])
    figure.update_layout(hovermode="closest")
    return figure


def stride_figure(scores: Sequence[StrideScore], *, window: int) -> go.Figure:
    """Perplexity over the stride of a window."""
    figure = go.Figure()
    figure.add_scatter(
        x=[score.stride for score in scores],
        y=[score.perplexity for score in scores],
        mode="lines+markers",
        name=_("window of {window:,} tokens").format(window=window),
        line={"color": TRAIN.light, "width": 2},
        marker={"size": 8},
        customdata=[[score.passes, score.least_context] for score in scores],
        hovertemplate="%{y:.4g}; %{customdata[0]:,} / %{customdata[1]:,}<extra></extra>",
    )
    quiet_layout(figure, x=_("stride (tokens)"), y=_("perplexity"))
    return figure


def perplexity_bars(names: Sequence[str], bits: Float[np.ndarray, "model"], is_masked: Sequence[bool]) -> go.Figure:
    """Bits per byte of several models on one text; those of masked models, which do not compare, in grey."""
    figure = go.Figure()
    figure.add_bar(
        x=bits,
        y=list(range(len(names))),
        meta={"rows": list(names)},
        orientation="h",
        marker={"color": [NEUTRAL.light if masked else TRAIN.light for masked in is_masked]},
        hovertemplate="%{x:.4f}<extra></extra>",
    )
    quiet_layout(figure, x=_("bits per byte"), y="")
    figure.update_yaxes(name_ticks([_shortened(name) for name in names]), range=[len(names) - 0.5, -0.5])
    figure.update_layout(showlegend=False, hovermode="closest", margin={"l": 120})
    return figure


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"


def _told_apart(names: Sequence[str]) -> list[str]:
    """Short names on both sides of a table: cut at the end, or in the middle where the ends tell them apart.

    >>> _told_apart(["yes", "an answer to the question", "an answer to the letter"])
    ['yes', 'an answer…question', 'an answer…e letter']
    """
    half = LONGEST_SIDE // 2
    ends = [name if len(name) <= LONGEST_SIDE else name[: LONGEST_SIDE - 1].rstrip() + "…" for name in names]
    if len(set(ends)) == len(set(names)):
        return ends
    return [name if len(name) <= LONGEST_SIDE else f"{name[:half]}…{name[1 - half :]}" for name in names]
