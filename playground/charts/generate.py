"""What a model predicts, drawn: a distribution by rank, surprise along a text, the logit lens, trees of tokens."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from playground.charts.layout import axis, quiet_layout
from playground.charts.palette import CROSS, DECODER, HELD_OUT, NEUTRAL, TRAIN

RANKS = 400
"""With how many points a distribution over a vocabulary is drawn; each is a token's exact probability."""
LABEL_LENGTH = 12
_MARKS = {" ": "·", "\n": "↵", "\t": "⇥", "\r": "␍"}
_WEIGHT = [[0.0, "rgba(47, 99, 192, 0)"], [1.0, "rgba(47, 99, 192, 0.6)"]]


def plain(text: str, length: int = LABEL_LENGTH) -> str:
    """A token as a chart's label: visible spaces, nothing that plotly would read as markup, and not too long.

    >>> plain(" <b>"), plain("a long word indeed")
    ('·&lt;b&gt;', 'a·long·word…')
    """
    marked = "".join(_MARKS.get(letter, letter) for letter in text)
    return html.escape(marked if len(marked) <= length else marked[: length - 1] + "…", quote=False)


def spread_ranks(count: int, points: int = RANKS) -> Int[np.ndarray, "point"]:
    """Ranks from 0 below count, all the first ones and then evenly spread on a logarithmic axis, both ends kept.

    >>> spread_ranks(3).tolist()
    [0, 1, 2]
    """
    return np.unique(np.geomspace(1, count, points).round().astype(np.int64)) - 1


