"""The pictures of a step: each of its tables drawn, with what every cell says when it is pointed at."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import plotly.graph_objects as go

from playground.charts.inside import HoverText, rows_figure
from playground.charts.palette import CROSS, DECODER, ENCODER, KEY, QUERY, TRAIN, VALUE, Colour
from playground.lens.capture.site import SiteKind
from playground.lens.inspect.steps.derivation import Number
from playground.lens.inspect.steps.step import InsideStep, Row, StepInputs, StepTable
from playground.lens.inspect.steps.walkthrough import walkthrough
from playground.text import _
from ui.components.live_chart import Cell

COLOURS: dict[str, Colour] = {"stream": TRAIN, "query": QUERY, "key": KEY, "value": VALUE}
HEAD_COLOURS: dict[SiteKind, Colour] = {"encoder": ENCODER, "decoder": DECODER, "cross": CROSS}
STRIP_ROWS, MOST_NUMBERS = 3, 20
"""The rows of a strip, and the columns that upright numbers leave room for in half of the width."""
NUMBER_ROWS, MORE_ROWS, LABEL_ROWS, SHORT = 3, 2, 2, 6
"""The height, in rows, of a table of one row with numbers on it, of each further row, and of labels longer than SHORT
below: numbers stand upright where they are many, and labels aslant."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StepPicture:
    """A table and the figure that shows it."""

    table: StepTable
    figure: go.Figure
    index: int
    """Of the table, or of the first of those that were put together, in the step."""
    height: int
    """In rows."""
    shows_numbers: bool
    """Whether each number stands on its cell."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.table.rows), len(self.table.rows[0].values)

    def stands_beside(self, other: "StepPicture") -> bool:
        """Whether both fit side by side: several rows each, of as many columns or of few with numbers on them."""
        (rows, columns), (other_rows, other_columns) = self.shape, other.shape
        if not rows == other_rows > 1:
            return False
        if self.shows_numbers and other.shows_numbers:
            return max(columns, other_columns) <= MOST_NUMBERS
        return columns == other_columns and rows > STRIP_ROWS

    def number(self, cell: Cell) -> Number | None:
        """The number in a cell; None where there is none."""
        row, _line, column = cell
        return self.table.number(row, column)

    def cell(self, number: Number) -> Cell | None:
        """Where a number stands; None where it is not in this picture."""
        cell = self.table.cell(number)
        return None if cell is None else (cell[0], 0, cell[1])


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnStep:
    """A step with its pictures."""

    step: InsideStep
    pictures: tuple[StepPicture, ...]


def draw_steps(inputs: StepInputs) -> list[DrawnStep]:
    """Every step of a head, drawn."""
    return [draw_step(step, inputs.labels, inputs.head.kind) for step in walkthrough(inputs)]


def draw_step(step: InsideStep, keys: Sequence[str], kind: SiteKind) -> DrawnStep:
    """A step with its pictures. keys: the labels of the listed keys, for tables that have none of their own."""
    numbered = [(index, table) for index, table in enumerate(step.tables) if table.rows]
    # What is no strip stands alone, also behind its like.
    groups = groupby(numbered, key=lambda entry: (_strip_length(entry[1]), 0 if _strip_length(entry[1]) else entry[0]))
    return DrawnStep(step=step, pictures=tuple(_picture(list(group), keys, kind) for _key, group in groups))


def _strip_length(table: StepTable) -> int:
    """The columns of a matrix row with its input and the products; 0 of any other table."""
    is_strip = table.is_scaled_by_row and len(table.rows) == STRIP_ROWS and not table.columns and not table.rows[0].keys
    return len(table.rows[0].values) if is_strip else 0


def _picture(group: Sequence[tuple[int, StepTable]], keys: Sequence[str], kind: SiteKind) -> StepPicture:
    """Rows of cells; rows of one number for each column have the columns' labels below and the numbers on them.

    group: a table with its index in the step, or strips of one length, which share an axis.
    """
    (index, first), tables = group[0], [table for _index, table in group]
    table = replace(
        first, label=" · ".join(one.label for one in tables), rows=tuple(r for one in tables for r in one.rows)
    )
    columns = table.columns or keys
    is_by_key = bool(table.rows[0].keys)
    shows_numbers = is_by_key or table.shows_numbers
    figure = rows_figure(
        [row.values for row in table.rows],
        [row.label for row in table.rows],
        [_hover(row, columns) for row in table.rows],
        [COLOURS.get(one.role, HEAD_COLOURS[kind]) for one in tables for _row in one.rows],
        x=(table.axis or _("key")) if is_by_key else _("dimension"),
        columns=columns if is_by_key else (),
        scaled_by_row=table.is_scaled_by_row,
        shows_numbers=shows_numbers,
        is_tall=shows_numbers,
    )
    height = NUMBER_ROWS + MORE_ROWS * (len(table.rows) - 1) if shows_numbers else len(table.rows)
    if is_by_key and any(len(column) > SHORT for column in columns):
        height += LABEL_ROWS
    return StepPicture(table=table, figure=figure, index=index, height=height, shows_numbers=shows_numbers)


def _hover(row: Row, columns: Sequence[str]) -> HoverText | tuple[str, ...]:
    summary = row.summary()
    text = HoverText(template=summary.template, numbers=summary.numbers, token=row.token)
    # A masked key's number is minus infinity, which no blank of plotly's can show.
    return text.texts(row.values, row.keys, columns) if row.keys else text
