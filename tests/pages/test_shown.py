"""A server that shows some pages, or takes no files, says so to whoever asks for the others."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

APP = Path(__file__).resolve().parents[2] / "app.py"


def run() -> AppTest:
    return AppTest.from_file(str(APP), default_timeout=60).run()


def test_without_a_choice_the_first_page_answers_at_the_root():
    app = run()
    assert not app.exception
    assert app.title[0].value == "Attention"


def test_the_first_page_that_is_shown_answers_at_the_root(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PLAYGROUND_PAGES", "glossary,scaling")
    app = run()
    assert not app.exception
    assert "Scaling" in app.title[0].value


def test_a_page_that_is_not_shown_is_a_sentence():
    app = AppTest.from_string("from ui.shell import _say_not_shown\n_say_not_shown()").run()
    assert "This server does not show this page." in app.info[0].value


def test_where_no_files_are_taken_a_sentence_stands_in_their_place(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PLAYGROUND_UPLOADS", "no")
    app = AppTest.from_string(
        "from ui.widgets.upload import upload\nimport streamlit as st\nst.write(upload('A file') is None)"
    ).run()
    assert "This server takes no files. Paste what is in them" in app.caption[0].value
    assert "True" in app.markdown[0].value