def distribution_figure(
    model: Float[np.ndarray, "vocabulary"],
    tempered: Float[np.ndarray, "vocabulary"],
    sampled: Float[np.ndarray, "vocabulary"],
) -> go.Figure:
    """The whole vocabulary by rank on logarithmic axes: as the model says, at the temperature, and after the cuts.

    All three are indexed by token; the rank is the model's. A token that is cut away leaves a gap.
    """
    order = np.argsort(-model, kind="stable")
    ranks = spread_ranks(len(order))
    figure = go.Figure()
    curves = (
        ("the model's", model, TRAIN.light, "solid"),
        ("at the temperature", tempered, DECODER.light, "dot"),
        ("after the cuts", sampled, HELD_OUT.light, "solid"),
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
    return quiet_layout(figure, x="rank of the token", y="probability", log_x=True, log_y=True)


def surprise_figure(
    tokens: Sequence[str], surprise: Float[np.ndarray, "token"], entropy: Float[np.ndarray, "token"]
) -> go.Figure:
    """Each token's surprise as a bar, and the entropy before it as a line, in bits; NaN leaves a gap.

    surprise, entropy: in nats, as the lens gives them.
    """
    places = list(range(len(tokens)))
    bits = np.stack([surprise, entropy]) / np.log(2)
    names = [plain(token) for token in tokens]
    shared = {"x": places, "customdata": names, "hovertemplate": "%{customdata}: %{y:.3f}"}
    figure = go.Figure()
    figure.add_bar(y=_gaps(bits[0]), name="surprise", marker={"color": TRAIN.light}, **shared)
    line = {"color": HELD_OUT.light, "width": 2}
    figure.add_scatter(y=_gaps(bits[1]), name="entropy", mode="lines+markers", line=line, marker={"size": 4}, **shared)
    quiet_layout(figure, x="token", y="bits")
    if len(tokens) <= 60:
        figure.update_xaxes(tickmode="array", tickvals=places, ticktext=names)
    return figure


def lens_figure(
    tokens: Sequence[str],
    rows: Sequence[str],
    top: Sequence[Sequence[str]],
    probability: Float[np.ndarray, "row position"],
    settled: Int[np.ndarray, "position"],
    followed: str = "",
) -> go.Figure:
    """Layers by positions: each cell names what the layer ranks first, its colour how probable that is.

    followed: a token whose probability the colour is instead. A frame marks the layer from which a position's answer is
    the first one and stays so; -1 marks none.
    """
    figure = go.Figure()
    across, up = list(range(len(tokens))), list(range(len(rows)))
    figure.add_heatmap(
        x=across,
        y=up,
        z=probability.tolist(),
        zmin=0,
        zmax=1,
        colorscale=_WEIGHT,
        xgap=1,
        ygap=1,
        customdata=[[plain(followed or token, 40) for token in row] for row in top],
        hovertemplate="%{customdata}: %{z:.4f}<extra></extra>",
        colorbar={"title": {"text": plain(followed or "probability", 20)}, "thickness": 12},
        name=followed or "top token",
    )
    cells = [(x, y) for y in up for x in across]
    figure.add_scatter(
        x=[x for x, _ in cells],
        y=[y for _, y in cells],
        text=[plain(top[y][x], 9) for x, y in cells],
        mode="text",
        meta={"columns": len(tokens)},
        textfont={"size": 10},
        hoverinfo="skip",
        showlegend=False,
    )
    for place, row in enumerate(settled.tolist()):
        if row >= 0:
            figure.add_shape(type="rect", x0=place - 0.48, x1=place + 0.48, y0=row - 0.48, y1=row + 0.48, line=_FRAME)
    quiet_layout(figure, x="after the token", y="layer")
    names = [plain(token) for token in tokens]
    figure.update_layout(hovermode="closest", showlegend=False, margin={"t": 12})
    figure.update_xaxes(tickmode="array", tickvals=across, ticktext=names, showgrid=False)
    figure.update_yaxes(tickmode="array", tickvals=up, ticktext=list(rows), showgrid=False)
    return figure


_FRAME = {"color": HELD_OUT.light, "width": 2}


@dataclass(frozen=True, kw_only=True)
class Twig:
    """A token in a tree: the place of the one it follows (-1: the text), its step, what is said of it, its state."""

    parent: int
    step: int
    text: str
    note: str
    state: str


def tree_figure(twigs: Sequence[Twig], chosen: Sequence[int], states: dict[str, str]) -> go.Figure:
    """A tree from left to right, one column for each step; the chosen path is drawn bold.

    states: what the legend calls each state, in order. Twigs come after those they follow.
    """
    heights = _heights(twigs)
    figure = go.Figure()
    on_path = set(chosen)
    for bold, name in ((False, "path"), (True, "chosen path")):
        x: list[float | None] = []
        y: list[float | None] = []
        for number, twig in enumerate(twigs):
            if (number in on_path) == bold:
                start = heights[twig.parent] if twig.parent >= 0 else _middle(twigs, heights)
                x += [twig.step, twig.step + 1, None]
                y += [start, heights[number], None]
        line = {"color": TRAIN.light if bold else NEUTRAL.light, "width": 3 if bold else 1}
        figure.add_scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False, name=name)
    # Only the room to the right of a last token is free: those of one step stand closely below each other.
    parents = {twig.parent for twig in twigs}
    colours = dict(zip(states, (TRAIN.light, CROSS.light, NEUTRAL.light), strict=False))
    for state, label in states.items():
        found = [number for number, twig in enumerate(twigs) if twig.state == state]
        figure.add_scatter(
            x=[twigs[number].step + 1 for number in found],
            y=[heights[number] for number in found],
            text=[plain(twigs[number].text) for number in found],
            customdata=[html.escape(twigs[number].note, quote=False) for number in found],
            mode="markers+text",
            textposition=["top center" if number in parents else "middle right" for number in found],
            textfont={"size": 10},
            marker={"color": colours[state], "size": 7},
            hovertemplate="%{text}: %{customdata}<extra></extra>",
            name=label,
        )
    quiet_layout(figure, x="new token", y="")
    figure.update_layout(hovermode="closest")
    figure.update_yaxes(visible=False)
    steps = max(twig.step for twig in twigs) + 1
    room = [-0.3, steps + max(0.8, 0.12 * steps)]
    figure.update_layout(xaxis=axis("new token", showgrid=False, tick0=0, dtick=-(-steps // 20), range=room))
    return figure


def _heights(twigs: Sequence[Twig]) -> list[float]:
    """Where each twig stands: leaves on lines of their own, in the order of a walk, a parent midway of its children."""
    children: dict[int, list[int]] = {}
    for number, twig in enumerate(twigs):
        children.setdefault(twig.parent, []).append(number)
    heights = [0.0] * len(twigs)
    waiting, line = list(reversed(children.get(-1, []))), 0
    walked = []
    while waiting:
        number = waiting.pop()
        walked.append(number)
        waiting += reversed(children.get(number, []))
        if number not in children:
            heights[number] = float(-line)
            line += 1
    for number in reversed(walked):
        if number in children:
            below = [heights[child] for child in children[number]]
            heights[number] = sum(below) / len(below)
    return heights


def _middle(twigs: Sequence[Twig], heights: Sequence[float]) -> float:
    first = [heights[number] for number, twig in enumerate(twigs) if twig.parent < 0]
    return sum(first) / len(first)


def _gaps(values: Float[np.ndarray, "token"]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
