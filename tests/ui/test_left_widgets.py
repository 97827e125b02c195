"""What a session knows of widgets that left its page."""

from streamlit.runtime.state.session_state import SessionState
from streamlit.testing.v1 import AppTest

from ui.left_widgets import KEPT, forget_left_widgets


def page() -> None:
    import streamlit as st

    st.session_state.turn = st.session_state.get("turn", 0) + 1
    st.button("Again", key="again")
    for number in range(50):
        st.text_input("Text", key=f"text.{st.session_state.turn}.{number}")
    st.selectbox("Kept", ["a", "b"], key="kept")


def known_widgets(test: AppTest) -> tuple[int, int, int]:
    """How many a session knows, and their keys both ways."""
    state = test.session_state._state._state  # the tester's guard, the session's, and what they guard
    keys = state._key_id_mapper
    return len(state._new_widget_state.widget_metadata), len(keys.id_key_mapping), len(keys._key_id_mapping)


def run_often(times: int) -> AppTest:
    test = AppTest.from_function(page).run()
    test.selectbox(key="kept").set_value("b").run()
    for _ in range(times):
        test.button(key="again").click().run()
    return test


def test_what_left_the_page_long_ago_is_forgotten_and_what_stands_there_is_not(monkeypatch):
    monkeypatch.setattr(SessionState, "on_script_finished", SessionState.on_script_finished)
    forget_left_widgets.__wrapped__()
    test = run_often(10)
    assert known_widgets(test) == (KEPT + 52,) * 3
    assert test.selectbox(key="kept").value == "b"
    last = test.session_state.turn
    test.text_input(key=f"text.{last}.7").set_value("typed").run()
    assert test.session_state.turn == last + 1
    assert not test.exception
