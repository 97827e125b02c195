"""Charts of the page Generate: distribution by rank, surprisal along a text, logit lens, token tree."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from playground.charts.layout import axis, quiet_layout, token_label
from playground.charts.palette import CROSS, DECODER, HELD_OUT, NEUTRAL, TRAIN
from playground.text import _

RANKS = 400
"""Number of points of a distribution over the vocabulary; each is one token's exact probability."""
LABEL_LENGTH = 12
NODE_LENGTH = 9
LEAST_STEP = 60
"""Pixels between two steps of a tree: enough for a label of that many letters."""
TREE_LINE, TREE_FRAME, TALLEST = 24, 160, 2400
"""Pixels of a line of a tree, of what is around the lines, and of the tallest picture."""
LEAST_CELL = 50
"""Pixels of a cell of the lens: enough for seven letters; a narrow page scrolls."""
_WEIGHT = [[0.0, "rgba(47, 99, 192, 0)"], [1.0, "rgba(47, 99, 192, 0.6)"]]


def spread_ranks(count: int, points: int = RANKS) -> Int[np.ndarray, "point"]:
    """Ranks from 0 to count - 1, evenly spaced on a logarithmic axis: all of the first ones, and both ends.

    >>> spread_ranks(3).tolist()
    [0, 1, 2]
    """
    return np.unique(np.geomspace(1, count, points).round().astype(np.int64)) - 1


def distribution_figure(
    model: Float[np.ndarray, "vocabulary"],
    tempered: Float[np.ndarray, "vocabulary"],
    sampled: Float[np.ndarray, "vocabulary"],
) -> go.Figure:
    """The whole vocabulary by rank on logarithmic axes: raw, with temperature, after filtering.

    All three are indexed by token id; the rank is the raw one. A token that is filtered out leaves a gap.
    """
    order = np.argsort(-model, kind="stable")
    ranks = spread_ranks(len(order))
    figure = go.Figure()
    curves = (
        (_("raw"), model, TRAIN.light, "solid"),
        (_("with temperature"), tempered, DECODER.light, "dot"),
        (_("after filtering"), sampled, HELD_OUT.light, "solid"),
    )
    for name, values, colour, dash in curves:
        heights = values[order[ranks]]
        figure.add_scatter(
            x=(ranks + 1).tolist(),
            y=[float(height) if height > 0 else None for height in heights],
            mode="lines+markers",
            name=name,
            line={"color": colour, "width": 2, "dash": dash},
            marker={"size": 4},
            hovertemplate="%{y:.3e}",
        )
    return quiet_layout(figure, x=_("rank"), y=_("probability"), log_x=True, log_y=True)


def surprisal_figure(
    tokens: Sequence[str],
    surprisal: Float[np.ndarray, "token"],
    entropy: Float[np.ndarray, "token"],
    *,
    in_bits: bool = False,
) -> go.Figure:
    """Bars of each token's surprisal and a line of the entropy before it; NaN leaves a gap.

    surprisal, entropy: in nats, and drawn in nats unless in_bits.
    """
    positions = list(range(len(tokens)))
    values = np.stack([surprisal, entropy]) / (np.log(2) if in_bits else 1.0)
    names = [token_label(token, LABEL_LENGTH) for token in tokens]
    shared = {"x": positions, "customdata": names, "hovertemplate": "%{customdata}: %{y:.3f}"}
    figure = go.Figure()
    figure.add_bar(y=_gaps(values[0]), name=_("surprisal"), marker={"color": TRAIN.light}, **shared)
    line = {"color": HELD_OUT.light, "width": 2}
    figure.add_scatter(
        y=_gaps(values[1]), name=_("entropy"), mode="lines+markers", line=line, marker={"size": 4}, **shared
    )
    quiet_layout(figure, x=_("token"), y=_("bits") if in_bits else _("nats"))
    if len(tokens) <= 60:
        figure.update_xaxes(tickmode="array", tickvals=positions, ticktext=names)
    return figure


def lens_figure(
    tokens: Sequence[str],
    layers: Sequence[str],
    top: Sequence[Sequence[str]],
    probability: Float[np.ndarray, "layer position"],
    settled: Int[np.ndarray, "position"],
    target: str = "",
) -> go.Figure:
    """Layers by positions: each cell names the layer's top-1 token, coloured by its probability.

    target: colour by this token's probability instead. settled: the layer from which a position's final prediction
    stays top-1, which is outlined; -1 for none.
    """
    figure = go.Figure()
    columns, rows = list(range(len(tokens))), list(range(len(layers)))
    figure.add_heatmap(
        x=columns,
        y=rows,
        z=probability.tolist(),
        zmin=0,
        zmax=1,
        colorscale=_WEIGHT,
        xgap=1,
        ygap=1,
        customdata=[[token_label(target or token, 40) for token in layer] for layer in top],
        hovertemplate="%{customdata}: %{z:.4f}<extra></extra>",
        colorbar={"title": {"text": token_label(target or _("probability"), 20)}, "thickness": 12},
        name=token_label(target or _("top-1 token")),
    )
    _write_tokens(figure, top)
    for x, y in enumerate(settled.tolist()):
        if y >= 0:
            figure.add_shape(type="rect", x0=x - 0.48, x1=x + 0.48, y0=y - 0.48, y1=y + 0.48, line=_OUTLINE)
    quiet_layout(figure, x=_("position"), y=_("layer"))
    names = [token_label(token, LABEL_LENGTH) for token in tokens]
    figure.update_layout(hovermode="closest", showlegend=False, margin={"t": 12})
    figure.update_xaxes(tickmode="array", tickvals=columns, ticktext=names, showgrid=False)
    figure.update_yaxes(tickmode="array", tickvals=rows, ticktext=list(layers), showgrid=False)
    return figure


