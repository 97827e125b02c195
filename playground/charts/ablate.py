"""Charts of Take it apart: single effects against the joint one; heads ranked against chance."""

from collections.abc import Sequence

import plotly.graph_objects as go

from playground.charts.bars import named_bars_figure, zero_line
from playground.charts.heatmap import NEGATIVE, POSITIVE, axis_label, table_layout
from playground.charts.palette import NEUTRAL
from playground.text import _


def interaction_figure(names: Sequence[str], singles: Sequence[float], joint: float, *, x: str) -> go.Figure:
    """Single effects end to end, the joint effect below, and the difference between them."""
    figure = go.Figure()
    sum_row, joint_row, interaction_row = _("sum of single effects"), _("joint effect"), _("interaction")
    for index, (name, value) in enumerate(zip(names, singles, strict=True)):
        figure.add_bar(
            x=[value],
            y=[sum_row],
            name=name,
            orientation="h",
            marker={"color": POSITIVE, "opacity": 1.0 if index % 2 else 0.7},
            hovertemplate=f"{name}: %{{x:.4g}}<extra></extra>",
        )
    difference = joint - sum(singles)
    for row, value, colour in ((joint_row, joint, POSITIVE), (interaction_row, difference, NEGATIVE)):
        figure.add_bar(
            x=[value], y=[row], orientation="h", marker={"color": colour}, hovertemplate="%{x:.4g}<extra></extra>"
        )
    table_layout(figure, x=x, y="", height=230)
    figure.update_layout(barmode="relative")
    figure.update_yaxes(autorange="reversed", showgrid=False)
    zero_line(figure)
    return figure


def ranking_figure(
    names: Sequence[str], scores: Sequence[float], shuffled_max: Sequence[float], chance_level: float
) -> go.Figure:
    """Scores as bars, a mark at each head's shuffled maximum, and a line at the chance level of all heads."""
    score, shuffled, chance = _("mean attention on marked keys"), _("shuffled maximum"), _("chance level")
    figure = named_bars_figure(names, scores, x=score)
    figure.update_traces(name=score)
    figure.add_scatter(
        x=list(shuffled_max),
        y=[axis_label(name) for name in names],
        meta={"rows": list(names)},
        name=shuffled,
        mode="markers",
        marker={"symbol": "line-ns-open", "size": 14, "color": NEGATIVE, "line": {"width": 3}},
        hovertemplate=f"{shuffled} %{{x:.4g}}<extra></extra>",
    )
    figure.add_vline(
        x=chance_level,
        line={"color": NEUTRAL.light, "dash": "dash"},
        annotation_text=chance,
        annotation_position="top",
    )
    return figure
