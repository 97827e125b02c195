"""One of a few words, chosen on the page and kept in the address as no language changes it."""

from collections.abc import Mapping

import streamlit as st

from ui import state


def choose_word(
    name: str, title: str, titles: Mapping[str, str], *, key: str | None = None, hidden: bool = False
) -> str:
    """The word that is chosen among those with a title; the first is the usual one and stays out of the address."""
    words = list(titles)
    word = st.segmented_control(
        title,
        words,
        default=state.read_word(name, words),
        key=key or f"choose_{name}",
        format_func=titles.__getitem__,
        label_visibility="collapsed" if hidden else "visible",
        required=True,
    )
    state.write_word(name, word, words[0])
    return word
