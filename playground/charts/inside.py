"""The numbers of a head, drawn: vectors as rows of cells, scores by key, maps, curves by distance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from playground.charts.heatmap import CLEAR, largest_magnitude
from playground.charts.layout import lay_out, name_ticks, quiet_layout, token_label
from playground.charts.palette import NEUTRAL, Colour, series_look
from playground.text import _, true_minus

STRONGEST = 0.75
"""Cells let the page through a little, so that numbers on them can be read in the page's own colour."""


NAME_LENGTH = 14
"""Of a column's name; a longer one is cut."""


class _Blank:
    """A blank of a template as plotly writes it: {1:d} is a whole number, {1} one of three digits."""

    def __init__(self, index: int) -> None:
        self._index = index

    def __format__(self, spec: str) -> str:
        return f"%{{customdata[{self._index}]{'' if spec == 'd' else ':.3~g'}}}"


@dataclass(frozen=True, kw_only=True, eq=False)
class HoverText:
    """What the cells of a row say: one template, and each cell's own numbers, which alone travel with each cell.

    {value} and {column} are the cell's number and its position; {0}, {1:d}, … are numbers from its row of `numbers`.
    """

    template: str
    numbers: Float[np.ndarray, "column blank"]
    token: str = ""
    """The token that the row belongs to."""

    def as_plotly(self) -> dict[str, object]:
        """A hovertemplate, and an array, which it takes much faster than lists."""
        blanks = map(_Blank, range(self.numbers.shape[1]))
        text = self.template.format(*blanks, value="%{z:.3~g}", column="%{x}")
        # A per cent sign in a token would begin one of plotly's own blanks.
        token = f"{token_label(self.token).replace('%', '&#37;')}: " if self.token else ""
        return {
            "customdata": five_digits(self.numbers)[None] if self.numbers.size else None,
            "hovertemplate": f"{token}{text}<extra></extra>",
        }

    def texts(
        self, values: Float[np.ndarray, "column"], columns: Sequence[int], tokens: Sequence[str]
    ) -> tuple[str, ...]:
        """The text of each cell, where each has a token and a position of its own."""
        return tuple(
            f"{token_label(token)}: "
            + self.template.format(*map(_Spoken, numbers), value=short_number(value), column=column)
            for token, value, column, numbers in zip(tokens, values, columns, self.numbers, strict=True)
        )


class _Spoken(float):
    """A number that a template shows in three digits, or {0:d} as a whole one."""

    def __format__(self, spec: str) -> str:
        return str(int(self)) if spec == "d" else short_number(self)


