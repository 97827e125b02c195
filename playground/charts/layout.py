"""The layout that all charts share: thin axes with units, light grid, values on hover; tokens as labels."""

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from math import log10
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from playground.charts.palette import NEUTRAL, translucent

GRID = "rgba(107, 114, 128, 0.18)"
TEXT = "#4b5563"
SMALLEST_TEXT = 11
"""Of a chart, in pixels; the live chart's style sheet enlarges what plotly writes smaller."""
LOG_TICKS = 5


def quiet_layout(figure: go.Figure, *, x: str, y: str, log_x: bool = False, log_y: bool = False) -> go.Figure:
    """Style a figure of one panel; x, y: what the axes show, with units."""
    style = {
        "margin": {"l": 56, "r": 14, "t": 34, "b": 44},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"size": 12, "color": TEXT},
        "hovermode": "x unified",
        "hoverlabel": {"namelength": -1},
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "xaxis": axis(x, log=log_x),
        "yaxis": axis(y, log=log_y),
    }
    lay_out(figure, style)
    return figure


def lay_out(figure: go.Figure, changes: Mapping[str, Any]) -> None:
    """Set these parts of the layout, and no template of plotly's, as `update_layout` in several times as long."""
    # The template goes first: plotly validates each of its parts.
    figure.layout = _merged(figure.layout.to_plotly_json(), {**changes, "template": None})
    figure.update_layout(template=None)


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    nested = {key: _merged(old[key], value) for key, value in new.items() if isinstance(value, dict) and key in old}
    return {**old, **new, **nested}


def axis(title: str, *, log: bool = False, **more: Any) -> dict[str, Any]:
    """An axis with a title; a logarithmic one shows powers of ten.

    With more ticks than LOG_TICKS, plotly names each of 2 to 9 between two powers where there is little room.
    """
    ticks = {"exponentformat": "power", "nticks": LOG_TICKS, "minor": {"ticks": "outside", "ticklen": 3}} if log else {}
    return {
        "title": {"text": title, "standoff": 8},
        "type": "log" if log else "linear",
        "showgrid": True,
        "gridcolor": GRID,
        "zeroline": False,
        "showline": False,
        "automargin": True,
        **ticks,
        **more,
    }


def level(figure: go.Figure, value: float, text: str, *, log: bool = False) -> None:
    """Add a labelled horizontal line, such as a task's entropy; nothing at or below 0 on a log axis.

    On a logarithmic axis plotly positions shapes by value but annotations by the value's logarithm.
    """
    if log and value <= 0:
        return
    figure.add_shape(
        type="line",
        xref="x domain",
        x0=0,
        x1=1,
        y0=value,
        y1=value,
        line={"color": NEUTRAL.light, "width": 1, "dash": "dot"},
    )
    figure.add_annotation(
        xref="x domain",
        x=1,
        y=log10(value) if log else value,
        xanchor="right",
        yanchor="bottom",
        text=text,
        font={"color": NEUTRAL.light, "size": SMALLEST_TEXT},
        showarrow=False,
    )


def fill_between(
    figure: go.Figure,
    x: Float[np.ndarray, " point"],
    low: Float[np.ndarray, " point"],
    high: Float[np.ndarray, " point"],
    *,
    colour: str,
    name: str,
    group: str,
) -> None:
    """Fill the area between a curve's low and high edge; it comes and goes with its group in the legend."""
    figure.add_scatter(
        x=[*x.tolist(), *x[::-1].tolist()],
        y=[*low.tolist(), *high[::-1].tolist()],
        mode="lines",
        line={"width": 0, "color": colour},
        fill="toself",
        fillcolor=translucent(colour),
        name=name,
        legendgroup=group,
        showlegend=False,
        hoverinfo="skip",
    )


_MARKS = {"\n": "↵", "\t": "⇥", "\r": "␍", "\u00a0": "⍽", "\u3000": "□"}
_SHAPELESS = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Unicode's Default_Ignorable_Code_Point, the empty braille pattern and the marks of annotations."""
_JOINS = re.compile("[\u034f\u180b-\u180f\u200c\u200d\ufe00-\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef]")
"""Those that change the character before them: joiners, variation selectors, the tags of a flag."""


def mark_spaces(text: str) -> str:
    """A token with visible line ends, tabs, and spaces at its edges; what has no shape is written as its code.

    >>> mark_spaces(" a\\n"), mark_spaces("\\u200b")
    ('␣a↵', '‹200b›')
    """
    inner = text.strip(" ")
    before, after = (text.partition(inner)[::2]) if inner else (text, "")
    return "␣" * len(before) + "".join(_marked_characters(inner)) + "␣" * len(after)


def _marked_characters(text: str) -> Iterator[str]:
    is_joined = False  # whether the character before has a shape
    for character in text:
        is_kept = is_joined and _JOINS.fullmatch(character) is not None
        mark = _MARKS.get(character)
        if mark is None and not is_kept and _is_invisible(character):
            mark = f"‹{ord(character):x}›"
        is_joined = mark is None and character != " "
        yield mark or character


def _is_invisible(character: str) -> bool:
    is_blank = character != " " and unicodedata.category(character) in ("Cc", "Zs", "Zl", "Zp")
    return is_blank or _SHAPELESS.fullmatch(character) is not None


def token_label(text: str, length: int | None = None) -> str:
    """A token as a chart label: visible spaces, no markup for plotly to read, at most `length` characters.

    >>> token_label(" <s>"), token_label("a long word indeed", 12)
    ('␣&lt;s&gt;', 'a long word…')
    """
    marked = mark_spaces(text)
    if length is not None and len(marked) > length:
        marked = marked[: length - 1].rstrip() + "…"
    return html.escape(marked, quote=False)


def name_ticks(names: Sequence[str]) -> dict[str, object]:
    """An axis of named cells at 0, 1, 2, …"""
    return {
        "tickmode": "array",
        "tickvals": list(range(len(names))),
        "ticktext": [token_label(name) for name in names],
    }
