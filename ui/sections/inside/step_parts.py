"""What a step of the story is made of: a formula, pictures whose cells are numbers with names, lines of code."""

from dataclasses import dataclass

import plotly.graph_objects as go

from playground.lens.inspect.steps.accounts import Number
from playground.lens.inspect.steps.code_lines import Step
from ui.components.live_chart import Cell


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A chart with its height in rows and what it shows, in words.

    cells: of each row of cells the symbol of its numbers and the token or row they belong to. keys: where the one row
    has a number for each key, which keys these are.
    """

    figure: go.Figure
    rows: int
    label: str
    cells: tuple[tuple[str, int], ...]
    keys: tuple[int, ...] = ()

    def number(self, cell: Cell) -> Number | None:
        """The number in a cell; None where there is none."""
        row, _line, column = cell
        if row >= len(self.cells) or (self.keys and column >= len(self.keys)):
            return None
        symbol, index = self.cells[row]
        return (
            Number(symbol=symbol, index=self.keys[column])
            if self.keys
            else Number(symbol=symbol, index=index, place=column)
        )

    def cell(self, number: Number) -> Cell | None:
        """Where a number stands; None where it is not in this picture."""
        if self.keys:
            is_here = self.cells[0][0] == number.symbol and number.index in self.keys
            return (0, 0, self.keys.index(number.index)) if is_here else None
        name = (number.symbol, number.index)
        if name not in self.cells:
            return None
        row = self.cells.index(name)
        return (row, 0, number.place) if number.place < len(self.figure.data[row].z[0]) else None


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A step: its formula in LaTeX, sentences, pictures, and the steps of our transformer that compute it."""

    name: str
    title: str
    formula: str
    sentence: str
    pictures: tuple[Picture, ...]
    code: tuple[Step, ...]
