"""Charts of the page Fine-tune: the change of weights and states, and accuracy over labels and ranks."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from playground.charts.heatmap import heatmap_figure, tinted_map_figure
from playground.charts.layout import axis, fill_between, level, quiet_layout
from playground.charts.palette import CROSS, ENCODER, HELD_OUT, TRAIN
from playground.evaluation.resampling import Spread
from playground.finetuning.drift_table import DriftTable
from playground.finetuning.head_drift import HeadDrift
from playground.finetuning.label_curve import LabelMean, Start
from playground.finetuning.rank_sweep import RankPoint
from playground.finetuning.stream_drift import StreamDrift
from playground.finetuning.weight_drift import WeightDrift
from playground.text import _

PANEL_GAP = 0.12


def drift_figure(table: DriftTable) -> go.Figure:
    """Each layer's weights by how far they moved, in per cent of their norm."""
    return heatmap_figure(
        100 * table.values,
        rows=table.rows,
        columns=table.columns,
        y=_("layer"),
        x=_("weight"),
        meaning=_("change (% of its norm)"),
        signed=False,
    )


def singular_values_figure(weight: WeightDrift) -> go.Figure:
    """The singular values of a change, descending; what rounding alone would make is left out."""
    values = weight.singular_values
    held = np.cumsum(values**2) / max(float((values**2).sum()), np.finfo(float).tiny)
    figure = go.Figure()
    figure.add_scatter(
        x=list(range(1, len(values) + 1)),
        y=values,
        mode="lines+markers",
        name=_("singular value"),
        line={"color": TRAIN.light, "width": 2},
        marker={"size": 5},
        customdata=held,
        hovertemplate="%{y:.4g} (%{customdata:.1%})<extra></extra>",
    )
    quiet_layout(figure, x=_("direction"), y=_("singular value of the change"), log_y=True)
    figure.update_layout(showlegend=False, hovermode="closest")
    figure.update_xaxes(range=[0, min(weight.shape) + 1])
    figure.update_yaxes(dtick="D2")  # 1, 2 and 5 of each power of ten: all nine digits would touch
    return figure


def head_drift_figure(drift: HeadDrift) -> go.Figure:
    """Each head's mean divergence from itself before, in nats."""
    mean = drift.mean
    return heatmap_figure(
        mean,
        rows=list(map(str, range(len(mean)))),
        columns=list(map(str, range(mean.shape[1]))),
        y=_("layer"),
        x=_("head"),
        meaning=_("divergence (nats)"),
        signed=False,
    )


def stream_drift_figure(drift: StreamDrift) -> go.Figure:
    """Each token's state after each layer: its distance from the state before, as a share of its length."""
    figure = tinted_map_figure(
        drift.distance,
        ENCODER,
        x=_("token"),
        y=_("after layer"),
        rows=_state_names(len(drift.distance)),
        columns=[token.text for token in drift.tokens],
    )
    figure.update_yaxes(
        tickmode="array", tickvals=list(range(len(drift.distance))), ticktext=_state_names(len(drift.distance))
    )
    return figure


def stream_mean_figure(drift: StreamDrift) -> go.Figure:
    """Mean distance and cosine over the tokens, after each layer."""
    figure = go.Figure()
    names = _state_names(len(drift.distance))
    for values, name, colour in (
        (drift.distance.mean(1), _("distance, share of its length"), TRAIN),
        (drift.cosine.mean(1), _("cosine"), HELD_OUT),
    ):
        figure.add_scatter(
            x=names,
            y=values,
            mode="lines+markers",
            name=name,
            line={"color": colour.light, "width": 2},
            marker={"size": 5},
            hovertemplate="%{y:.4f}",
        )
    quiet_layout(figure, x=_("after layer"), y=_("mean over the tokens"))
    # Numbers as names: else plotly drops the state before the first layer, which is none.
    return figure.update_xaxes(type="category")


def _state_names(count: int) -> list[str]:
    """The state before the first layer, and those after each."""
    return [_("start"), *map(str, range(count - 1))]


