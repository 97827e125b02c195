"""Form fields of a frozen dataclass: one widget per field, chosen by the field's type."""

import dataclasses
import types
import typing
from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin

import streamlit as st

from playground.text import _
from ui.sections.train.labels import choice_label, field_help, field_label

MAX_NUMBER = 1_000_000_000
MAX_CHARACTERS = 2_000_000
COLUMNS = 2
TEXT_AREAS = ("text", "csv")


def edit(record: Any, names: Sequence[str], *, key: str) -> dict[str, Any]:
    """Show the named fields of the record and return their current values.

    Numbers and switches stand two in a row, everything else in a row of its own.
    """
    hints = typing.get_type_hints(type(record))
    values: dict[str, Any] = {}
    for row in _field_rows([name for name in names if name not in TEXT_AREAS], hints):
        for column, name in zip(_row_columns(len(row)), row, strict=True):
            with column:
                values[name] = _field(name, hints[name], getattr(record, name), f"{key}.{name}")
    for name in names:
        if name in TEXT_AREAS:
            values[name] = _text_area(name, getattr(record, name), f"{key}.{name}")
    return values


def _row_columns(count: int) -> list[Any]:
    """Labels may take two lines, so the fields below them are aligned at the bottom."""
    return [st.container()] if count == 1 else list(st.columns(count, vertical_alignment="bottom"))


def _field_rows(names: Sequence[str], hints: dict[str, Any]) -> list[list[str]]:
    """The names by row, in order."""
    rows: list[list[str]] = []
    for name in names:
        joins = rows and len(rows[-1]) < COLUMNS and _is_narrow(hints[name]) and _is_narrow(hints[rows[-1][-1]])
        rows[-1].append(name) if joins else rows.append([name])
    return rows


def _is_narrow(hint: Any) -> bool:
    return hint in (int, float, bool) or (int in get_args(hint) and get_origin(hint) is not tuple)


def editable(record: Any, hidden: Sequence[str] = ()) -> list[str]:
    """The names of a record's fields, in order, without the hidden ones."""
    return [field.name for field in dataclasses.fields(record) if field.name not in hidden]


def _field(name: str, hint: Any, value: Any, key: str) -> Any:
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _selectbox(name, parts, value, key)
    if hint is bool:
        return st.toggle(field_label(name), value=value, key=key, help=field_help(name))
    if hint in (int, float):
        return _number_input(name, hint, value, key)
    if origin in (types.UnionType, typing.Union) and int in parts:
        return _number_input(name, int, value, key)
    if origin is tuple:
        return _tuple_input(name, parts, value, key)
    return st.text_input(field_label(name), value=value or "", key=key, help=field_help(name), max_chars=400)


def _selectbox(name: str, options: tuple[Any, ...], value: Any, key: str) -> Any:
    return st.selectbox(
        field_label(name),
        options,
        index=options.index(value) if value in options else 0,
        key=key,
        format_func=choice_label,
        help=field_help(name),
    )


def _number_input(name: str, kind: type, value: float | None, key: str) -> Any:
    """A number input; empty for None."""
    # Streamlit wants all numbers of an input in one type, which its overloads cannot express here.
    limits: dict[str, Any] = {"min_value": kind(0), "max_value": kind(MAX_NUMBER), "value": value}
    look: dict[str, Any] = {"step": 1, "format": "%d"} if kind is int else {"step": None, "format": "%g"}
    texts: dict[str, Any] = {"key": key, "help": field_help(name), "placeholder": _placeholder(name)}
    return st.number_input(field_label(name), **limits, **look, **texts)


def _placeholder(name: str) -> str:
    return {"key_value_heads": _("= heads"), "hidden": "4 × d_model", "row_length": _("= context")}.get(name, "")


def _tuple_input(name: str, parts: tuple[Any, ...], value: tuple[Any, ...], key: str) -> tuple[Any, ...]:
    """Strings or numbers with commas between them."""
    kind = parts[0]
    if get_origin(kind) is Literal:
        chosen = st.multiselect(
            field_label(name), get_args(kind), default=list(value), key=key, format_func=choice_label
        )
        return tuple(chosen)
    text = st.text_input(
        field_label(name),
        value=", ".join(f"{item:g}" if kind is float else str(item) for item in value),
        key=key,
        help=field_help(name),
        max_chars=2000,
    )
    return tuple(_parse_item(part.strip(), kind) for part in (text or "").split(",") if part.strip())


def _parse_item(text: str, kind: Any) -> Any:
    """The text as the given type; unchanged if it is not one, for the record to refuse."""
    try:
        return kind(text)
    except (TypeError, ValueError):
        return text


def _text_area(name: str, value: str, key: str) -> str:
    return (
        st.text_area(
            field_label(name), value=value, key=key, help=field_help(name), height=160, max_chars=MAX_CHARACTERS
        )
        or ""
    )
