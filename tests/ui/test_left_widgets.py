"""What a session knows of widgets that left its page."""

import pytest
from streamlit.runtime.state.session_state import SessionState
from streamlit.testing.v1 import AppTest

from ui.left_widgets import KEPT, OF_ONE_ELEMENT, forget_left_widgets


def page() -> None:
    import streamlit as st

    part = st.components.v2.component("part", html="<p></p>", js="export default () => {}")
    st.session_state.turn = st.session_state.get("turn", 0) + 1
    st.button("Again", key="again")
    for number in range(50):
        st.text_input("Text", key=f"text.{st.session_state.turn}.{number}")
    st.selectbox("Kept", ["a", "b"], key="kept")
    part(key="part", on_picked_change=lambda: None)


def known_widgets(test: AppTest) -> tuple[int, int, int]:
    """How many a session knows, and their keys both ways."""
    state = test.session_state._state._state  # the tester's guard, the session's, and what they guard
    keys = state._key_id_mapper
    return len(state._new_widget_state.widget_metadata), len(keys.id_key_mapping), len(keys._key_id_mapping)


def has_events(test: AppTest) -> bool:
    """Whether the session knows what to do with an event of the component."""
    known = test.session_state._state._state._new_widget_state.widget_metadata
    return any(name.endswith("__events") for name in known)


def run_often(times: int) -> AppTest:
    test = AppTest.from_function(page).run()
    test.selectbox(key="kept").set_value("b").run()
    for _ in range(times):
        test.button(key="again").click().run()
        assert has_events(test)
    return test


def test_what_left_the_page_long_ago_is_forgotten_and_what_stands_there_is_not(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(SessionState, "_set_widget_metadata", SessionState._set_widget_metadata)
    monkeypatch.setattr(SessionState, "on_script_finished", SessionState.on_script_finished)
    forget_left_widgets.__wrapped__()
    test = run_often(10)
    assert known_widgets(test)[0] == KEPT + OF_ONE_ELEMENT * 53
    assert max(known_widgets(test)) <= KEPT + OF_ONE_ELEMENT * 53
    assert test.selectbox(key="kept").value == "b"
    last = test.session_state.turn
    test.text_input(key=f"text.{last}.7").set_value("typed").run()
    assert test.session_state.turn == last + 1
    assert not test.exception
