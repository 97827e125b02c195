"""A step on a token's way: symbol and formula, tables of numbers that can each be derived, and the lines of code.

A step is a function of StepInputs (a head's) or of TokenInputs (feed-forward layer, stream, output), in a module of its
own. The page renders any step: a new stage of the walk-through is one more such module, entered in walkthrough.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float

from playground.lens.inspect.steps.code_lines import CodeReference
from playground.lens.inspect.steps.derivation import Derivation, Number, Summary
from playground.lens.inspect.steps.vectors import Vector

if TYPE_CHECKING:
    from playground.lens.inspect.steps.head import HeadInside

Role = Literal["stream", "query", "key", "value", "head"]
"""What a table's numbers are, which gives them their colour."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StepInputs:
    """What the steps are made from: one head at one query token, and what is listed of it."""

    head: "HeadInside"
    keys: tuple[int, ...]
    """The keys that have rows of their own; sums run over all keys."""
    key_labels: Sequence[str]
    """Of every key."""
    query_label: str
    dimension: int
    """The dimension to trace: its row of each matrix is listed."""

    @property
    def labels(self) -> list[str]:
        """The labels of the listed keys."""
        return [self.key_labels[key] for key in self.keys]


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """A row of a table: a vector, or (keys set) one number for each listed key."""

    symbol: str
    index: int = 0
    label: str
    vector: Vector
    token: str = ""
    """The label of the token that the vector belongs to."""
    keys: tuple[int, ...] = ()
    """The columns of the vector that are listed; all where it is empty."""

    @property
    def values(self) -> Float[np.ndarray, "column"]:
        """The numbers as they are listed."""
        return self.vector.values[list(self.keys)] if self.keys else self.vector.values

    def summary(self) -> Summary:
        """How each listed number came about, in one sentence."""
        summary = self.vector.summary()
        return Summary(template=summary.template, numbers=summary.numbers[list(self.keys)]) if self.keys else summary

    def number(self, column: int) -> Number | None:
        """The name of the number in a column; None where there is none."""
        if not 0 <= column < len(self.values):
            return None
        if self.keys:
            return Number(symbol=self.symbol, index=self.keys[column])
        return Number(symbol=self.symbol, index=self.index, column=column)

    def column(self, number: Number) -> int | None:
        """Where a number is listed; None where it is not in this row."""
        if number.symbol != self.symbol:
            return None
        if self.keys:
            return self.keys.index(number.index) if number.index in self.keys else None
        return number.column if number.index == self.index and number.column < len(self.values) else None

    def derive(self, column: int) -> Derivation:
        """The derivation of the number in a column."""
        return self.vector.derive(self.keys[column] if self.keys else column)


@dataclass(frozen=True, kw_only=True, eq=False)
class StepTable:
    """Rows that are shown together; the rows share one scale unless each is scaled by itself."""

    label: str
    rows: tuple[Row, ...]
    role: Role
    is_scaled_by_row: bool = False
    shows_numbers: bool = False
    """Whether each number stands on its cell; tables with one number for each key always show them."""
    columns: tuple[str, ...] = ()
    """What the listed columns are called, where they are no keys: neurons, tokens of the vocabulary, layers."""
    axis: str = ""
    """What these columns are."""

    def cell(self, number: Number) -> tuple[int, int] | None:
        """Row and column of a number; None where it is not in this table."""
        cells = ((index, row.column(number)) for index, row in enumerate(self.rows))
        return next(((index, column) for index, column in cells if column is not None), None)

    def number(self, row: int, column: int) -> Number | None:
        """The name of the number in a cell; None where there is none."""
        return self.rows[row].number(column) if row < len(self.rows) else None


@dataclass(frozen=True, kw_only=True, eq=False)
class InsideStep:
    """One step of a token's way through the model."""

    name: str
    """As it stands in an address."""
    title: str
    formula: str
    r"""LaTeX; \q, \k and \v stand for query, key and value, which a page shows in their colours."""
    explanation: str
    tables: tuple[StepTable, ...]
    code: tuple[CodeReference, ...]


def key_table(inputs: StepInputs, symbol: str, vector: Vector, label: str) -> StepTable:
    """A table of one row with one number for each listed key."""
    return StepTable(label=label, rows=(Row(symbol=symbol, label="", vector=vector, keys=inputs.keys),), role="head")
