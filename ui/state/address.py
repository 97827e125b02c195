"""Texts, words and numbers in the address."""

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence

import streamlit as st

PLAIN_LENGTH = 600
"""Longer texts travel compressed: an address much longer than this is cut by mail programs and proxies."""
_COMPRESSED = "~"


def read_text(name: str, otherwise: str, *, limit: int) -> str:
    """A text from the address, or the other one. A damaged one counts as absent."""
    value = st.query_params.get(name)
    if value is None:
        return otherwise
    return unpack(value, otherwise, limit)[:limit]


def write_text(name: str, text: str | None) -> None:
    """Put a text into the address; None takes it out."""
    if text is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != pack(text):
        st.query_params[name] = pack(text)


def replace_text(name: str, text: str) -> None:
    """Put a text into the address and into its area, whatever was typed there."""
    write_text(name, text)
    st.session_state[f"{name}_revision"] = text_revision(name) + 1


def text_revision(name: str) -> int:
    """How often the text of that name was replaced: a live text area takes a new value only with a new number."""
    return int(st.session_state.get(f"{name}_revision", 0))


def pack(text: str) -> str:
    """A text as it stands in an address: as it is, or compressed behind a tilde where it is long."""
    if len(text) <= PLAIN_LENGTH and not text.startswith(_COMPRESSED):
        return text
    return _COMPRESSED + base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def unpack(value: str, otherwise: str, limit: int) -> str:
    """What `pack` packed; at most `limit` characters are decompressed, so that a short link cannot be a bomb."""
    if not value.startswith(_COMPRESSED):
        return value
    body = value[len(_COMPRESSED) :]
    try:
        content = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        return zlib.decompressobj().decompress(content, 4 * limit).decode(errors="ignore")
    except (binascii.Error, zlib.error, ValueError):
        return otherwise


def read_word(name: str, choices: Sequence[str]) -> str:
    """A choice from the address, in a word that no language changes; the first choice where it says none of them."""
    value = st.query_params.get(name)
    return value if value is not None and value in choices else choices[0]


def write_word(name: str, value: str, usual: str) -> None:
    """Put a choice into the address; the usual one stays out of it."""
    write_values({name: unless(value, usual)})


def read_number(name: str, otherwise: int, most: int) -> int:
    """A whole number from the address; the other one where it is none, or above the most."""
    value = numbers(st.query_params.get(name, ""))
    return value[0] if len(value) == 1 and value[0] <= most else otherwise


def write_number(name: str, value: int, usual: int) -> None:
    """Put a whole number into the address; the usual one stays out of it."""
    write_word(name, str(value), str(usual))


def numbers(text: str) -> list[int]:
    parts = text.split(".")
    return [int(part) for part in parts] if all(part.isdecimal() and len(part) < 6 for part in parts) else []


def ids_of(text: str) -> list[int]:
    parts = text.split(".")
    return [int(part) for part in parts] if all(part.isdecimal() and len(part) < 8 for part in parts) else []


def unless(value: str, usual: str) -> str | None:
    return None if value == usual else value


def write_values(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != value:
            st.query_params[name] = value
