"""The rows of a pasted or uploaded table, whatever stands above them, and its delimiter."""

import csv
import io
import itertools
import re

from playground.csv_table import skip_comments
from playground.errors import UserError

DELIMITERS = (",", ";", "\t")
MOST_ROWS = 100_000
_STATED = re.compile(r"\s*\"?sep=(.)\"?\s*")
"""Spreadsheets state the delimiter in a line of its own: sep=;"""

_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*")
"""The line below a header of Markdown: | --- | ---: |"""
_BAR = re.compile(r"(?<!\\)\|")
_MARKS = re.compile(r"\*\*|`")
_NUMBER = re.compile(r"\s*[+-]?\d")

NumberedRow = tuple[int, list[str]]
"""A row's line in the file, and its cells."""


def read_table_rows(text: str) -> tuple[list[NumberedRow], str]:
    """The cells of each line that is not empty, with the line's number, and the delimiter.

    Raises UserError for what is no table, and for a quotation mark that never closes: it would swallow all rows below.
    """
    if "\0" in text:
        raise UserError("The file is not text. Save the table as CSV in UTF-8.")
    # Files of DOS end with a character of their own.
    skipped, text = skip_comments(text.rstrip("\x1a\r\n\t "))
    stated = _STATED.fullmatch(text.partition("\n")[0])
    if stated is not None:
        skipped, text = skipped + 1, text.partition("\n")[2]
    first = next((line for line in text.splitlines() if line.strip()), "")
    if stated is None and _is_markdown(text):
        return _markdown_rows(text, skipped), "|"
    delimiter = stated[1] if stated is not None else max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows: list[NumberedRow] = []
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


def _is_markdown(text: str) -> bool:
    """Whether a rule of dashes and bars stands below the first line with bars."""
    lines = [line for line in text.splitlines() if line.strip()]
    pairs = itertools.pairwise(lines)
    return any("|" in above and "|" in rule and _RULE.fullmatch(rule) is not None for above, rule in pairs)


def _markdown_rows(text: str, skipped: int) -> list[NumberedRow]:
    """The cells between the bars, without the rule and without marks of bold type or code."""
    rows: list[NumberedRow] = []
    for number, line in enumerate(text.splitlines(), start=skipped + 1):
        if "|" not in line or _RULE.fullmatch(line):
            continue
        inner = re.sub(r"^\||(?<!\\)\|$", "", line.strip())
        cells = [_MARKS.sub("", cell).strip().replace("\\|", "|") for cell in _BAR.split(inner)]
        rows.append((number, cells))
    _check_count(rows)
    return rows


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
