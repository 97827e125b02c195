"""The rows of a pasted or uploaded table, whatever stands above them, and its delimiter."""

import csv
import re
import statistics
from collections.abc import Sequence

from playground.csv_table import NumberedRow, is_markdown, markdown_rows, skip_comments, stated_delimiter
from playground.delimited import (
    Record,
    below_titles,
    likely_delimiter,
    lone_rows,
    plain_line_ends,
    read_records,
    swallowed,
)
from playground.errors import UserError

MOST_ROWS = 100_000
_NUMBER = re.compile(r"\s*[+−-]?\.?\d")


def read_table_rows(text: str) -> tuple[list[NumberedRow], str]:
    """The cells of each line that is not empty, with the line's number, and the delimiter.

    Raises UserError for what is no table, and for a quotation mark that never closes: it would swallow all rows below.
    """
    if "\0" in text:
        raise UserError("The file is not text. Save the table as CSV in UTF-8.")
    # Files of DOS end with a character of their own.
    skipped, text = skip_comments(plain_line_ends(text.rstrip("\x1a\r\n\t ")))
    stated, text = stated_delimiter(text)
    skipped += stated is not None
    if stated is None and is_markdown(text):
        rows = markdown_rows(text, skipped)
        _check_count(rows)
        return rows, "|"
    delimiter = stated or likely_delimiter(below_titles(text))
    rows = [(skipped + record.end, list(record.cells)) for record in _records(text, delimiter, skipped)]
    _check_count(rows)
    return rows, delimiter


def _records(text: str, delimiter: str, skipped: int) -> list[Record]:
    """The rows that are not empty."""
    records: list[Record] = []
    try:
        for record in read_records(text, delimiter, skipinitialspace=True):
            _refuse_open(record, skipped, text)
            records += [record] if any(cell.strip() for cell in record.cells) else []
    except csv.Error as error:
        begin = skipped + (records[-1].end if records else 0) + 1
        raise UserError("Line {line} of the file is no CSV: {error}.", line=begin, error=error) from error
    _refuse_swallowed_runs(records, delimiter, skipped)
    return records


def _refuse_open(record: Record, skipped: int, text: str) -> None:
    """Raise UserError where a cell runs to the end of the text, to no closing mark."""
    last = record.cells[-1].rstrip() if record.cells else ""
    if "\n" in last and text.rstrip().endswith(last) and not text.rstrip().endswith('"'):
        line = skipped + record.begin
        raise UserError("A quotation mark in line {line} never closes. Close it or leave it out.", line=line)


def _refuse_swallowed_runs(records: Sequence[Record], delimiter: str, skipped: int) -> None:
    """Raise UserError where two lines of one record have the table's columns, with numbers among them: two runs."""
    width = statistics.mode(len(record.cells) for record in records) if records else 0
    for record in records:
        if len(record.lines) > 1 and sum(_is_run(row, width) for row in lone_rows(record, delimiter)) > 1:
            raise swallowed(skipped + record.begin, skipped + record.end)


def _is_run(cells: Sequence[str], width: int) -> bool:
    return len(cells) >= width and sum(_NUMBER.match(cell) is not None for cell in cells) > 1


def _check_count(rows: list[NumberedRow]) -> None:
    if not rows:
        raise UserError("The file is empty. It needs a header with params, tokens and loss, and a row for each run.")
    if len(rows) > MOST_ROWS + 1:
        raise UserError("The file has {n_rows:,} rows; bring at most {most:,}.", n_rows=len(rows) - 1, most=MOST_ROWS)
