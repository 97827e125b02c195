"""Buttons whose action runs before the script, so that no click is lost while a page polls."""

from collections.abc import Callable

import streamlit as st

from playground.errors import UserError
from ui.state.session import keep_error, take_error
from ui.text import error_sentence


def action_button(label: str, name: str, action: Callable[[], object], *, icon: str) -> None:
    """A button with an action; a UserError of the action is shown below it.

    A fragment that follows a run is often cut short by its own next poll: what stands after an `if st.button` would
    then never run.
    """

    def on_click() -> None:
        try:
            action()
        except UserError as error:
            keep_error(name, error_sentence(error))

    st.button(label, icon=f":material/{icon}:", key=name, on_click=on_click)
    if message := take_error(name):
        st.error(message, icon=":material/error:")
