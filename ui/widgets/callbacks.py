"""Buttons whose deed is done before the script runs, so that no click is lost while a page keeps looking again."""

from collections.abc import Callable

import streamlit as st

from playground.errors import UserError
from ui.state.scaling import leave_trouble, take_trouble


def deed_button(label: str, name: str, deed: Callable[[], object], *, icon: str) -> None:
    """A button that does a deed; why it could not be done is said below it.

    A part of a page that follows a run is often cut short by its own next look: what stands after an `if st.button`
    would then never come.
    """

    def act() -> None:
        try:
            deed()
        except UserError as error:
            leave_trouble(name, str(error))

    st.button(label, icon=f":material/{icon}:", key=name, on_click=act)
    if trouble := take_trouble(name):
        st.error(trouble, icon=":material/error:")
