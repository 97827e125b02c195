"""Read and write query parameters: texts, choices, numbers, switches. Whatever is damaged counts as absent."""

import base64
import binascii
import json
import math
import zlib
from collections.abc import Mapping, Sequence

import streamlit as st

from playground.decoding import well_formed
from playground.legacy_names import modernise_address
from ui.state.context import catch_up, keep_values
from ui.state.link import note_read
from ui.state.parameters import Choice, Integer, Integers, Parameter, Real, Several, Switch, Text
from ui.state.revisions import renew

PLAIN_LENGTH = 600
"""Longer texts travel compressed: an address much longer than this is cut by mail programs and proxies."""
_COMPRESSED = "~"


def adopt_old_link() -> None:
    """Once in a run of the app, before anything reads the address: put an old link into today's spelling."""
    values = st.query_params.to_dict()
    today = modernise_address(values)
    for name in values.keys() - today.keys():
        del st.query_params[name]
    for name, value in today.items():
        if values.get(name) != value:
            st.query_params[name] = value


def read_value(name: str) -> str | None:
    """What stands under a key."""
    note_read(name)
    return st.query_params.get(name)


def write_values(values: Mapping[Parameter, str | None]) -> None:
    """Put values into the address; None takes one out. What is unchanged is not written again."""
    is_here = catch_up()
    for name, value in values.items():
        if is_here:
            adopt_value(name, value)
        keep_values(name, [] if value is None else [value])


def adopt_value(name: str, value: str | None) -> None:
    """Put a value into the address, whatever page it is of; None takes it out."""
    if value is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value


def append_value(name: Parameter, value: str, most: int) -> None:
    """Put one more value under a key that takes several, at most so many; the first ones go."""
    values = [*st.query_params.get_all(name), value][-most:]
    if catch_up():
        st.query_params[name] = values
    keep_values(name, values)


def unless(value: str, default: str) -> str | None:
    """The value; None where it is the default, which stays out of the address."""
    return None if value == default else value


def read_text(name: Text, default: str = "") -> str:
    """A text from the address, cut to its limit."""
    value = read_value(name)
    return default if value is None else unpack(value, default, name.limit)[: name.limit]


def read_json_text(name: Text) -> object:
    """What a text of the address says in JSON; None where it is damaged, or nested deeper than Python can follow."""
    try:
        return json.loads(read_text(name, "null"))
    except (ValueError, RecursionError):
        return None


def write_text(name: Text, text: str | None) -> None:
    """Put a text into the address; None takes it out."""
    write_values({name: None if text is None else pack(text)})


def replace_text(name: Text, text: str) -> None:
    """Put a text into the address and into its text area, whatever was typed there."""
    write_text(name, text)
    renew(name)


def pack(text: str) -> str:
    """A text as it stands in an address: as it is, or compressed behind a tilde where it is long."""
    text = well_formed(text)
    if len(text) <= PLAIN_LENGTH and not text.startswith(_COMPRESSED):
        return text
    return _COMPRESSED + base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def unpack(value: str, default: str, limit: int) -> str:
    """What `pack` packed; at most `limit` characters are decompressed, so that a short link cannot be a bomb."""
    if not value.startswith(_COMPRESSED):
        return value
    body = value[len(_COMPRESSED) :]
    try:
        content = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        # Damaged letters are passed over; nothing is left of a text of nothing else.
        return zlib.decompressobj().decompress(content, 4 * limit).decode(errors="ignore") or default
    except (binascii.Error, zlib.error, ValueError):
        return default


def read_choice(name: Choice, choices: Sequence[str] = ()) -> str:
    """The choice in the address; the first choice where it names none of them."""
    choices = choices or name.values
    value = read_value(name)
    return value if value is not None and value in choices else choices[0]


def write_choice(name: Choice, value: str, default: str) -> None:
    """Put a choice into the address; the default stays out of it."""
    write_values({name: unless(value, default)})


def read_words(name: Parameter) -> list[str]:
    """The words of a list with commas, each once."""
    return list(dict.fromkeys(word for word in (read_value(name) or "").split(",") if word))


def read_several(name: Several, known: Sequence[str], default: Sequence[str]) -> list[str]:
    """Those choices in the address that are known; the default where it says nothing."""
    value = read_value(name)
    return list(default) if value is None else [choice for choice in value.split(",") if choice in known]


def write_several(name: Several, chosen: Sequence[str], known: Sequence[str], default: Sequence[str]) -> None:
    """Put choices into the address in their known order; the default stays out of it, and none are a dash."""
    ordered = [choice for choice in known if choice in chosen]
    write_values({name: None if set(chosen) == set(default) else ",".join(ordered) or "-"})


def read_number(name: Integer, default: int | None = None, most: int | None = None) -> int:
    """A whole number from the address; the default where it is none, or above the most."""
    values = read_integers(name)
    default, most = name.default if default is None else default, name.most if most is None else most
    return values[0] if len(values) == 1 and values[0] <= most else default


def write_number(name: Integer, value: int, default: int | None = None) -> None:
    """Put a whole number into the address; the default stays out of it."""
    write_values({name: unless(str(value), str(name.default if default is None else default))})


def read_integers(name: Integer | Integers) -> list[int]:
    """Whole numbers with dots between them; none where the address is damaged."""
    return integers(read_value(name) or "")


def write_integers(name: Integers, values: Sequence[int]) -> None:
    """Put whole numbers into the address; none take the key out."""
    write_values({name: ".".join(map(str, values)) or None})


def integers(text: str) -> list[int]:
    """The numbers of "3.1.4"; none where a part is no number, or a longer one than any token id.

    >>> integers("3.1.4"), integers("3.x"), integers("")
    ([3, 1, 4], [], [])
    """
    parts = text.split(".")
    return [int(part) for part in parts] if all(part.isdecimal() and len(part) < 8 for part in parts) else []


def read_float(name: Real, default: float | None = None) -> float:
    """A number from the address; the default where it is none or out of bounds."""
    default = name.default if default is None else default
    try:
        value = float(read_value(name) or "")
    except ValueError:
        return default
    return value if math.isfinite(value) and name.least <= value <= name.most else default


def write_float(name: Real, value: float, default: float | None = None) -> None:
    """Put a number into the address; the default stays out of it."""
    write_values({name: unless(f"{value:.6g}", f"{name.default if default is None else default:.6g}")})


def read_switch(name: Switch) -> bool:
    """A switch from the address."""
    value = read_value(name)
    return name.default if value not in ("yes", "no") else value == "yes"


def write_switch(name: Switch, value: bool) -> None:
    """Put a switch into the address; the default stays out of it."""
    write_values({name: None if value == name.default else "yes" if value else "no"})
