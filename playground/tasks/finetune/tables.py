"""A person's table, from a file, an upload or typed in: two columns of it, with what is to know about them."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from playground.errors import UserError
from playground.evaluation.text_table import TableNote, TextTable, read_text_table
from playground.folders import cache_root
from playground.tasks.finetune.rows import Rows, SplitRows, clean_answers, split_rows, without_leaks

LARGEST_TABLE = 100_000_000
KEPT_TABLES = 40
PREVIEWED = 20
MOST_HELD_OUT_ANSWERS = 200
"""Each is measured anew at every evaluation."""
GUESSES = {
    "text": ("text", "sentence", "review", "content", "question", "prompt", "source"),
    "label": ("label", "class", "category", "target", "sentiment", "answer"),
}


@dataclass(frozen=True, kw_only=True)
class TableView:
    """What a table looks like, to map its columns."""

    columns: tuple[str, ...]
    n_rows: int
    preview: tuple[tuple[str, ...], ...]
    """The first rows."""
    text_column: str
    """The likeliest."""
    label_column: str
    notes: tuple[TableNote, ...]


def keep_table(content: bytes) -> str:
    """Keep an uploaded table below the cache under its checksum, and return its path for a task's sources.

    The oldest tables beyond KEPT_TABLES are deleted: a prepared run has its rows itself. Raises UserError for one that
    is too large or cannot be kept.
    """
    if len(content) > LARGEST_TABLE:
        raise UserError("The table has {size:,.0f} MB; at most {most} MB are read.", size=len(content) / 1e6, most=100)
    folder = cache_root() / "tables"
    path = folder / f"{hashlib.sha256(content).hexdigest()[:32]}.table"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(content)
        path.touch()
        kept = sorted(folder.glob("*.table"), key=lambda each: each.stat().st_mtime)
        for old in kept[:-KEPT_TABLES]:
            old.unlink(missing_ok=True)
    except OSError as error:
        raise UserError("The table cannot be kept: {reason}. Make room there.", reason=error.strerror) from error
    return str(path)


def look_at_table(content: str | bytes) -> TableView:
    """Columns, first rows and the likeliest mapping. Raises UserError for what is no table."""
    table = read_text_table(content)
    columns = tuple(table.columns)
    text = _guess(columns, GUESSES["text"], columns[0])
    label = _guess([name for name in columns if name != text], GUESSES["label"], columns[-1])
    rows = zip(*(column[:PREVIEWED] for column in table.columns.values()), strict=True)
    return TableView(
        columns=columns,
        n_rows=len(table),
        preview=tuple(tuple(row) for row in rows),
        text_column=text,
        label_column=label,
        notes=table.notes,
    )


def _guess(columns: Sequence[str], likely: Sequence[str], otherwise: str) -> str:
    by_name = {name.strip().lower(): name for name in columns}
    return next((by_name[word] for word in likely if word in by_name), otherwise)


def read_tables(
    sources: Sequence[str], text: str, first: str, second: str
) -> tuple[Rows, list[int], tuple[TableNote, ...]]:
    """Two columns of all tables, the line of each row, and the notes.

    Raises UserError for a table that cannot be read, and for one column twice.
    """
    if first == second:
        raise UserError(
            "A text and its label or answer cannot both stand in {column!r}; two columns are needed.", column=first
        )
    texts: list[str] = []
    labels: list[str] = []
    lines: list[int] = []
    notes: tuple[TableNote, ...] = ()
    contents: list[str | bytes] = [text] if text.strip() else []
    for content in [*contents, *map(_bytes_of, sources)]:
        table: TextTable = read_text_table(content)
        texts += table.column(first)
        labels += table.column(second)
        lines += table.rows
        notes += table.notes
    if not texts:
        raise UserError("Name at least one table, or type one in.")
    return Rows(texts=tuple(texts), labels=tuple(labels)), lines, notes


def split_tables(
    sources: Sequence[str],
    text: str,
    columns: tuple[str, str],
    *,
    clean: Callable[[Rows, Sequence[int]], tuple[Rows, tuple[TableNote, ...]]],
    held_out: float,
    most_held_out: int,
) -> SplitRows:
    """Two columns of all tables, cleaned as labels or as answers, and split, with what was noted on the way.

    Raises UserError for a table that cannot be read, and where too few rows are left.
    """
    rows, lines, notes = read_tables(sources, text, *columns)
    kept, more = clean(rows, lines)
    split = split_rows(kept, held_out, most_held_out=most_held_out)
    return replace(split, notes=(*notes, *more, *split.notes))


def split_answers(sources: Sequence[str], text: str, columns: tuple[str, str], *, held_out: float) -> SplitRows:
    """Texts and their answers, in two parts that share no text. Raises UserError as `split_tables` does."""
    split = split_tables(
        sources, text, columns, clean=clean_answers, held_out=held_out, most_held_out=MOST_HELD_OUT_ANSWERS
    )
    return without_leaks(split)


def _bytes_of(source: str) -> bytes:
    path = Path(source)
    try:
        if path.stat().st_size > LARGEST_TABLE:
            raise UserError("{path} has more than {most} MB; take a part of it.", path=path.name, most=100)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise UserError(
            "The table {path} cannot be read; name another, or upload it once more.", path=path.name or source
        ) from error