def _write_tokens(figure: go.Figure, top: Sequence[Sequence[str]]) -> None:
    columns = len(top[0]) if top else 0
    figure.add_scatter(
        x=list(range(columns)) * len(top),
        y=[y for y in range(len(top)) for _column in range(columns)],
        text=[token_label(token, 9) for layer in top for token in layer],
        mode="text",
        meta={"columns": columns, "least": LEAST_CELL},
        textfont={"size": 11},
        hoverinfo="skip",
        showlegend=False,
    )


_OUTLINE = {"color": HELD_OUT.light, "width": 2}


@dataclass(frozen=True, kw_only=True)
class TreeNode:
    """A token in a tree."""

    parent: int
    """Index of the node that it follows; -1: the text."""
    step: int
    text: str
    note: str
    """Shown on pointing at it."""
    state: str
    """Key of its legend entry."""


def tree_height(nodes: Sequence[TreeNode]) -> int:
    """Pixels that keep the labels of neighbouring lines apart, up to TALLEST."""
    return min(TALLEST, TREE_FRAME + TREE_LINE * len(_leaves(nodes)))


def tree_figure(nodes: Sequence[TreeNode], chosen: Sequence[int], states: dict[str, str]) -> go.Figure:
    """A tree from left to right, one column per step; the chosen path is bold, and the first line.

    states: legend label of each state, in order. Nodes come after their parents. Where a tree has more lines than
    TALLEST has room for, only the chosen path is labelled; the others say their token when they are pointed at.
    """
    heights = _heights(nodes, chosen)
    figure = go.Figure()
    _add_edges(figure, nodes, set(chosen), heights)
    _add_nodes(figure, nodes, set(chosen), heights, states)
    quiet_layout(figure, x=_("new token"), y="")
    figure.update_layout(hovermode="closest")
    # The labels of the first line stand above it.
    figure.update_yaxes(visible=False, range=[min(heights) - 0.5, 1.0])
    steps = max(node.step for node in nodes) + 1
    room = [-0.3, steps + max(0.8, 0.12 * steps)]
    figure.update_layout(xaxis=axis(_("new token"), showgrid=False, tick0=0, dtick=-(-steps // 20), range=room))
    return figure


def _add_edges(figure: go.Figure, nodes: Sequence[TreeNode], on_path: set[int], heights: Sequence[float]) -> None:
    for bold, name in ((False, _("path")), (True, _("chosen path"))):
        x: list[float | None] = []
        y: list[float | None] = []
        for number, node in enumerate(nodes):
            if (number in on_path) == bold:
                start = heights[node.parent] if node.parent >= 0 else 0.0
                # Down beside the parent, then across: edges of many children do not become one steep fan.
                x += [node.step, node.step, node.step + 1, None]
                y += [start, heights[number], heights[number], None]
        line = {"color": TRAIN.light if bold else NEUTRAL.light, "width": 3 if bold else 1}
        figure.add_scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False, name=name)


def _add_nodes(
    figure: go.Figure,
    nodes: Sequence[TreeNode],
    on_path: set[int],
    heights: Sequence[float],
    states: Mapping[str, str],
) -> None:
    # A leaf has room to its right; inner nodes are close below each other and get their label on top.
    parents = {node.parent for node in nodes}
    is_crowded = TREE_FRAME + TREE_LINE * len(_leaves(nodes)) > TALLEST
    steps = max(node.step for node in nodes) + 1
    colours = dict(zip(states, (TRAIN.light, CROSS.light, NEUTRAL.light), strict=False))
    for state, label in states.items():
        in_state = [number for number, node in enumerate(nodes) if node.state == state]
        figure.add_scatter(
            x=[nodes[number].step + 1 for number in in_state],
            y=[heights[number] for number in in_state],
            text=[
                "" if is_crowded and number not in on_path else token_label(nodes[number].text, NODE_LENGTH)
                for number in in_state
            ],
            customdata=[
                f"{token_label(nodes[number].text)}: {html.escape(nodes[number].note, quote=False)}"
                for number in in_state
            ],
            mode="markers+text",
            meta={"columns": steps + 1, "least": LEAST_STEP},
            textposition=["top center" if number in parents else "middle right" for number in in_state],
            textfont={"size": 11},
            marker={"color": colours[state], "size": 7},
            hovertemplate="%{customdata}<extra></extra>",
            cliponaxis=False,
            name=label,
        )


def _leaves(nodes: Sequence[TreeNode]) -> list[int]:
    parents = {node.parent for node in nodes}
    return [number for number in range(len(nodes)) if number not in parents]


def _heights(nodes: Sequence[TreeNode], chosen: Sequence[int]) -> list[float]:
    """Vertical position of each node: a line per leaf in depth-first order, the chosen path first.

    A parent stands on its first child's line, so that a path is a straight line until it branches.
    """
    on_path = set(chosen)
    children: dict[int, list[int]] = {}
    for number, node in enumerate(nodes):
        children.setdefault(node.parent, []).append(number)
    heights = [0.0] * len(nodes)
    stack, line = _path_last(children.get(-1, []), on_path), 0
    visited = []
    while stack:
        number = stack.pop()
        visited.append(number)
        stack += _path_last(children.get(number, []), on_path)
        if number not in children:
            heights[number] = float(-line)
            line += 1
    for number in reversed(visited):
        if number in children:
            heights[number] = max(heights[child] for child in children[number])
    return heights


def _path_last(numbers: Sequence[int], on_path: set[int]) -> list[int]:
    """Siblings in the order in which a stack keeps them: the one on the path is popped first, then the oldest."""
    return sorted(numbers, key=lambda number: (number in on_path, -number))


def _gaps(values: Float[np.ndarray, "token"]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
