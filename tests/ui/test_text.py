"""What a person or a file says is never markup."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import UserError
from ui.text import error_sentence, inert

HARM = ["![i](http://x/y.png)", "[Sign in](https:evil.example)", "http://evil.example", "www.evil.example", "$x$"]
HARM += [
    ":red[now]",
    ":material/warning:",
    ":smile:",
    "<img src=x>",
    "**bold**",
    "`code`",
    "``",
    "a@b.example",
    "~~x~~",
]


@pytest.mark.parametrize("text", HARM)
def test_markup_becomes_a_code_span(text):
    shown = inert(text)
    fence = shown[: len(shown) - len(shown.lstrip("`"))]
    assert fence
    assert shown.endswith(fence)
    assert fence not in shown[len(fence) : -len(fence)].strip(" ").strip("`") or "`" in text
    assert text in shown


@pytest.mark.parametrize(
    "text", ["books-decoder", "smollm2-135m", "Wörter und 词", "3.14", "it's (fine), really; yes?"]
)
def test_plain_words_stay_as_they_are(text):
    assert inert(text) == text


@given(st.text())
def test_a_span_holds_no_run_of_its_fence(text):
    shown = inert(text)
    if shown.startswith("`"):
        fence = shown[: len(shown) - len(shown.lstrip("`"))]
        inner = shown[len(fence) : len(shown) - len(fence)]
        assert all(len(run) != len(fence) for run in inner.split() if set(run) == {"`"})
    assert "\n" not in shown


def test_an_error_quotes_without_markup():
    error = UserError("{name} has no folder {path}: {n:,} files.", name="![x](http://y)", path=Path("/a/b_c"), n=1200)
    assert error_sentence(error) == "`![x](http://y)` has no folder `/a/b_c`: 1,200 files."
    assert error_sentence(UserError("Plain {braces} stay.")) == "Plain {braces} stay."


def test_a_shared_server_tells_no_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path / "cache"))
    error = UserError("{root} cannot be written ({reason}).", root=tmp_path / "cache" / "models", reason="no room")
    assert str(tmp_path) in error_sentence(error)
    monkeypatch.setenv("PLAYGROUND_HOSTED", "1")
    assert error_sentence(error) == "…/models cannot be written (no room)."
    for folder in (Path.cwd(), Path.home(), Path(sys.prefix), tmp_path):
        assert str(folder) not in inert(f"No such file: {folder}/x.json")
    assert inert("a/b and c") == "a/b and c"
