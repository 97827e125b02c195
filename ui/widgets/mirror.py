"""A widget that mirrors the address: what is chosen is written at once, what stands in the address is shown.

Several widgets, a picture and a link may set one parameter. The address is the truth: the widget begins with the value
from there, and its callback writes there before the script runs. Where something else has set the parameter, the widget
is drawn under a new key (`ui.state.revisions`): what the old one still sends, nobody hears.
"""

from collections.abc import Callable
from typing import Any, TypedDict

import streamlit as st

from ui.state.address import pack, write_values
from ui.state.parameters import Parameter
from ui.state.revisions import fresh_key


class Mirrored(TypedDict):
    """A widget's arguments."""

    key: str
    on_change: Callable[..., None]
    args: tuple[Any, ...]


def mirrored(parameter: Parameter, value: object, default: str = "") -> Mirrored:
    """The arguments of a widget that shows the value, which it must also be given as its own default.

    default: the value that stays out of the address.
    """
    key = fresh_key(parameter, value)
    return {"key": key, "on_change": _write, "args": (parameter, key, default)}


def _write(parameter: Parameter, key: str, default: str) -> None:
    value = st.session_state[key]
    spelled = ",".join(value) if isinstance(value, list) else str(value or "")
    write_values({parameter: None if spelled in ("", default) else pack(spelled)})
