"""Checkpoints of a task from a table: their losses and the shares right, with the rows named that are left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from playground.csv_table import NumberedRow
from playground.errors import UserError
from playground.scaling.downstream import TaskPoints
from playground.scaling.points_csv import BadRow, column_cells, file_decimal_sign, name_bad
from playground.scaling.table_numbers import parse_cell
from playground.scaling.table_rows import read_table_rows
from playground.text import N_, _

TOGETHER, LENGTH = "exact_match", "answer_length"
"""The column for which all tokens of an answer have to be right, and the one that says how many those are."""
SIZES = ("parameters", "params")
NUMBERS = ("loss", "right", "params", "length")


@dataclass(frozen=True, kw_only=True, eq=False)
class CheckpointTable:
    """The checkpoints of a file, and the rows without a loss or without a share right."""

    points: TaskPoints
    left_out: tuple[BadRow, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Which rows were left out, in a sentence."""
        return (_("Left out: {rows}").format(rows=name_bad(self.left_out)),) if self.left_out else ()


@dataclass(frozen=True, kw_only=True)
class _Checkpoint:
    loss: float
    right: float
    run: str
    params: float
    length: float


def read_task_points(text: str, *, loss: str, right: str) -> CheckpointTable:
    """Checkpoints of a table: a column of losses, one of shares right; run and parameters where there are such columns.

    A column answer_length says how many tokens an exact match judges together. Rows in which loss or share is empty
    are left out. Raises UserError for a missing column, and names the rows that cannot be read.
    """
    lines, delimiter = read_table_rows(text)
    header = [cell.strip() for cell in lines[0][1]]
    index_of = _indices(header, {"loss": loss, "right": right})
    decimal = _decimal(lines[1:], index_of, delimiter)
    found, left_out, bad = [], [], []
    for number, cells in lines[1:]:
        try:
            empty = next((heading for heading in (loss, right) if not cells[header.index(heading)].strip()), None)
            if empty is not None:
                left_out.append(BadRow(row=number, reason=_("{name} is empty").format(name=empty)))
            else:
                found.append(_checkpoint(number, cells, index_of, decimal))
        except IndexError:
            bad.append(BadRow(row=number, reason=_("the row has only {count} cells").format(count=len(cells))))
        except UserError as error:
            bad.append(BadRow(row=number, reason=str(error)))
    if bad:
        singular, plural = N_("{rows} Correct or remove it."), N_("{rows} Correct or remove them.")
        raise UserError(singular if len(bad) == 1 else plural, rows=name_bad(bad))
    return CheckpointTable(points=_points(found, right), left_out=tuple(left_out))


def _indices(header: list[str], wanted: Mapping[str, str]) -> dict[str, int]:
    """Where each column stands; those of run, size and length as far as there are any."""
    for heading in wanted.values():
        if heading not in header:
            listed = ", ".join(header)
            raise UserError("The table has no column {column!r}; it has {columns}.", column=heading, columns=listed)
        if header.count(heading) > 1:
            raise UserError("The header names {heading!r} more than once; rename all but one.", heading=heading)
    size = next((heading for heading in SIZES if heading in header), "")
    columns = {"run": "run", "params": size, "length": LENGTH, **wanted}
    return {name: header.index(heading) for name, heading in columns.items() if heading in header}


def _decimal(rows: Sequence[NumberedRow], index_of: Mapping[str, int], delimiter: str) -> str:
    columns = column_cells([cells for _line, cells in rows], index_of, NUMBERS)
    return file_decimal_sign(columns, delimiter, dict.fromkeys(NUMBERS, 1.0))


def _checkpoint(number: int, cells: list[str], index_of: Mapping[str, int], decimal: str) -> _Checkpoint:
    """The row's numbers. Raises UserError with the reason why it cannot be used."""
    given = {name: cells[index].strip() for name, index in index_of.items() if index < len(cells)}
    numbers = {name: _number(name, given[name], decimal) for name in NUMBERS if given.get(name)}
    if not 0 <= numbers["right"] <= 1:
        raise UserError("the share right is {right:g}, not between 0 and 1", right=numbers["right"])
    run = given.get("run") or f"row {number}"
    return _Checkpoint(run=run, **{"params": 1.0, "length": 1.0, **numbers})


def _number(name: str, cell: str, decimal: str) -> float:
    try:
        return parse_cell(cell, decimal)
    except UserError as error:
        raise UserError("{name} {reason}", name=name, reason=error) from error


def _points(found: Sequence[_Checkpoint], right: str) -> TaskPoints:
    lengths = [each.length for each in found] if right == TOGETHER else []
    return TaskPoints(
        loss=np.array([each.loss for each in found]),
        error=np.array([1 - each.right for each in found]),
        runs=tuple(each.run for each in found),
        params=np.array([each.params for each in found]),
        tokens=float(np.mean(lengths)) if lengths else 1.0,
    )
