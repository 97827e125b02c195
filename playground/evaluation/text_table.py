"""A table of texts from an uploaded file: CSV, TSV, Markdown or JSON. What is wrong in it is said with its row."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from playground.csv_table import guarded, is_markdown, markdown_rows, skip_comments, stated_delimiter
from playground.decoding import MARKS, decode_upload, well_formed
from playground.delimited import (
    Record,
    could_be_rows,
    likely_delimiter,
    plain_line_ends,
    read_records,
    refuse_swallowed,
)
from playground.errors import UserError
from playground.evaluation.json_tables import json_entries
from playground.text import N_, _

MOST_ROWS = 200_000
MOST_COLUMNS = 200
LONGEST_CELL = 1_000_000


@dataclass(frozen=True, kw_only=True)
class TableNote:
    """Something to know about a table that could be read."""

    template: str
    values: Mapping[str, object]

    def __str__(self) -> str:
        return _(self.template).format(**self.values)


@dataclass(frozen=True, kw_only=True, eq=False)
class TextTable:
    """Columns of texts, all of the same length."""

    columns: Mapping[str, tuple[str, ...]]
    rows: tuple[int, ...]
    """The line at which each row begins, from 1: what a sentence about it names; in a JSON list the entry."""
    notes: tuple[TableNote, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> tuple[str, ...]:
        """A column. Raises UserError that lists what there is."""
        if name not in self.columns:
            raise UserError(
                "The table has no column {name!r}; it has {known}.", name=name, known=", ".join(self.columns)
            )
        return self.columns[name]

    def filled(self, name: str) -> tuple[str, ...]:
        """A column without empty cells. Raises UserError that names the line of the first one."""
        for row, text in zip(self.rows, self.column(name), strict=True):
            if not text.strip():
                raise UserError("Line {row} has nothing in the column {name!r}.", row=row, name=name)
        return self.columns[name]


def read_text_table(content: str | bytes) -> TextTable:
    """Read a file; its delimiter is found in the header or stated above it, and JSON is known by its first bracket.

    Raises UserError that names the line of a row with too many or too few cells, or of broken JSON.

    >>> read_text_table("text,label\\nGood.,yes\\n").columns
    {'text': ('Good.',), 'label': ('yes',)}
    """
    notes = encoding_notes(content)
    # Old systems end a line with a carriage return alone, and a file with a sign of its own.
    text = plain_line_ends(decode_upload(content).rstrip("\x1a\r\n"))
    if "\0" in text:
        raise UserError("The file is not text. Save it in UTF-8.")
    skipped, text = skip_comments(text)
    stated, text = stated_delimiter(text)
    if not text.strip():
        raise UserError("The file is empty; it needs a header and at least one row.")
    # Empty lines in place of those: a sentence names a line of the file.
    rows, lines, more = _rows_of("\n" * (skipped + (stated is not None)) + text, stated)
    header, body = rows[0], rows[1:]
    _check_header(header)
    if not body:
        raise UserError("The file has a header and no rows.")
    columns = {name: tuple(column) for name, column in zip(header, zip(*body, strict=True), strict=True)}
    notes += [*more, *_formula_notes(columns, lines)]
    return TextTable(columns=columns, rows=tuple(lines), notes=tuple(notes))


def _rows_of(text: str, stated: str | None) -> tuple[list[list[str]], list[int], list[TableNote]]:
    """The header and the rows, each with as many cells; the line at which each row begins; and what to know of them.

    stated: the delimiter, where a line above says it.
    """
    entries = json_entries(text) if text.lstrip()[:1] in ("{", "[") else None
    if entries is not None:
        return *_entry_rows(entries), []
    if stated is None and is_markdown(text):
        return *_markdown_table(text), []
    return _csv_rows(text, stated)


def _markdown_table(text: str) -> tuple[list[list[str]], list[int]]:
    numbered = markdown_rows(text)
    rows, lines = [cells for _line, cells in numbered], [line for line, _cells in numbered[1:]]
    for line, cells in numbered:
        if len(cells) != len(rows[0]):
            _refuse_cells(line, len(cells), len(rows[0]))
    _check_size(len(lines))
    return rows, lines


def _csv_rows(text: str, stated: str | None) -> tuple[list[list[str]], list[int], list[TableNote]]:
    delimiter = stated or likely_delimiter(text)
    csv.field_size_limit(LONGEST_CELL)
    records: list[Record] = []
    end = 0
    try:
        for record in read_records(text, delimiter, strict=True):
            end = record.end
            if not any(cell.strip() for cell in record.cells):
                continue
            if records and len(record.cells) != len(records[0].cells):
                _refuse_cells(record.begin, len(record.cells), len(records[0].cells))
            records.append(record)
            _check_size(len(records) - 1)
    except csv.Error as error:
        raise UserError("Line {row} cannot be read: {reason}.", row=end + 1, reason=_csv_reason(error)) from error
    refuse_swallowed(records, delimiter)
    rows = _without_empty_edge([list(record.cells) for record in records])
    return rows, [record.begin for record in records[1:]], _several_line_notes(records, delimiter)


def _without_empty_edge(rows: list[list[str]]) -> list[list[str]]:
    """Rows without the columns at their end that have no heading and no cell: a spreadsheet's used range reaches there.

    >>> _without_empty_edge([["text", "", ""], ["a", "", ""]]), _without_empty_edge([["text", ""], ["a", "b"]])
    ([['text'], ['a']], [['text', ''], ['a', 'b']])
    """
    width = max((len(row) for row in rows), default=0)
    while width > 1 and not any(row[width - 1].strip() for row in rows if len(row) >= width):
        width -= 1
    return [row[:width] for row in rows]


def _several_line_notes(records: Sequence[Record], delimiter: str) -> list[TableNote]:
    """Lines that are one row by their quotation marks, and could each be one."""
    template = N_(
        "Lines {begin} to {end} are one row, as its quotation marks say, and look like several. If they are, close the "
        "mark in line {begin} or leave it out."
    )
    found = next((record for record in records[1:] if could_be_rows(record, delimiter)), None)
    return [TableNote(template=template, values={"begin": found.begin, "end": found.end})] if found else []


def _csv_reason(error: csv.Error) -> str:
    if "end of data" in str(error):
        return _("a quotation mark is opened and never closed")
    if "field limit" in str(error):
        return _("a cell has more than {most:,} characters").format(most=LONGEST_CELL)
    return _("a quotation mark stands inside a quoted cell")


def _entry_rows(entries: Iterable[tuple[int, object]]) -> tuple[list[list[str]], list[int]]:
    """Each an object with the keys of the first; values that are no text are written as JSON."""
    names: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    for number, entry in entries:
        if not isinstance(entry, dict):
            raise UserError("Line {row} is no JSON object.", row=number)
        if not rows:
            names = list(entry)
            rows.append([_cell(name) for name in names])
        if missing := [name for name in names if name not in entry]:
            raise UserError("Line {row} has no {name!r}, which the first line has.", row=number, name=missing[0])
        rows.append([_cell(entry[name]) for name in names])
        lines.append(number)
        _check_size(len(lines))
    return rows or [[]], lines


def _cell(value: object) -> str:
    """JSON can spell half a surrogate pair, which no tokenizer and no file takes."""
    if isinstance(value, str):
        return value if value.isascii() else well_formed(value)
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _check_header(header: Sequence[str]) -> None:
    if len(header) > MOST_COLUMNS:
        raise UserError("The table has {count} columns; at most {most} are read.", count=len(header), most=MOST_COLUMNS)
    repeated = [name for index, name in enumerate(header) if name in header[:index]]
    if repeated:
        raise UserError("Two columns are called {name!r}; rename one.", name=repeated[0])


def _check_size(n_rows: int) -> None:
    if n_rows > MOST_ROWS:
        raise UserError("The table has more than {most:,} rows; take a part of it.", most=MOST_ROWS)


def _refuse_cells(row: int, cells: int, wanted: int) -> None:
    if cells < wanted:
        raise UserError(
            "Line {row} has {cells} cells, the header {wanted}: cells are missing, or a line ends within a text. Write "
            "an empty cell for each that is missing, and texts of several lines in quotation marks.",
            row=row,
            cells=cells,
            wanted=wanted,
        )
    raise UserError(
        "Line {row} has {cells} cells, the header {wanted}. Put texts that hold the delimiter into quotation marks.",
        row=row,
        cells=cells,
        wanted=wanted,
    )


def encoding_notes(content: str | bytes) -> list[TableNote]:
    """A file that is not UTF-8 is read as a Western code page, which may be wrong: say from which line on."""
    if isinstance(content, str) or content.startswith(tuple(MARKS)):
        return []
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        template = N_("Line {row} is not UTF-8: the file was read as Windows-1252. Look whether its letters are right.")
        return [TableNote(template=template, values={"row": line})]
    return []


def _formula_notes(columns: Mapping[str, Sequence[str]], lines: Sequence[int]) -> list[TableNote]:
    """A cell that a spreadsheet would run is a text here; say so once, with its line."""
    for name, cells in columns.items():
        for line, text in zip(lines, cells, strict=True):
            if text.startswith(("=", "+", "@")) and guarded(text) != text:
                template = N_(
                    "Line {row} begins with {sign} in the column {name!r}: it is read as a text, and made inert for "
                    "spreadsheets in what you download."
                )
                return [TableNote(template=template, values={"row": line, "sign": text[:1], "name": name})]
    return []
