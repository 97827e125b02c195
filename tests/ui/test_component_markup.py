"""What a component sends before its script runs cannot be used, nor found without its labels."""

import re
from pathlib import Path

import pytest

COMPONENTS = Path(__file__).resolve().parents[2] / "ui" / "components"
MARKUP = re.compile(r'"""(<.*?>)\s*"""', re.DOTALL)
WITH_CONTROLS = [
    (path.parent.name, markup)
    for path in sorted(COMPONENTS.glob("*/__init__.py"))
    for markup in MARKUP.findall(path.read_text())
    if re.search(r"<(button|input|select|textarea)\b", markup)
]


@pytest.mark.parametrize(("name", "markup"), WITH_CONTROLS)
def test_controls_wait_for_the_script(name: str, markup: str) -> None:
    assert re.match(r"<\w+[^>]* (inert|hidden)>", markup), name


def test_controls_are_found() -> None:
    assert {name for name, _markup in WITH_CONTROLS} == {"copy_field", "first_steps", "live_text", "page_frame"}
