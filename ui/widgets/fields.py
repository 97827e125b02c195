"""Form fields of a frozen dataclass: one widget per field, chosen by the field's type."""

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import streamlit as st

from playground.errors import UserError
from playground.text import _
from ui.sections.train.labels import choice_label, field_help, field_label

MAX_NUMBER = 1_000_000_000
MAX_CHARACTERS = 2_000_000
FIELD_WIDTH = 290
"""In pixels: the longest label stands in one line, and three fields beside each other on a laptop."""
TEXT_AREAS = ("text", "csv")


def edit(
    record: Any,
    names: Sequence[str],
    *,
    key: str,
    locked: Mapping[str, str] | None = None,
    asked: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Show the named fields of the record and return their current values.

    Fields stand beside each other as the width allows, long texts below them. locked: why a field cannot be changed,
    by its name; it is greyed, with the reason as its help. asked: what fields show first in place of the record's
    values, each one fit for its field (`can_show`), though they may make no record together.
    """
    hints = typing.get_type_hints(type(record))
    reasons, first = locked or {}, asked or {}
    values: dict[str, Any] = {}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        for name in names:
            if name not in TEXT_AREAS:
                field = _Field(name=name, key=f"{key}.{name}", lock=reasons.get(name))
                values[name] = _show_field(field, hints[name], first.get(name, getattr(record, name)))
    for name in names:
        if name in TEXT_AREAS:
            values[name] = _text_area(_Field(name=name, key=f"{key}.{name}", lock=reasons.get(name)), record)
    return values


def can_show(record: Any, name: str, value: object) -> bool:
    """Whether a field of the record can show a value: any number of its kind within bounds, else what the record takes.

    So a number that does not go with the other fields stands on the page, where a sentence says what is wrong.
    """
    default = getattr(record, name)
    if _is_number(default) and _is_number(value):
        return (isinstance(default, float) or isinstance(value, int)) and 0 <= value <= MAX_NUMBER  # type: ignore[operator]
    try:
        dataclasses.replace(record, **{name: value})
    except (UserError, TypeError, ValueError):
        return False
    return True


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True, kw_only=True)
class _Field:
    """A field on the page."""

    name: str
    key: str
    lock: str | None
    """Why it cannot be changed; None where it can."""

    @property
    def label(self) -> str:
        return field_label(self.name)

    @property
    def common(self) -> dict[str, Any]:
        """What every widget takes."""
        return {"key": self.key, "help": self.lock or field_help(self.name), "disabled": self.lock is not None}


def editable(record: Any, hidden: Sequence[str] = ()) -> list[str]:
    """The names of a record's fields, in order, without the hidden ones."""
    return [field.name for field in dataclasses.fields(record) if field.name not in hidden]


def _show_field(field: _Field, hint: Any, value: Any) -> Any:
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _selectbox(field, parts, value)
    if hint is bool:
        return st.toggle(field.label, value=value, width=FIELD_WIDTH, **field.common)
    if hint in (int, float):
        return _number_input(field, hint, value)
    if origin in (types.UnionType, typing.Union) and bool in parts:
        others = [choice for part in parts if get_origin(part) is Literal for choice in get_args(part)]
        return _selectbox(field, (*others, True, False), value)
    if origin in (types.UnionType, typing.Union) and int in parts:
        return _number_input(field, int, value)
    if origin is tuple:
        return _tuple_input(field, parts, value)
    return st.text_input(field.label, value=value or "", max_chars=400, width=FIELD_WIDTH, **field.common)


def _selectbox(field: _Field, options: tuple[Any, ...], value: Any) -> Any:
    index = options.index(value) if value in options else 0
    return st.selectbox(field.label, options, index=index, format_func=_choice_text, width=FIELD_WIDTH, **field.common)


def _choice_text(choice: Any) -> str:
    """A choice as it reads on the page, a switch's among them that has a third position."""
    if isinstance(choice, bool):
        return _("Always") if choice else _("Never")
    return choice_label(choice)


def _number_input(field: _Field, kind: type, value: float | None) -> Any:
    """A number input; empty for None."""
    # Streamlit wants all numbers of an input in one type, which its overloads cannot express here.
    limits: dict[str, Any] = {"min_value": kind(0), "max_value": kind(MAX_NUMBER)}
    limits["value"] = None if value is None else kind(value)  # JSON writes 1.0 as 1
    look: dict[str, Any] = {"step": 1, "format": "%d"} if kind is int else {"step": None, "format": "%g"}
    return st.number_input(
        field.label, placeholder=_placeholder(field.name), width=FIELD_WIDTH, **limits, **look, **field.common
    )


def _placeholder(name: str) -> str:
    return {"key_value_heads": _("= heads"), "hidden": "4 × d_model", "row_length": _("= context")}.get(name, "")


def _tuple_input(field: _Field, parts: tuple[Any, ...], value: tuple[Any, ...]) -> tuple[Any, ...]:
    """Strings or numbers with commas between them."""
    kind = parts[0]
    if get_origin(kind) is Literal:
        options = get_args(kind)
        chosen = st.multiselect(
            field.label, options, default=list(value), format_func=choice_label, width=FIELD_WIDTH, **field.common
        )
        return tuple(chosen)
    shown = ", ".join(f"{item:g}" if kind is float else str(item) for item in value)
    text = st.text_input(field.label, value=shown, max_chars=2000, width=FIELD_WIDTH, **field.common)
    return tuple(_parse_item(part.strip(), kind) for part in (text or "").split(",") if part.strip())


def _parse_item(text: str, kind: Any) -> Any:
    """The text as the given type; unchanged if it is not one, for the record to refuse."""
    try:
        return kind(text)
    except (TypeError, ValueError):
        return text


def _text_area(field: _Field, record: Any) -> str:
    value = getattr(record, field.name)
    return st.text_area(field.label, value=value, height=160, max_chars=MAX_CHARACTERS, **field.common) or ""
