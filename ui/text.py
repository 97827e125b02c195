"""The session's language: `?lang=` in the address, kept from page to page."""

from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from playground.text import language_source
from ui.state.address import read_value, write_choice
from ui.state.parameters import LANGUAGE

KEPT = "language"
"""The session key of the language: a page that is opened from the menu starts with an empty address."""


def adopt_language() -> None:
    """Take the language from the address, else from the session, and put it into both."""
    language = read_value(LANGUAGE)
    if language not in LANGUAGE.values:
        language = session_language()
    st.session_state[KEPT] = language
    write_choice(LANGUAGE, language, LANGUAGE.values[0])


def session_language() -> str:
    """The language of the session whose script runs here; English in threads that belong to none."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return LANGUAGE.values[0]
    return str(st.session_state.get(KEPT, LANGUAGE.values[0]))


def page_link(page: str, *parameters: tuple[str, str]) -> str:
    """The address of another page, in this session's language: a new tab begins a session of its own."""
    language = session_language()
    own = [] if language == LANGUAGE.values[0] else [(str(LANGUAGE), language)]
    return f"{page}?{urlencode([*parameters, *own])}"


language_source(session_language)
