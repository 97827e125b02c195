"""Charts of the page Tokens: merges as a tree, pieces over a word, costs of languages, the embedding space, layers."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from playground.charts.heatmap import axis_label, table_height, table_layout
from playground.charts.layout import axis, name_ticks, quiet_layout, token_label
from playground.charts.palette import HELD_OUT, NEUTRAL, TRAIN, series_look
from playground.text import _

ROW, FRAME, TALLEST = 26, 90, 720
"""Pixels of a row of pieces, of what is around them, and of the tallest picture."""
LEAST_SYMBOL = 26
"""Pixels of a symbol below a tree; a narrow page scrolls."""
LABEL_LENGTH = 18
_BAR = 0.72


def merge_figure(symbols: Sequence[str], merges: Sequence[tuple[int, int, str]], steps: Sequence[int]) -> go.Figure:
    """A pre-token's merges as a tree: symbols below, one bracket for each merge, the first ones lowest.

    merges: of each the first symbol, the one behind its last, and the result; steps: their numbers, in order.
    """
    figure = go.Figure()
    x, y, joints, is_final = _brackets(len(symbols), merges)
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": NEUTRAL.light, "width": 1.5}, hoverinfo="skip")
    _add_labels(figure, [(float(index), 0.0) for index in range(len(symbols))], symbols, NEUTRAL.light, "bottom center")
    names = [
        _("merge {step}: {piece}").format(step=step, piece=token_label(result))
        for step, (_s, _e, result) in zip(steps, merges, strict=True)
    ]
    # A line goes up from a piece that is merged again: its name stands beside it.
    for final, position in ((True, "top center"), (False, "top right")):
        kept = [index for index in range(len(joints)) if is_final[index] == final]
        texts = [merges[index][2] for index in kept]
        points = [joints[index] for index in kept]
        _add_labels(figure, points, texts, TRAIN.light, position, hover=[names[index] for index in kept])
    quiet_layout(figure, x="", y=_("merge"))
    height = min(TALLEST, FRAME + ROW * (len(merges) + 2))
    figure.update_layout(hovermode="closest", showlegend=False, height=height, margin={"t": 12, "b": 20})
    figure.update_xaxes(visible=False, range=[-0.7, len(symbols) - 0.3])
    ticks = {"tickmode": "array", "tickvals": list(range(1, len(merges) + 1)), "ticktext": list(map(str, steps))}
    figure.update_yaxes(**(ticks if len(merges) <= 30 else {}), range=[-1.1, len(merges) + 1], showgrid=False)
    return figure


def _brackets(
    symbols: int, merges: Sequence[tuple[int, int, str]]
) -> tuple[list[float | None], list[float | None], list[tuple[float, float]], list[bool]]:
    """The lines' x and y, where each merge's bracket has its middle, and whether no later merge takes it."""
    tops = {index: (float(index), 0.0) for index in range(symbols)}
    x: list[float | None] = []
    y: list[float | None] = []
    joints: list[tuple[float, float]] = []
    is_final: list[bool] = []
    owners: dict[int, int] = {}
    for height, (start, end, _result) in enumerate(merges, 1):
        inside = sorted(index for index in tops if start <= index < end)
        (left, left_height), (right, right_height) = tops[inside[0]], tops[inside[-1]]
        x += [left, left, right, right, None]
        y += [left_height, height, height, right_height, None]
        for index in inside[1:]:
            del tops[index]
        for index in inside:
            if index in owners:
                is_final[owners[index]] = False
        tops[start], owners[start] = ((left + right) / 2, float(height)), len(joints)
        joints.append(tops[start])
        is_final.append(True)
    return x, y, joints, is_final


def _add_labels(
    figure: go.Figure,
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    colour: str,
    position: str,
    hover: Sequence[str] = (),
) -> None:
    """Marks with a text each."""
    labels = [token_label(text, LABEL_LENGTH) for text in texts]
    figure.add_scatter(
        x=[x for x, _y in points],
        y=[y for _x, y in points],
        text=labels,
        customdata=list(hover) or labels,
        mode="markers+text",
        textposition=position,
        textfont={"size": 12},
        marker={"size": 5, "color": colour},
        hovertemplate="%{customdata}<extra></extra>",
    )


def pieces_figure(
    characters: Sequence[str],
    pieces: Sequence[tuple[int, int, str, str]],
    chosen: Sequence[bool],
    *,
    names: tuple[str, str],
    in_order: bool,
) -> go.Figure:
    """Pieces as bars over the characters that they cover; chosen ones in colour.

    pieces: first character, the one behind the last, spelling, and what is said on pointing at it. names: of the chosen
    and of the other ones. in_order: one row for each piece, from the top; otherwise as few rows as they fit into.
    """
    rows = list(range(len(pieces))) if in_order else _packed_rows(pieces)
    figure = go.Figure()
    for is_chosen, colour, name in ((True, TRAIN.light, names[0]), (False, NEUTRAL.light, names[1])):
        shown = [index for index in range(len(pieces)) if chosen[index] == is_chosen]
        figure.add_bar(
            x=[pieces[index][1] - pieces[index][0] - 0.06 for index in shown],
            base=[pieces[index][0] - 0.47 for index in shown],
            y=[rows[index] for index in shown],
            orientation="h",
            width=_BAR,
            marker={"color": colour, "opacity": 0.5 if is_chosen else 0.25},
            customdata=[escape(pieces[index][3], quote=False) for index in shown],
            hovertemplate="%{customdata}<extra></extra>",
            name=name,
        )
    _write_pieces(figure, pieces, rows)
    count = max(rows, default=0) + 1
    quiet_layout(figure, x=_("character"), y="")
    figure.update_layout(barmode="overlay", hovermode="closest", height=min(TALLEST, FRAME + ROW * count))
    ticks = name_ticks(characters) if len(characters) <= 48 else {}
    figure.update_xaxes(ticks, showgrid=False, range=[-0.6, len(characters) - 0.4])
    figure.update_yaxes(visible=False, range=[count - 0.4, -0.6])
    return figure


def _write_pieces(figure: go.Figure, pieces: Sequence[tuple[int, int, str, str]], rows: Sequence[int]) -> None:
    figure.add_scatter(
        x=[(start + end - 1) / 2 for start, end, _spelling, _said in pieces],
        y=list(rows),
        text=[token_label(spelling, LABEL_LENGTH) for _start, _end, spelling, _said in pieces],
        mode="text",
        textfont={"size": 12},
        hoverinfo="skip",
        showlegend=False,
    )


def _packed_rows(pieces: Sequence[tuple[int, int, str, str]]) -> list[int]:
    """The first row with room for each piece, short pieces first."""
    order = sorted(range(len(pieces)), key=lambda index: (pieces[index][1] - pieces[index][0], pieces[index][0]))
    taken: list[list[tuple[int, int]]] = []
    rows = [0] * len(pieces)
    for index in order:
        start, end = pieces[index][:2]
        free = (row for row, spans in enumerate(taken) if all(end <= first or last <= start for first, last in spans))
        rows[index] = next(free, len(taken))
        taken += [[]] if rows[index] == len(taken) else []
        taken[rows[index]].append((start, end))
    return rows


def language_figure(languages: Sequence[str], costs: Mapping[str, Sequence[float]]) -> go.Figure:
    """Tokens per character of each language, one bar for each model; NaN for what a vocabulary does not cover."""
    figure = go.Figure()
    for index, (model, values) in enumerate(costs.items()):
        figure.add_bar(
            x=[None if value != value else value for value in values],
            y=[axis_label(language) for language in languages],
            name=model,
            orientation="h",
            marker={"color": series_look(index)[0]},
            hovertemplate=f"{escape(model)}<br>%{{y}}: %{{x:.3f}}<extra></extra>",
        )
    table_layout(figure, x=_("tokens per character"), y="", height=table_height(len(languages) * max(1, len(costs))))
    legend = {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"}
    figure.update_layout(showlegend=len(costs) > 1, barmode="group", bargap=0.25, legend=legend)
    figure.update_yaxes(type="category", showgrid=False, autorange="reversed", dtick=1)
    return figure


def projection_figure(
    points: Float[np.ndarray, "point 2"], labels: Sequence[str], marked: int, explained: tuple[float, float]
) -> go.Figure:
    """Tokens in the plane; the first `marked` ones, the text's, named and in colour."""
    figure = go.Figure()
    shown = [token_label(label, 40) for label in labels]
    for first, last, name, colour, size in (
        (marked, len(labels), _("vocabulary"), NEUTRAL.light, 4),
        (0, marked, _("the text's tokens"), HELD_OUT.light, 8),
    ):
        is_text = first == 0
        figure.add_scatter(
            x=points[first:last, 0],
            y=points[first:last, 1],
            text=[token_label(label, LABEL_LENGTH) for label in labels[first:last]] if is_text else None,
            customdata=shown[first:last],
            mode="markers+text" if is_text else "markers",
            textposition="top center",
            textfont={"size": 12},
            marker={"color": colour, "size": size, "opacity": 1.0 if is_text else 0.45},
            hovertemplate="%{customdata}<extra></extra>",
            name=name,
        )
    title = _("component {number} ({share:.1%} of the variance)")
    quiet_layout(figure, x=title.format(number=1, share=explained[0]), y=title.format(number=2, share=explained[1]))
    figure.update_layout(hovermode="closest")
    return figure


def word_levels_figure(
    curves: Mapping[str, Float[np.ndarray, "level"]], others: Float[np.ndarray, "level"]
) -> go.Figure:
    """Cosines of a word's states over the layers, and those of other tokens, grey and dotted."""
    figure = go.Figure()
    levels = list(range(len(others)))
    for index, (name, values) in enumerate(curves.items()):
        colour, dash = series_look(index)
        figure.add_scatter(
            x=levels,
            y=values,
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2, "dash": dash},
            marker={"size": 6},
            hovertemplate="%{y:.4f}",
        )
    figure.add_scatter(
        x=levels,
        y=others,
        name=_("other tokens, mean"),
        mode="lines",
        line={"color": NEUTRAL.light, "width": 2, "dash": "dot"},
        hovertemplate="%{y:.4f}",
    )
    quiet_layout(figure, x=_("after layer (0: embedding)"), y=_("cosine"))
    lowest = min(0.0, *(float(np.nanmin(values)) for values in curves.values()), *np.nan_to_num(others).tolist())
    figure.update_yaxes(range=[lowest - 0.05, 1.03])
    figure.update_layout(xaxis=axis(_("after layer (0: embedding)"), dtick=max(1, len(levels) // 12)))
    return figure
