"""One of a few words, chosen on the page and kept in the address as no language changes it."""

from collections.abc import Mapping

import streamlit as st

from ui.state.address import read_choice, write_choice
from ui.state.parameters import Choice


def choose_option(
    name: Choice,
    title: str,
    titles: Mapping[str, str],
    *,
    key: str | None = None,
    hidden: bool = False,
    usual: str | None = None,
) -> str:
    """The word that is chosen among those with a title; the usual one (the first, or as named) is in no address."""
    words = list(titles)
    usual = words[0] if usual is None else usual
    word = st.segmented_control(
        title,
        words,
        default=read_choice(name, [usual, *words]),
        key=key or f"choose_{name}",
        format_func=titles.__getitem__,
        label_visibility="collapsed" if hidden else "visible",
        required=True,
    )
    write_choice(name, word, usual)
    return word
