"""The rows of a pasted or uploaded table, whatever stands above them, and its delimiter."""

import csv
import io
import re

from playground.csv_table import NumberedRow, is_markdown, markdown_rows, skip_comments, stated_delimiter
from playground.errors import UserError

DELIMITERS = (",", ";", "\t")
MOST_ROWS = 100_000
_NUMBER = re.compile(r"\s*[+-]?\d")


def read_table_rows(text: str) -> tuple[list[NumberedRow], str]:
    """The cells of each line that is not empty, with the line's number, and the delimiter.

    Raises UserError for what is no table, and for a quotation mark that never closes: it would swallow all rows below.
    """
    if "\0" in text:
        raise UserError("The file is not text. Save the table as CSV in UTF-8.")
    # Files of DOS end with a character of their own.
    skipped, text = skip_comments(text.rstrip("\x1a\r\n\t "))
    stated, text = stated_delimiter(text)
    skipped += stated is not None
    first = next((line for line in text.splitlines() if line.strip()), "")
    if stated is None and is_markdown(text):
        rows = markdown_rows(text, skipped)
        _check_count(rows)
        return rows, "|"
    delimiter = stated or max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows = []
    begin = skipped + 1
    try:
        for cells in reader:
            _refuse_open_quote(cells, begin, text, delimiter)
            rows += [(skipped + reader.line_num, cells)] if any(cell.strip() for cell in cells) else []
            begin = skipped + reader.line_num + 1
    except csv.Error as error:
        raise UserError("Line {line} of the file is no CSV: {error}.", line=begin, error=error) from error
    _check_count(rows)
    return rows, delimiter


def _refuse_open_quote(cells: list[str], begin: int, text: str, delimiter: str) -> None:
    """Raise UserError where an open quotation mark made one cell of several rows.

    The cell runs to the end of the text, or on to the next mark, with a line in it that begins as a row does.
    """
    last = cells[-1].rstrip() if cells else ""
    is_open = "\n" in last and text.rstrip().endswith(last) and not text.rstrip().endswith('"')
    swallowed = (line for cell in cells for line in cell.splitlines()[1:])
    if is_open or any(_NUMBER.match(line) and delimiter in line for line in swallowed):
        raise UserError("A quotation mark in line {line} never closes. Close it or leave it out.", line=begin)


def _check_count(rows: list[NumberedRow]) -> None:
    if not rows:
        raise UserError("The file is empty. It needs a header with params, tokens and loss, and a row for each run.")
    if len(rows) > MOST_ROWS + 1:
        raise UserError("The file has {n_rows:,} rows; bring at most {most:,}.", n_rows=len(rows) - 1, most=MOST_ROWS)
