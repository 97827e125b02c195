"""Motion: whoever asks for less of it gets none, in the page and in each component, which the page cannot style."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [path for folder in ("ui", "playground") for path in sorted((ROOT / folder).rglob("*"))]
REDUCED = re.compile(r"@media \(prefers-reduced-motion: reduce\) \{\n(.*?)\n\}", re.DOTALL)
MOVING = re.compile(r"([^{}]+)\{[^{}]*\b(?:transition|animation)(?:-[a-z]+)?:(?! *(?:none|0s)\b)[^{}]*\}")
SMOOTH = re.compile(r"behavior: *[\"']smooth|scroll-behavior: smooth|\.animate\(")


def moving_rules(sheet: str) -> set[str]:
    """The selectors of what moves, but for those that stand still where less motion is asked for."""
    still = " ".join(REDUCED.findall(sheet))
    moving = {match[1].strip() for match in MOVING.finditer(REDUCED.sub("", sheet))}
    return {selector for selector in moving if selector not in still}


@pytest.mark.parametrize("path", [path for path in SOURCES if path.suffix == ".css"], ids=lambda path: path.stem)
def test_what_moves_stands_still_where_less_motion_is_asked_for(path: Path) -> None:
    assert not moving_rules(path.read_text(encoding="utf-8"))


def test_a_rule_that_moves_is_found() -> None:
    assert moving_rules("a { color: red }\n.bar { transition: opacity 1s; }") == {".bar"}
    assert not moving_rules(".bar { transition-duration: 0s !important; }\n.car { transition: none; }")
    still = "@media (prefers-reduced-motion: reduce) {\n  .bar { transition: none; }\n}"
    assert not moving_rules(f".bar {{ transition: opacity 1s; }}\n{still}")


def test_nothing_moves_that_streamlit_draws() -> None:
    rules = " ".join(REDUCED.findall((ROOT / "ui" / "shell.css").read_text(encoding="utf-8")))
    assert re.search(r"\*, ::before, ::after \{[^}]*animation-duration: 0\.01ms !important", rules)
    assert "transition-duration: 0.01ms !important" in rules


def test_no_script_scrolls_smoothly_or_animates() -> None:
    scripts = [path for path in SOURCES if path.suffix == ".js"]
    assert len(scripts) > 20
    assert not [path.name for path in scripts if SMOOTH.search(path.read_text(encoding="utf-8"))]
