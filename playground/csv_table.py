"""CSV tables below comments that say where they come from, with nothing that a spreadsheet would run.

The readers of tables skip the comments again, so that what was downloaded can be uploaded.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence

Row = Sequence[object]


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


def guarded(text: str) -> str:
    """A text that a spreadsheet will not run as a formula.

    >>> guarded("=1+1"), guarded("run 1")
    ("'=1+1", 'run 1')
    """
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) else text