def label_curve_figure(
    means: Sequence[LabelMean], floor: float | None = None, tfidf: Sequence[tuple[int, float]] = ()
) -> go.Figure:
    """Accuracy over the number of labels with intervals; floor: always the most frequent label."""
    figure = go.Figure()
    starts: dict[Start, tuple[str, str]] = {
        "pretrained": (_("pre-trained"), TRAIN.light),
        "scratch": (_("from scratch"), HELD_OUT.light),
    }
    for start, (name, colour) in starts.items():
        own = [mean for mean in means if mean.start == start]
        _add_means(figure, [mean.labels for mean in own], [mean.accuracy for mean in own], name=name, colour=colour)
    if tfidf:
        figure.add_scatter(
            x=[labels for labels, _accuracy in tfidf],
            y=[accuracy for _labels, accuracy in tfidf],
            mode="lines+markers",
            name=_("TF-IDF + logistic regression"),
            line={"color": CROSS.light, "width": 1.5, "dash": "dash"},
            marker={"size": 5},
            hovertemplate="%{y:.3f}",
        )
    quiet_layout(figure, x=_("labelled texts"), y=_("held-out accuracy"), log_x=True)
    counts = sorted({mean.labels for mean in means})
    figure.update_xaxes(tickmode="array", tickvals=counts, ticktext=[f"{count:,}" for count in counts], minor_ticks="")
    if floor is not None:
        level(figure, floor, _("most frequent label"))
    return figure


def rank_sweep_figure(points: Sequence[RankPoint], *, score: str) -> go.Figure:
    """Score above and drift below, over the rank on a logarithmic axis. score: what it is, with its unit."""
    ordered = sorted(points, key=lambda point: point.rank)
    ranks = [point.rank for point in ordered]
    figure = go.Figure()
    scores = [point.score for point in ordered]
    _add_scores(figure, ranks, scores, name=score, colour=TRAIN.light)
    figure.data[0].error_y = _bars(scores, TRAIN.light)
    figure.add_scatter(
        x=ranks,
        y=[100 * point.drift for point in ordered],
        mode="lines+markers",
        name=_("change of the weights (% of their norm)"),
        line={"color": HELD_OUT.light, "width": 2},
        marker={"size": 6},
        yaxis="y2",
        customdata=[[point.effective_rank, point.trainable] for point in ordered],
        hovertemplate="%{y:.3f}%, " + _("effective rank") + " %{customdata[0]:.1f}, %{customdata[1]:,}",
    )
    quiet_layout(figure, x=_("rank of LoRA"), y=score)
    figure.update_layout(
        yaxis={"domain": [0.5 + PANEL_GAP / 2, 1.0]},
        yaxis2=axis(_("change (%)"), domain=[0.0, 0.5 - PANEL_GAP / 2], rangemode="tozero"),
        xaxis={
            "anchor": "y2",
            "type": "log",
            "tickmode": "array",
            "tickvals": ranks,
            "ticktext": list(map(str, ranks)),
        },
        hoversubplots="axis",
    )
    return figure


def _add_means(figure: go.Figure, x: Sequence[float], spreads: Sequence[Spread], *, name: str, colour: str) -> None:
    """A curve of scores, their intervals as a band: bars of two curves at one x would hide each other."""
    _add_scores(figure, x, spreads, name=name, colour=colour)
    low, high = np.array([[spread.low, spread.high] for spread in spreads]).reshape(-1, 2).T
    title = _("{curve}: interval").format(curve=name)
    fill_between(figure, np.array(x, float), low, high, colour=colour, name=title, group=name)


def _add_scores(figure: go.Figure, x: Sequence[float], spreads: Sequence[Spread], *, name: str, colour: str) -> None:
    """A curve of scores that shows their intervals on hover."""
    figure.add_scatter(
        x=list(x),
        y=[spread.value for spread in spreads],
        mode="lines+markers",
        name=name,
        legendgroup=name,
        line={"color": colour, "width": 2},
        marker={"size": 7},
        customdata=[[spread.low, spread.high, spread.n] for spread in spreads],
        hovertemplate="%{y:.4g} [%{customdata[0]:.4g}, %{customdata[1]:.4g}], n = %{customdata[2]:,}",
    )


def _bars(spreads: Sequence[Spread], colour: str) -> dict[str, object]:
    """Intervals as plotly's error bars."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [spread.high - spread.value for spread in spreads],
        "arrayminus": [spread.value - spread.low for spread in spreads],
        "thickness": 1.5,
        "color": colour,
    }


def lora_map_figure(values: Float[np.ndarray, "row column"], *, meaning: str) -> go.Figure:
    """One matrix of W + (alpha / r) B A, zero in the middle of the scale."""
    rows, columns = values.shape
    return heatmap_figure(
        values,
        rows=list(map(str, range(rows))),
        columns=list(map(str, range(columns))),
        y=_("row"),
        x=_("column"),
        meaning=meaning,
    )
