"""Revisions: how often a parameter was set by something else than its widget.

A widget remembers what it showed, and the browser may send that again after the address has moved on. So it takes a
value from elsewhere (a link, the browser's history, a click in a picture) by being another widget, under a new key.
"""

import streamlit as st


def revision(parameter: str) -> int:
    """How often the parameter was set past its widget in this session."""
    return int(st.session_state.get(f"{parameter}_revision", 0))


def renew(parameter: str) -> None:
    """Let the parameter's widget begin anew with what the address says."""
    st.session_state[f"{parameter}_revision"] = revision(parameter) + 1


def widget_key(parameter: str, name: str = "") -> str:
    """The key of a parameter's widget, by default the parameter's own; another after each revision."""
    number = revision(parameter)
    return f"{name or parameter}.{number}" if number else name or str(parameter)


def fresh_key(name: str, value: object) -> str:
    """The key of a widget that is to show this value: a new one where the widget last said another."""
    key = widget_key(name)
    if key in st.session_state and st.session_state[key] != value:
        renew(name)
    return widget_key(name)
