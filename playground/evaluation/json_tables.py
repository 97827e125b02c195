"""The entries of a table in JSON: lines, a list of objects, or one object that holds columns or entries (pandas)."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from playground.errors import UserError

HOLDERS = ("data", "rows", "records", "examples", "items", "entries", "results")
"""What the list of entries is called where one object holds it beside other things."""


def json_entries(text: str) -> Iterable[tuple[int, object]] | None:
    """The entries, numbered by line or from 1; None for a text that only begins like a list.

    Raises UserError for a line that is no object, and for columns of several lengths.

    >>> list(json_entries('{"text": ["a", "b"], "label": ["x", "y"]}'))
    [(1, {'text': 'a', 'label': 'x'}), (2, {'text': 'b', 'label': 'y'})]
    """
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return _json_lines(text) if text.lstrip().startswith("{") else None
    if isinstance(whole, list):
        return enumerate(whole, start=1)
    entries = _entries_within(whole) if isinstance(whole, dict) else None
    line = text[: len(text) - len(text.lstrip())].count("\n") + 1
    return [(line, whole)] if entries is None else enumerate(entries, start=1)


def _json_lines(text: str) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise UserError("Line {row} is no JSON object.", row=number) from error


def _entries_within(whole: dict[str, Any]) -> list[Any] | None:
    """The entries that one object holds, in pandas' orients and data sets' files; None where it is an entry itself."""
    values = list(whole.values())
    if set(whole) >= {"columns", "data"} and _are(list, whole["data"]):
        return [dict(zip(whole["columns"], row, strict=False)) for row in whole["data"]]
    held = [value for name, value in whole.items() if _are(dict, value) and (name in HOLDERS or len(whole) == 1)]
    if len(held) == 1:
        return list(held[0])
    if _are(dict, values):
        return _rows_of_objects(whole)
    return _rows_of_columns(whole) if len(values) > 1 and _are(list, values) else None


def _are(kind: type, values: object) -> bool:
    return isinstance(values, list) and bool(values) and all(isinstance(value, kind) for value in values)


def _rows_of_columns(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise UserError(
            "The columns of the table have different lengths: {lengths}.",
            lengths=", ".join(f"{name} {length:,}" for name, length in list(lengths.items())[:12]),
        )
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _rows_of_objects(whole: dict[str, dict[str, Any]]) -> list[dict[str, Any]] | None:
    """pandas' orients: {column: {row: value}}, or where the outer names alone are numbers, {row: {column: value}}."""
    inner = next(iter(whole.values())).keys()
    numbered = [all(name.isdigit() for name in names) for names in (whole, inner)]
    if any(row.keys() != inner for row in whole.values()) or not (len(whole) > 1 or any(numbered)):
        return None
    if numbered == [True, False]:
        return list(whole.values())
    return [{name: column[row] for name, column in whole.items()} for row in inner]
