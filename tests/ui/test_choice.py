"""A choice among a few options: there is always one."""

import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]


def page() -> None:
    import streamlit as st

    from ui.widgets.choice import choose_segment

    st.text(choose_segment("Example", ["3", "5"], "5", format_func=str, key="example"))


def test_the_default_stands_in_for_none():
    app = AppTest.from_function(page).run()
    assert app.text[0].value == "5"
    (control,) = app.get("button_group")
    control.set_value("3").run()
    assert app.text[0].value == "3"
    (control,) = app.get("button_group")
    control.set_value(None).run()
    assert not app.exception
    assert app.text[0].value == "5"


def test_no_page_asks_streamlit_itself():
    files = [path for folder in ("ui", "pages") for path in (ROOT / folder).rglob("*.py")]
    asking = [path.name for path in files if re.search(r"\bsegmented_control\(", path.read_text())]
    assert asking == ["choice.py"]
