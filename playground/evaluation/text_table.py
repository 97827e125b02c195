"""A table of texts from an uploaded file: CSV, TSV or JSON lines. What is wrong in it is said with its row."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playground.csv_table import guarded, skip_comments
from playground.decoding import decode_upload
from playground.errors import UserError
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
    """The line of the file at which each row begins, from 1: what a sentence about it names."""
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
    """Read a file; its delimiter is found in the header, and JSON lines are known by their first brace.

    Raises UserError that names the line of a row with too many or too few cells, or of broken JSON.

    >>> read_text_table("text,label\\nGood.,yes\\n").columns
    {'text': ('Good.',), 'label': ('yes',)}
    """
    notes = encoding_notes(content)
    skipped, text = skip_comments(decode_upload(content))
    if not text.strip():
        raise UserError("The file is empty; it needs a header and at least one row.")
    if text.lstrip().startswith("{"):
        rows, lines = _json_rows(text)
    else:
        rows, lines = _csv_rows(text)
    header, body = rows[0], rows[1:]
    _check_header(header)
    if not body:
        raise UserError("The file has a header and no rows.")
    columns = {name: tuple(column) for name, column in zip(header, zip(*body, strict=True), strict=True)}
    notes += _formula_notes(columns, [line + skipped for line in lines])
    return TextTable(columns=columns, rows=tuple(line + skipped for line in lines), notes=tuple(notes))


def _csv_rows(text: str) -> tuple[list[list[str]], list[int]]:
    """The header and the rows, each with as many cells; and the line at which each row begins."""
    first = text.lstrip("\n").partition("\n")[0]
    delimiter = max(("\t", ",", ";"), key=first.count)
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    before = 0
    try:
        for cells in reader:
            start, before = before + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if rows and len(cells) != len(rows[0]):
                _refuse_cells(start, len(cells), len(rows[0]))
            if rows:
                lines.append(start)
            rows.append(cells)
            _check_size(len(lines))
    except csv.Error as error:
        raise UserError("Line {row} cannot be read: {reason}.", row=before + 1, reason=_csv_reason(error)) from error
    return rows, lines


def _csv_reason(error: csv.Error) -> str:
    if "end of data" in str(error):
        return _("a quotation mark is opened and never closed")
    if "field limit" in str(error):
        return _("a cell has more than {most:,} characters").format(most=LONGEST_CELL)
    return _("a quotation mark stands inside a quoted cell")


def _json_rows(text: str) -> tuple[list[list[str]], list[int]]:
    """Each line an object with the keys of the first; values that are no text are written as JSON."""
    rows: list[list[str]] = []
    lines: list[int] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError("Line {row} is no JSON object.", row=number) from error
        if not isinstance(entry, dict):
            raise UserError("Line {row} is no JSON object.", row=number)
        if not rows:
            rows.append(list(entry))
        if missing := [name for name in rows[0] if name not in entry]:
            raise UserError("Line {row} has no {name!r}, which the first line has.", row=number, name=missing[0])
        rows.append([_cell(entry[name]) for name in rows[0]])
        lines.append(number)
        _check_size(len(lines))
    return rows, lines


def _cell(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


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
    raise UserError(
        "Line {row} has {cells} cells, the header {wanted}. Put texts that hold the delimiter into quotation marks.",
        row=row,
        cells=cells,
        wanted=wanted,
    )


def encoding_notes(content: str | bytes) -> list[TableNote]:
    """A file that is not UTF-8 is read as a Western code page, which may be wrong: say from which line on."""
    if isinstance(content, str) or content[:2] in (b"\xff\xfe", b"\xfe\xff"):
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
