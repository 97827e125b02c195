"""What a page gives to take home: the Python under a picture runs as it stands and names its origin."""

import pytest

from tests.pages.script import run_page, words

TALE = "french: Anna gives the red ball to Ben."


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("inside", {"text": "The cat", "head": "0.1"}),
        ("ablate", {"text": "The cat", "by": "mean"}),
        ("inside", {"section": "many", "text": "The cat"}),
        ("inside", {"section": "positions"}),
        ("inside", {"section": "positions", "scheme": "relative", "length": "9", "heads": "2"}),
        ("inside", {"section": "hand"}),
        ("generate", {"text": "The cat", "top_k": "5"}),
        ("generate", {"text": "The cat", "generate": "write", "seed": "3"}),
        ("generate", {"text": "The cat", "generate": "surprise"}),
        ("generate", {"text": "The cat", "generate": "lens", "answer": " sat"}),
        ("generate", {"model": "books-encoder", "text": "The <|mask|> sat", "pair": "It slept."}),
        ("generate", {"model": "tales-translator", "text": TALE, "generate": "translate", "beams": "2"}),
    ],
)
def test_the_python_under_a_picture_runs_and_names_its_origin(name, parameters, capsys):
    app = run_page(name, **parameters)
    assert not app.exception
    assert not app.error, words(app)
    program = app.code[-1].value
    assert "# transformer-playground: " in program
    if "hand" not in parameters.values() and "relative" not in parameters.values():
        assert "# revision: sha256:" in program
        assert "# dtype: float32" in program
    exec(program, {})
    assert capsys.readouterr().out.strip()
    if "seed" in parameters:
        assert "# seed: 3" in program