def five_digits(numbers: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Numbers with five digits, more than are shown: shorter on their way to the browser.

    >>> five_digits(np.array([123456.0, -0.000123456, 0.0, 7.0])).tolist()
    [123460.0, -0.00012346, 0.0, 7.0]
    """
    numbers = np.asarray(numbers, dtype=float)
    sizes = np.floor(np.log10(np.where(np.isfinite(numbers) & (numbers != 0), np.abs(numbers), 1.0)))
    scale = 10.0 ** (4 - sizes)
    return np.asarray(np.round(numbers * scale) / scale)


def rows_figure(
    values: Sequence[Float[np.ndarray, "column"]],
    rows: Sequence[str],
    hover: Sequence[Sequence[str] | HoverText],
    colours: Sequence[Colour],
    *,
    x: str,
    columns: Sequence[str] = (),
    scaled_by_row: bool = False,
    shows_numbers: bool = False,
    is_tall: bool = False,
) -> go.Figure:
    """Vectors below each other, a cell for each number: positive in the row's colour, negative grey.

    The strongest colour is the largest number of all rows, or of each row where they are scaled by row. columns name
    the cells, which are numbered otherwise. Rows may differ in length. is_tall: a row has room for upright numbers.
    """
    figure = go.Figure()
    largest = max((largest_magnitude(row) for row in values), default=1.0)
    for index, (row, name, text, colour) in enumerate(zip(values, rows, hover, colours, strict=True)):
        bound = largest_magnitude(row) if scaled_by_row else largest
        figure.add_heatmap(
            z=np.asarray(row)[None],
            x=list(range(len(row))),
            y0=index,
            dy=1,
            name=token_label(name),
            **(text.as_plotly() if isinstance(text, HoverText) else _texts_as_plotly(text)),
            colorscale=[[0, NEUTRAL.light], [0.5, CLEAR], [1, colour.light]],
            zmin=-bound,
            zmax=bound,
            opacity=STRONGEST,
            showscale=False,
            ygap=2,
            xgap=1 if len(row) <= 64 else 0,
        )
    if shows_numbers:
        _write_numbers(figure, values, is_tall=is_tall)
    _lay_out_rows(figure, values, rows, columns, x)
    return figure


def _lay_out_rows(
    figure: go.Figure,
    values: Sequence[Float[np.ndarray, "column"]],
    rows: Sequence[str],
    columns: Sequence[str],
    x: str,
) -> None:
    quiet_layout(figure, x=x, y="")
    few = {"dtick": 1} if max(map(len, values), default=0) <= 16 else {}
    named = name_ticks([_cut(name) for name in columns]) if len(columns) else few
    y = {"showgrid": False, "range": [len(rows) - 0.5, -0.5], "showticklabels": any(rows)}
    changes = {
        "showlegend": False,
        "hovermode": "closest",
        "margin": {"l": 20, "r": 14, "t": 6, "b": 40},
        "xaxis": {**named, "showgrid": False},
        "yaxis": {**name_ticks(rows), **y, "ticks": "outside" if any(rows) else ""},
    }
    lay_out(figure, changes)


def _cut(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…"


def _texts_as_plotly(texts: Sequence[str]) -> dict[str, object]:
    return {"hovertext": [list(texts)], "hovertemplate": "%{hovertext}<extra></extra>"}


def _write_numbers(figure: go.Figure, values: Sequence[Float[np.ndarray, "column"]], *, is_tall: bool) -> None:
    """Each number on its cell, in the page's colour; with fewer digits where the browser has less room."""
    cells = [(column, row) for row, numbers in enumerate(values) for column in range(len(numbers))]
    numbers = [float(values[row][column]) for column, row in cells]
    figure.add_scatter(
        x=[cell[0] for cell in cells],
        y=[cell[1] for cell in cells],
        text=[short_number(number) for number in numbers],
        mode="text",
        meta={
            "columns": max(map(len, values), default=1),
            "shorter": [shortest_number(number) for number in numbers],
            "upright": is_tall,
        },
        hoverinfo="skip",
    )


def short_number(value: float) -> str:
    """A number in three digits, with a true minus sign.

    >>> short_number(-0.12345), short_number(float("-inf"))
    ('−0.123', '−∞')
    """
    return true_minus(f"{float(value):.3g}".replace("inf", "∞"))


def shortest_number(value: float) -> str:
    """A number in two digits and few letters, for a narrow cell.

    >>> shortest_number(-0.12345), shortest_number(1234.0), shortest_number(0.00001234)
    ('−.12', '1e3', '1e-5')
    """
    if not np.isfinite(value) or value == 0:
        return short_number(value)
    size = abs(value)
    if 0.01 <= size < 999.5:
        text = f"{size:.2g}" if size < 99.5 else f"{size:.0f}"
        text = text.removeprefix("0")
    else:
        mantissa, _letter, exponent = f"{size:.0e}".partition("e")
        text = f"{mantissa}e{int(exponent)}"
    return f"−{text}" if value < 0 else text


def distance_figure(
    distances: Int[np.ndarray, "distance"], curves: Float[np.ndarray, "curve distance"], names: Sequence[str], *, y: str
) -> go.Figure:
    """One curve, or one for each head, by the distance from key to query."""
    figure = go.Figure()
    for index, (curve, name) in enumerate(zip(curves, names, strict=True)):
        colour, dash = series_look(index)
        figure.add_scatter(
            x=list(distances),
            y=list(curve),
            mode="lines",
            name=name,
            line={"color": colour, "width": 2, "dash": dash},
            hovertemplate="%{y:.4f}",
        )
    quiet_layout(figure, x=_("distance (tokens from key to query)"), y=y)
    figure.update_layout(showlegend=1 < len(curves) <= 12)
    return figure


def width_figure(
    widths: Sequence[int], curves: Mapping[str, Float[np.ndarray, "width"]], *, x: str, y: str, log_y: bool = False
) -> go.Figure:
    """Curves by name over widths that double; log_y: powers of ten, and from 0 else."""
    figure = go.Figure()
    for index, (name, values) in enumerate(curves.items()):
        colour, dash = series_look(index)
        line = {"color": colour, "width": 2, "dash": dash}
        figure.add_scatter(x=list(widths), y=list(values), mode="lines+markers", name=name, line=line)
    quiet_layout(figure, x=x, y=y, log_x=True, log_y=log_y)
    figure.update_xaxes(tickvals=list(widths), ticktext=[str(width) for width in widths], minor=None)
    if not log_y:
        figure.update_yaxes(rangemode="tozero")
    return figure
