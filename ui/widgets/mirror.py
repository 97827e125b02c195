"""A widget that mirrors the address: what is chosen is written at once, what stands in the address is shown.

Several widgets, a picture and a link may set one parameter. The address is the truth: before the widget is drawn it
takes the value from there, and its callback writes there before the script runs.
"""

import streamlit as st

from ui.state.address import unless, write_values
from ui.state.parameters import Parameter


def mirror(parameter: Parameter, value: object) -> str:
    """Let the widget of this parameter show a value; returns the widget's key."""
    key = str(parameter)
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    return key


def write_mirrored(parameter: Parameter, default: object = "") -> None:
    """Put what the widget says into the address; the default stays out of it. A widget's callback."""
    value = st.session_state[str(parameter)]
    write_values({parameter: None if value is None else unless(str(value), str(default))})
