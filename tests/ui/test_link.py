"""What a link carries: what the page has read, and nobody's other runs; and what whoever opens it will miss."""

from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

SCRIPT = """
import streamlit as st
from ui.shell import opened
from ui.state.address import read_number, read_text, read_value
from ui.state.link import carried_values, leave_out, left_out
from ui.state.parameters import BEAMS, HEAD, MODEL, RUN, RUNS, TEXT
from ui.widgets.share import limits_of_link
try:
    with opened("generate"):
        read_text(TEXT), read_value(RUN), read_value(RUNS)
        if read_value(MODEL) == "early":
            raise LookupError
        if read_text(TEXT) == "uploaded":
            leave_out("No file.")
        if read_text(TEXT) == "bound":
            st.number_input("Beams", 1, 16, 4, key=BEAMS, bind="query-params")
except LookupError:
    pass
finally:
    st.session_state["carried"] = carried_values()
    st.session_state["missing"] = limits_of_link(st.query_params.get("opened_at", "https://host/"))
"""


def seen(**address: str) -> tuple[list[tuple[str, str]], list[str]]:
    """What a link carries from this address, and what it does not."""
    app = AppTest.from_string(SCRIPT)
    for key, value in address.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app.session_state["carried"], app.session_state["missing"]


def test_only_what_the_page_has_read_is_carried():
    carried, missing = seen(text="a cat", head="1.1", utm_source="news", sentences="x", lang="qps")
    assert carried == [("text", "a cat"), ("lang", "qps")]
    assert missing == []


def test_a_run_that_ended_early_may_not_have_read_all():
    carried, _missing = seen(text="a", head="1.1", model="early", utm_source="news")
    assert dict(carried) == {"text": "a", "head": "1.1", "model": "early"}


def test_the_value_of_a_bound_widget_is_carried_where_the_widget_is_shown():
    assert dict(seen(text="bound", beams="7")[0]) == {"text": "bound", "beams": "7"}
    assert "beams" not in dict(seen(text="a", beams="7")[0])


def test_nobody_is_sent_the_other_runs_of_this_browser():
    carried, _missing = seen(run="a1b2c3d4", runs="11111111,a1b2c3d4,22222222")
    assert dict(carried) == {"run": "a1b2c3d4", "runs": "a1b2c3d4"}
    assert seen(runs="11111111")[0] == []


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ({"text": "uploaded"}, "No file."),
        ({"opened_at": "http://localhost:8501/"}, "opens on this machine alone"),
        ({"opened_at": "http://127.0.0.1:8501/inside"}, "opens on this machine alone"),
        ({"model": "/models/mine"}, "whoever opens it needs the folder"),
    ],
)
def test_what_a_link_lacks_is_said(address, sentence):
    assert any(sentence in said for said in seen(**address)[1])


@pytest.mark.parametrize(
    ("days", "sentence"), [("7", "nobody has continued it for 7 days"), ("0", "only you can steer")]
)
def test_a_shared_run_says_who_steers_it_and_how_long_it_lies_there(monkeypatch, days, sentence):
    monkeypatch.setenv("PLAYGROUND_HOSTED", "1")
    monkeypatch.setenv("PLAYGROUND_RETENTION_DAYS", days)
    (said,) = seen(run="a1b2c3d4")[1]
    assert sentence in said


def test_what_is_carried_opens_the_same_page():
    address = {"text": "one, two: three. ", "run": "a1b2"}
    from playground.share_link import share_link

    link = share_link("https://host/inside", seen(**address)[0])
    assert {key: values[0] for key, values in parse_qs(link.partition("?")[2]).items()} == address
