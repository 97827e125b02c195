"""What a browser sends as a widget's value, held against the widget before anybody reads it.

Streamlit hands over whatever a message says: a text where a number belongs, a selected row "a", a JSON of nothing. A
browser of ours sends none of it. What cannot be read, or is of another kind, counts as untouched.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from streamlit.runtime.state import session_state, widgets

MOST_ROWS = 10_000_000
KINDS: dict[str, type | tuple[type, ...]] = {
    "bool_value": bool,
    "trigger_value": bool,
    "double_value": (int, float),
    "int_value": int,
    "string_value": str,
    "json_value": dict,
}
"""What a value of each field of the protocol is in Python."""
ITEMS: dict[str, type | tuple[type, ...]] = {"string_array_value": str, "double_array_value": (int, float)}
_registering: Any = widgets
_reading: Any = session_state
_WidgetMetadata = _registering.WidgetMetadata
_unpack = _reading.unpack_widget_state_value
_get_item = session_state.WStates.__getitem__
NUMBERS = {"int_value", "double_value"}


def hold_incoming() -> None:
    """From now on every widget of this process reads only what it could have sent itself."""
    _registering.WidgetMetadata = held_metadata
    _reading.unpack_widget_state_value = held_value
    _reading.WStates.__getitem__ = held_item


def held_metadata(element_id: str, deserializer: Callable[[Any], Any], *parts: Any, **options: Any) -> Any:
    """A widget's description whose values are held against its kind."""
    value_type = str(options.get("value_type"))
    read = functools.partial(accepted_value, deserializer, value_type)
    return _WidgetMetadata(element_id, read, *parts, **options)


def held_item(states: session_state.WStates, key: str) -> Any:
    """A widget's value; a message in a field that this widget never uses counts as none, and is forgotten."""
    metadata, state = states.widget_metadata.get(key), states.states.get(key)
    if metadata is not None and isinstance(state, session_state.Serialized):
        sent = state.value.WhichOneof("value")
        is_number = {sent, metadata.value_type} <= NUMBERS
        if sent != metadata.value_type and not is_number:
            states.states[key] = session_state.Value(metadata.deserializer(None))
    return _get_item(states, key)


def held_value(state: Any) -> Any:
    """The value of a message; None where it is no JSON."""
    try:
        return _unpack(state)
    except (ValueError, RecursionError):
        return None


def accepted_value(deserializer: Callable[[Any], Any], value_type: str, value: Any) -> Any:
    """What the widget makes of a value; of one that it never sends what it makes of none."""
    try:
        if value is None or not is_possible(getattr(deserializer, "__self__", None), value_type, value):
            return deserializer(None)
        read = deserializer(value)
        return read if has_true_selection(read) else deserializer(None)
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError):
        return deserializer(None)


def is_possible(serde: Any, value_type: str, value: Any) -> bool:
    """Whether a value is of the widget's kind, and among its options where those are no texts."""
    kind, item_kind = KINDS.get(value_type), ITEMS.get(value_type)
    if kind is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
        return False
    if item_kind is not None and not all(isinstance(item, item_kind) for item in value):
        return False
    options: Sequence[Any] = getattr(serde, "options", ())
    known: Mapping[str, int] | None = getattr(serde, "formatted_option_to_option_index", None)
    # Texts that are unknown now may be those of another language; Streamlit finds the option again.
    is_open = known is None or not isinstance(value, str) or all(isinstance(option, str) for option in options)
    return is_open or (known is not None and value in known)


def has_true_selection(read: Any) -> bool:
    """Whether a table's selection, where that is what was read, names rows by their numbers."""
    selection = getattr(read, "selection", None)
    if selection is None:
        return True
    rows = selection.get("rows", []) if hasattr(selection, "get") else []
    return isinstance(rows, Sequence) and all(type(row) is int and 0 <= row < MOST_ROWS for row in rows)
