"""Charts of Take it apart: single effects by component, and against the joint one; heads ranked against chance."""

from collections.abc import Sequence
from math import floor, log10

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from playground.charts.bars import named_bars_figure, zero_line
from playground.charts.heatmap import (
    DIVERGING,
    NEGATIVE,
    NOISE,
    POSITIVE,
    RISING,
    axis_label,
    largest_magnitude,
    table_height,
    table_layout,
)
from playground.charts.layout import name_ticks
from playground.charts.palette import NEUTRAL
from playground.text import _, true_minus

STRONGEST = 0.75
"""Cells let the page through a little, so that numbers on them can be read in the page's own colour."""


def effects_figure(
    heads: Float[np.ndarray, "layer head"],
    parts: Float[np.ndarray, "layer part"],
    *,
    part_names: Sequence[str],
    meaning: str,
    signed: bool,
    layers: Sequence[int] = (),
) -> go.Figure:
    """Effects of single ablations: a column for each head, then one for each larger part, with numbers on the cells.

    Larger parts contain the heads and would leave them pale: heads and parts have a colour scale each. Both maps have
    all columns, so that a cell's column is the same in either. layers: what the rows are called; by default counted.
    """
    rows = list(map(str, layers or range(len(heads))))
    n_heads, names = heads.shape[1], [*map(str, range(heads.shape[1])), *part_names]
    shape = len(heads), len(names)
    figure = go.Figure()
    for name, values, first in ((_("heads"), heads, 0), (_("larger parts"), parts, n_heads)):
        table = np.full(shape, np.nan)
        table[:, first : first + values.shape[1]] = values
        _add_effects(figure, table, rows, names, name=name, meaning=meaning, signed=signed, n_heads=n_heads)
    _write_effects(figure, heads, 0, shape[1])
    _write_effects(figure, parts, n_heads, shape[1])
    height = table_height(len(heads))
    table_layout(figure, x=_("head, or larger part"), y=_("layer"), height=height)
    figure.update_xaxes(name_ticks(names), showgrid=False, range=[-0.5, len(names) - 0.5])
    figure.update_yaxes(name_ticks(rows), showgrid=False, range=[len(heads) - 0.5, -0.5], type="linear")
    figure.add_vline(x=n_heads - 0.5, line={"color": NEUTRAL.light, "width": 1})
    return figure


def _add_effects(
    figure: go.Figure,
    table: Float[np.ndarray, "layer column"],
    rows: Sequence[str],
    names: Sequence[str],
    *,
    name: str,
    meaning: str,
    signed: bool,
    n_heads: int,
) -> None:
    largest = largest_magnitude(table)
    largest = largest if largest > NOISE else 1.0
    titles = [
        [
            _("head {layer}.{head}").format(layer=layer, head=column)
            if column < n_heads
            else _("layer {layer}: {part}").format(layer=layer, part=part)
            for column, part in enumerate(names)
        ]
        for layer in rows
    ]
    figure.add_heatmap(
        z=np.where(np.isfinite(table), table, np.nan),
        x=list(range(len(names))),
        y=list(range(len(table))),
        name=name,
        meta={"rows": list(rows), "columns": list(names)},
        hovertext=titles,
        hovertemplate=f"%{{hovertext}}<br>{meaning} %{{z:.4g}}<extra></extra>",
        hoverongaps=False,
        colorscale=DIVERGING if signed else RISING,
        zmin=-largest if signed else 0.0,
        zmax=largest,
        opacity=STRONGEST,
        xgap=1,
        ygap=1,
        showscale=False,
    )


def _write_effects(figure: go.Figure, values: Float[np.ndarray, "layer column"], first: int, columns: int) -> None:
    """Numbers on the cells, in two digits of the largest; the page leaves out those that do not fit."""
    cells = [(layer, column) for layer, column in np.ndindex(values.shape) if np.isfinite(values[layer, column])]
    digits = shared_decimals(values)
    figure.add_scatter(
        x=[first + column for _layer, column in cells],
        y=[layer for layer, _column in cells],
        text=[effect_label(float(values[cell]), digits) for cell in cells],
        mode="text",
        textfont={"size": 11},
        meta={"columns": columns},
        hoverinfo="skip",
    )


def shared_decimals(values: Float[np.ndarray, "layer column"]) -> int:
    """How many decimals give the largest value two digits, but one at least: 0.21 has two, 4.9 and 57 have one.

    >>> [shared_decimals(np.array([[largest]])) for largest in (0.21, 4.9, 57.0, 0.0)]
    [2, 1, 1, 1]
    """
    return int(np.clip(1 - floor(log10(largest_magnitude(values))), 1, 4))


def effect_label(value: float, decimals: int) -> str:
    """A number on a cell, with a true minus sign; none before zero.

    >>> effect_label(-0.314, 2), effect_label(-0.001, 2)
    ('−0.31', '0.00')
    """
    return true_minus(f"{value:.{decimals}f}")


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
    names: Sequence[str], scores: Sequence[float], shuffled_high: Sequence[float], chance_level: float
) -> go.Figure:
    """Scores as bars, a mark at the 95th percentile of each head's shuffles, a line at the chance level of all."""
    score, shuffled = _("mean attention on marked keys"), _("95th percentile of the head's shuffles")
    chance = _("chance level")
    figure = named_bars_figure(names, scores, x=score)
    figure.update_traces(name=score)
    figure.add_scatter(
        x=list(shuffled_high),
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
