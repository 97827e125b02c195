"""Every step's lines are there, and are what they are said to be."""

from pathlib import Path

import pytest

import playground
from playground.errors import UserError
from playground.lens.inspect.steps.code_lines import AFTER, CROSS, PLACES, code_lines

ROOT = Path(playground.__file__).parent.parent


@pytest.mark.parametrize("step", PLACES)
def test_lines_are_in_the_file(step):
    for is_cross, norms_after in [(False, False), (True, False), (False, True)]:
        if is_cross and step == "rotation":
            continue
        found = code_lines(step, is_cross=is_cross, norms_after=norms_after)
        lines = (ROOT / found.path).read_text().splitlines()[found.first - 1 : found.last]
        assert [line.strip() for line in lines] == [line.strip() for line in found.text.splitlines()]
        assert found.path in ("playground/transformer.py", "playground/attention.py")
        assert found.last - found.first < 6


def test_lines_do_what_the_step_says():
    says = {
        "embedding": "self.embedding(ids)",
        "norm": "layer(norm(residual)",
        "projection": "self.query_key_value(x)",
        "rotation": "self.rotate(",
        "seam": "attend(self, query, key, value",
        "scores": "@ key.transpose(-1, -2)",
        "mask": "scores(call) + mask",
        "softmax": ".softmax(-1)",
        "mix": "@ value",
        "output": "self.output(z",
        "residual": "residual + drop(",
    }
    assert set(says) == set(PLACES)
    for step, words in says.items():
        assert words in code_lines(step).text
    assert "self.key_value(encoded)" in code_lines("projection", is_cross=True).text
    assert "norm(residual + drop(" in code_lines("norm", norms_after=True).text
    assert set(CROSS) | set(AFTER) <= set(PLACES)


def test_refuses_what_is_not_there():
    with pytest.raises(UserError, match="no code"):
        code_lines("dreams")
    with pytest.raises(UserError, match="no code"):
        code_lines("rotation", is_cross=True)
