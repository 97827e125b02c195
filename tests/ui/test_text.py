"""Links to other pages stay in the session's language: a new tab begins a session of its own."""

import pytest

from ui import text
from ui.state.parameters import MODEL, RUN
from ui.text import page_link


def test_an_english_link_names_no_language():
    assert page_link("train", (RUN, "a-b")) == "train?run=a-b"
    assert page_link("attention", (MODEL, "run/a/500")) == "attention?model=run%2Fa%2F500"


@pytest.mark.parametrize("page", ["train", "scaling"])
def test_another_language_goes_along(page, monkeypatch):
    monkeypatch.setattr(text, "session_language", lambda: "qps")
    assert page_link(page, (RUN, "a&b")) == f"{page}?run=a%26b&lang=qps"
