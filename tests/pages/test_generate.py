"""The page that predicts and writes, as a script: every section, and everything a person can get wrong."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ui import state
from ui.warm import warm_up

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = f"""
import runpy
from ui import shell
token = shell._navigating.set(True)
try:
    runpy.run_path({str(ROOT / "pages" / "generate.py")!r})
finally:
    shell._navigating.reset(token)
"""


def page(**parameters: str) -> AppTest:
    warm_up()
    app = AppTest.from_string(SCRIPT, default_timeout=120)
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


def words(app: AppTest) -> str:
    kinds: list[Any] = [app.error, app.warning, app.info, app.markdown, app.caption, app.title, app.subheader]
    return "\n".join(str(element.value) for elements in kinds for element in elements)


def test_a_new_visitor_sees_what_comes_next():
    app = page(text="The cat")
    assert not app.exception
    assert not app.error
    assert "Entropy" in words(app)
    assert "Nothing is cut away." in words(app)


def test_what_the_options_cut_away_is_said_and_in_the_address():
    app = page(text="The cat", top_k="5", min_p="0.9")
    assert not app.exception
    assert "top-k cut away" in words(app)
    assert app.number_input(key=state.TOP_K).value == 5


@pytest.mark.parametrize("section", ["next"])
@pytest.mark.parametrize("text", ["", "a"])
def test_an_empty_text_and_one_of_one_token_are_no_trouble(section, text):
    app = page(text=text, generate=section)
    assert not app.exception
    assert not app.error
    assert ("no tokens" in words(app)) == (text == "")


def test_a_model_without_an_output_head_is_said_to_predict_nothing(save_model, tmp_path):
    folder = save_model("bert")
    _drop_head(folder)
    app = page(model=str(folder))
    assert not app.exception
    assert "no output head" in words(app)


def _drop_head(folder: Path) -> None:
    """Save the folder's model anew without its head for words."""
    import transformers

    transformers.AutoModel.from_pretrained(folder).save_pretrained(folder)


@pytest.mark.parametrize(
    "parameters",
    [{"generate": "nonsense"}, {"temperature": "x"}, {"top_p": "7"}, {"top_k": "-3"}, {"min_p": "nan"}],
)
def test_a_damaged_address_shows_the_usual(parameters):
    app = page(text="The cat", **parameters)
    assert not app.exception
    assert not app.error
