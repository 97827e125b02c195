"""CSV tables below comments that say where they come from, with nothing that a spreadsheet would run.

The readers of tables skip the comments again, so that what was downloaded can be uploaded.
"""

import csv
import io
import itertools
import re
from collections.abc import Iterable, Sequence

Row = Sequence[object]
NumberedRow = tuple[int, list[str]]
"""A row's line in the file, and its cells."""

_STATED = re.compile(r"\s*\"?sep=(.)\"?\s*")
"""Spreadsheets state the delimiter in a line of its own: sep=;"""
_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*")
"""The line below a header of Markdown: | --- | ---: |"""
_BAR = re.compile(r"(?<!\\)\|")
_MARKS = re.compile(r"\*\*|`")


def csv_table(rows: Iterable[Row], origin: Iterable[str] = (), *, guard: bool = True) -> str:
    """Rows as CSV, the header first, below the lines of their origin.

    guard: make formulas inert; a table that this app reads back is written without.

    >>> csv_table([("run", "loss"), ("=1+1", 2.5)], ["made here"])
    "# made here\\nrun,loss\\n'=1+1,2.5\\n"
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([guarded(value) if guard and isinstance(value, str) else value for value in row] for row in rows)
    return comments(origin) + text.getvalue()


def comments(lines: Iterable[str]) -> str:
    """A comment for each line of an origin, whatever line ends are in it."""
    return "".join(f"# {' '.join(line.split())}\n" for line in lines)


def skip_comments(text: str) -> tuple[int, str]:
    """How many comment lines stand above a table's header, and the text below them.

    A comment is a # and a space: a column may be called #.

    >>> skip_comments("# made here\\n#,loss\\n1,2.5\\n")
    (1, '#,loss\\n1,2.5\\n')
    >>> skip_comments("# made here\\n# n,loss\\n1,2.5\\n")
    (1, 'n,loss\\n1,2.5\\n')
    """
    skipped, last = 0, ""
    while text.startswith("# "):
        last, _end, text = text.partition("\n")
        skipped += 1
    # A table of numpy's or gnuplot's has its header in the last comment: a number follows in the first cell.
    first = text.lstrip().partition("\n")[0]
    if skipped and first[:1].isdigit() and len(re.split("[,;\t]", last)) == len(re.split("[,;\t]", first)) > 1:
        return skipped - 1, f"{last.removeprefix('# ')}\n{text}"
    return skipped, text


def stated_delimiter(text: str) -> tuple[str | None, str]:
    """The delimiter that a first line states, if one does, and the text below that line.

    >>> stated_delimiter("sep=;\\na;b\\n"), stated_delimiter("a;b\\n")
    ((';', 'a;b\\n'), (None, 'a;b\\n'))
    """
    first, _end, rest = text.partition("\n")
    stated = _STATED.fullmatch(first)
    return (None, text) if stated is None else (stated[1], rest)


def is_markdown(text: str) -> bool:
    """Whether a rule of dashes and bars stands below a line with bars."""
    lines = (line for line in text.splitlines() if line.strip())
    return any("|" in above and "|" in rule and _RULE.fullmatch(rule) for above, rule in itertools.pairwise(lines))


def markdown_rows(text: str, skipped: int = 0) -> list[NumberedRow]:
    """The cells between the bars, without the rule and without marks of bold type or code.

    skipped: how many lines stand above the text.

    >>> markdown_rows("| run | loss |\\n| --- | ---: |\\n| **a** | 2.5 |")
    [(1, ['run', 'loss']), (3, ['a', '2.5'])]
    """
    rows: list[NumberedRow] = []
    for number, line in enumerate(text.splitlines(), start=skipped + 1):
        if "|" not in line or _RULE.fullmatch(line):
            continue
        inner = re.sub(r"^\||(?<!\\)\|$", "", line.strip())
        rows.append((number, [_MARKS.sub("", cell).strip().replace("\\|", "|") for cell in _BAR.split(inner)]))
    return rows


def guarded(text: str) -> str:
    """A text that a spreadsheet will not run as a formula.

    >>> guarded("=1+1"), guarded("run 1")
    ("'=1+1", 'run 1')
    """
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) else text
