"""What no widget sends counts as untouched, before a callback or a page reads it."""

import json

import pytest
import streamlit as st
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.testing.v1 import AppTest

from ui.state.incoming import accepted_value, has_true_selection, held_value, hold_incoming, is_possible

hold_incoming()


class Options:
    """What Streamlit keeps of a choice of numbers."""

    options = (3, 5)
    formatted_option_to_option_index = {"three": 0, "five": 1}  # noqa: RUF012

    def read(self, value: str | None) -> int | str:
        return 3 if value is None else self.options[self.formatted_option_to_option_index[value]]


@pytest.mark.parametrize(
    ("value_type", "value", "is_one"),
    [
        ("bool_value", True, True),
        ("bool_value", "yes", False),
        ("double_value", 1.5, True),
        ("double_value", True, False),
        ("int_value", "3", False),
        ("string_value", 3, False),
        ("string_array_value", ["a", "b"], True),
        ("string_array_value", [1.0], False),
        ("double_array_value", [1.0, 2], True),
        ("double_array_value", ["a"], False),
        ("json_value", {"anything": []}, True),
        ("json_value", "[", False),
        ("json_value", None, False),
    ],
)
def test_a_value_is_of_the_widgets_kind(value_type: str, value: object, is_one: bool):
    assert is_possible(None, value_type, value) is is_one


def test_options_that_are_no_texts_are_the_only_ones():
    read = Options().read
    assert [accepted_value(read, "string_value", value) for value in ("five", "evil", 5, None)] == [5, 3, 3, 3]


def test_what_cannot_be_read_counts_as_untouched():
    assert accepted_value(lambda value: 7 if value is None else json.loads(value), "json_value", "[") == 7
    assert accepted_value(lambda value: 7 if value is None else int(value), "double_value", float("inf")) == 7
    assert held_value(WidgetState(id="x", json_value="[" * 100_000)) is None
    assert held_value(WidgetState(id="x", json_value='{"a": 1}')) == {"a": 1}


class Chosen:
    def __init__(self, rows: object) -> None:
        self.selection = {"rows": rows}


@pytest.mark.parametrize(
    ("rows", "is_true"), [([0, 2], True), ([], True), (["a"], False), ([True], False), ([-1], False), (None, False)]
)
def test_a_selection_names_rows_by_their_numbers(rows: object, is_true: bool):
    assert has_true_selection(Chosen(rows)) is is_true


def page() -> None:
    import pandas as pd
    import streamlit as st

    def note() -> None:
        st.session_state["noted"] = st.session_state["choice"] * 2

    st.selectbox("Choice", [3, 5], format_func=str, key="choice", on_change=note)
    st.number_input("Number", 0, 10, 4, key="number")
    st.checkbox("Switch", key="switch")
    picked = st.dataframe(pd.DataFrame({"a": [1, 2]}), on_select="rerun", selection_mode="single-row", key="table")
    st.write(st.session_state["choice"] + st.session_state["number"], sum(picked.selection.rows))


def test_a_page_lives_through_forged_states_and_hears_true_ones():
    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    ids = {widget.label: widget.id for widget in (*app.selectbox, *app.number_input, *app.checkbox)}
    table = app.dataframe[0].proto.id
    forged = WidgetStates()
    forged.widgets.extend(
        [
            WidgetState(id=ids["Choice"], string_value="![i](http://evil.example)"),
            WidgetState(id=ids["Number"], string_value="many"),
            WidgetState(id=ids["Switch"], double_value=float("nan")),
            WidgetState(id=table, string_value='{"selection":{"rows":["a"]}}'),
        ]
    )
    app._run(forged, timeout=60)
    assert not app.exception
    assert "7" in app.markdown[0].value
    true = WidgetStates()
    true.widgets.extend(
        [WidgetState(id=ids["Choice"], string_value="5"), WidgetState(id=ids["Number"], double_value=9)]
    )
    app._run(true, timeout=60)
    assert not app.exception
    assert "14" in app.markdown[0].value
    assert app.session_state["noted"] == 10


def test_streamlit_has_what_is_held():
    assert st.__version__ == "1.67.0"  # another one: look at ui/state/incoming.py first
