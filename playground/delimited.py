"""Delimited text as people bring it: its line ends, its delimiter, and quotation marks that swallow rows."""

import csv
import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playground.decoding import PROBED_CHARACTERS
from playground.errors import UserError

DELIMITERS = ("\t", ";", ",", "|")
"""Of equals the first is meant."""
PROBED_LINES = 20
_QUOTED = re.compile(r'(?<![^,;|\t\n]) *"(?:[^"]|"")*"')
"""A cell in quotation marks: other marks are inches."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """A row of a delimited text."""

    begin: int
    """Its first line, from 1."""
    lines: tuple[str, ...]
    """As they stand: several where a cell in quotation marks has line breaks."""
    cells: tuple[str, ...]

    @property
    def end(self) -> int:
        """Its last line."""
        return self.begin + len(self.lines) - 1


def plain_line_ends(text: str) -> str:
    """A text of any system with one kind of line end.

    >>> plain_line_ends("a\\rb\\r\\nc")
    'a\\nb\\nc'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n")


def likely_delimiter(text: str) -> str:
    """The delimiter that the header has outside its quotation marks; a tabulator where it has none.

    Of several the one that most rows have as often as the header; then the one that it has most often.

    >>> likely_delimiter('"question, short";label'), likely_delimiter("N;loss, nats\\n1;3,1"), likely_delimiter("a,b")
    (';', ';', ',')
    """
    bare = _QUOTED.sub("", text[:PROBED_CHARACTERS])
    header, *rows = [*itertools.islice(filter(str.strip, bare.split("\n")), PROBED_LINES), ""][:PROBED_LINES]

    def agreement(delimiter: str) -> tuple[bool, int, int]:
        count = header.count(delimiter)
        return count > 0, sum(row.count(delimiter) == count for row in rows), count

    return max(DELIMITERS, key=agreement)


def below_titles(text: str) -> str:
    """A text from the first line on that has a delimiter: a title has none, but for a stroke."""
    lines = text.split("\n")
    found = (number for number, line in enumerate(lines) if any(mark in line for mark in "\t;,"))
    return "\n".join(lines[next(found, 0) :])


def read_records(text: str, delimiter: str, **dialect: Any) -> Iterator[Record]:
    """The rows of a text with plain line ends, by the csv module; raises its errors."""
    lines = [f"{line}\n" for line in text.split("\n")]
    reader = csv.reader(lines, delimiter=delimiter, **dialect)
    before = 0
    for cells in reader:
        yield Record(begin=before + 1, lines=tuple(lines[before : reader.line_num]), cells=tuple(cells))
        before = reader.line_num


def lone_rows(record: Record, delimiter: str) -> list[list[str]]:
    """The cells that each of a record's lines would have alone, quotation marks left out."""
    return [line.rstrip("\n").replace('"', "").split(delimiter) for line in record.lines]


def could_be_rows(record: Record, delimiter: str) -> bool:
    """Whether each of a record's several lines has as many cells as the record, none empty or after a space."""
    cells = lone_rows(record, delimiter)
    whole = all(len(row) == len(record.cells) > 1 and all(row) for row in cells)
    return len(cells) > 1 and whole and not any(cell[:1].isspace() for row in cells for cell in row[1:])


def refuse_swallowed(records: Sequence[Record], delimiter: str) -> None:
    """Raise UserError for a record of which two lines are rows: each has a cell that its column has in other rows.

    A quotation mark was opened by mistake, and the next one, rows later, closed it.
    """
    several = [record for record in records if len(record.lines) > 1]
    known = _values_by_column(records) if several else {}
    for record in several:
        rows = lone_rows(record, delimiter)
        if all(len(row) == len(record.cells) for row in rows) and sum(_is_known(row, known) for row in rows) > 1:
            raise swallowed(record.begin, record.end)


def swallowed(begin: int, end: int) -> UserError:
    """That a quotation mark made one cell of the rows between two lines."""
    return UserError(
        "The quotation mark in line {line} closes in line {end}: the rows between would be one cell. Close it in its "
        "own line or leave it out.",
        line=begin,
        end=end,
    )


def _values_by_column(records: Sequence[Record]) -> dict[int, set[str]]:
    """The cells of each column in the rows of one line; the header's are none."""
    found: dict[int, set[str]] = {}
    for record in records[1:]:
        if len(record.lines) == 1:
            for column, cell in enumerate(record.cells):
                found.setdefault(column, set()).add(cell)
    return found


def _is_known(row: Sequence[str], known: Mapping[int, Collection[str]]) -> bool:
    return any(cell and cell in known.get(column, ()) for column, cell in enumerate(row))
