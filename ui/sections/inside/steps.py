"""The pictures of a step: each of its tables drawn, with what every cell says when it is pointed at."""

from collections.abc import Sequence
from dataclasses import dataclass

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
NUMBER_ROWS, KEY_ROWS, MORE_ROWS = 3, 5, 2
"""The height, in rows, of a table of one row with numbers on it, of one whose columns have keys for labels, and of each
further row of that: the numbers stand upright where they are many, and the labels below need room."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StepPicture:
    """A table and the figure that shows it."""

    table: StepTable
    figure: go.Figure
    height: int
    """In rows."""

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
    tables = [table for table in step.tables if table.rows]
    return DrawnStep(step=step, pictures=tuple(_picture(table, table.columns or keys, kind) for table in tables))


def _picture(table: StepTable, columns: Sequence[str], kind: SiteKind) -> StepPicture:
    """Rows of cells; rows of one number for each column have the columns' labels below and the numbers on them."""
    colour = COLOURS.get(table.role, HEAD_COLOURS[kind])
    is_by_key = bool(table.rows[0].keys)
    shows_numbers = is_by_key or table.shows_numbers
    figure = rows_figure(
        [row.values for row in table.rows],
        [row.label for row in table.rows],
        [_hover(row, columns) for row in table.rows],
        [colour] * len(table.rows),
        x=(table.axis or _("key")) if is_by_key else _("dimension"),
        columns=columns if is_by_key else (),
        scaled_by_row=table.is_scaled_by_row,
        shows_numbers=shows_numbers,
        is_tall=shows_numbers,
    )
    rows = NUMBER_ROWS if shows_numbers else len(table.rows)
    height = KEY_ROWS + MORE_ROWS * (len(table.rows) - 1) if is_by_key else rows
    return StepPicture(table=table, figure=figure, height=height)


def _hover(row: Row, columns: Sequence[str]) -> HoverText | tuple[str, ...]:
    summary = row.summary()
    text = HoverText(template=summary.template, numbers=summary.numbers, token=row.token)
    # A masked key's number is minus infinity, which no blank of plotly's can show.
    return text.texts(row.values, row.keys, columns) if row.keys else text
