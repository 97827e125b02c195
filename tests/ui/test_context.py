"""What stays in the address: an address that the browser sent too early gives way, a link and its history do not."""

import pytest
from streamlit.testing.v1 import AppTest

from ui.state import context

SCRIPT = """
import streamlit as st
from ui.state.address import read_text, read_choice, write_values
from ui.state.context import enter_page, leave_page
from ui.state.parameters import ABLATION, ANSWER
from ui.state.revisions import revision
from ui.widgets.mirror import mirrored
name = st.session_state.get("wanted", "ablate")
enter_page(name)
st.button("to dog", on_click=write_values, args=({ANSWER: "dog"},))
st.button("to zero", on_click=write_values, args=({ABLATION: "zero"},))
st.text_input("Token", read_text(ANSWER), **mirrored(ANSWER, read_text(ANSWER)))
st.text(f"{read_text(ANSWER)}|{read_choice(ABLATION, ['mean', 'zero'])}|{revision(ANSWER)}")
leave_page(name)
"""


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_string(SCRIPT).run()


def sent(app: AppTest, **address: str) -> AppTest:
    """The app as the browser asks for it, with this address."""
    app.query_params.clear()
    for key, value in address.items():
        app.query_params[key] = value
    return app


def test_what_was_written_survives_a_click_that_was_sent_before_the_browser_knew(app: AppTest) -> None:
    app.button[0].click().run()
    assert app.text[0].value == "dog|mean|1"
    # The address of this click is the one from before the last.
    sent(app).button[1].click().run()
    assert app.text[0].value == "dog|zero|1"
    sent(app, answer="dog").run()
    assert app.text[0].value == "dog|zero|1"


def test_a_link_on_the_same_page_is_heard(app: AppTest) -> None:
    app.button[0].click().run()
    sent(app, answer="cat").run()
    assert app.text[0].value == "cat|mean|2"
    assert app.text_input[0].value == "cat"


def test_the_menu_on_the_page_that_is_open_changes_nothing(app: AppTest) -> None:
    app.button[0].click().run()
    sent(app, answer="dog").run()
    assert sent(app).run().text[0].value == "dog|mean|1"


def test_the_browser_history_brings_back_what_the_page_had(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    app.button[0].click().run()
    monkeypatch.setattr(context, "_is_history", lambda: True)
    assert sent(app).run().text[0].value == "|mean|2"
    assert app.text_input[0].value == ""
    monkeypatch.setattr(context, "_is_history", lambda: False)
    assert app.run().text[0].value == "|mean|2"


def test_history_to_another_page_takes_nothing_along(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    app.button[1].click().run()
    app.session_state["wanted"] = "inside"
    monkeypatch.setattr(context, "_is_history", lambda: True)
    assert sent(app, model="books-encoder").run().text[0].value == "|mean|0"
    app.session_state["wanted"] = "ablate"
    monkeypatch.setattr(context, "_is_history", lambda: False)
    assert sent(app).run().text[0].value == "|zero|0"
    assert app.query_params["model"] in ("books-encoder", ["books-encoder"])


def test_typing_keeps_the_widget_and_a_value_from_elsewhere_renews_it(app: AppTest) -> None:
    first = app.text_input[0].proto.id
    app.text_input[0].set_value("a dog").run()
    assert app.text[0].value == "a dog|mean|0"
    assert app.text_input[0].proto.id == first
    app.button[0].click().run()
    assert app.text_input[0].value == "dog"
    assert app.text_input[0].proto.id != first
