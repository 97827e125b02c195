"""Names that strangers give (a model, a label, a column, a run, a token): shown as text wherever they are shown."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from tokenizers import Tokenizer

from benchmarks.seat import strings_in
from playground.lens import trace
from playground.models import load
from playground.show import heads
from playground.training.run.runs import write_about
from tests.helpers.forgery import HOST, PLAIN, is_active
from tests.helpers.page_script import charts, run_page, words
from tests.helpers.quiet_runs import put, root, trained

__all__ = ["root", "trained"]
NAME = f'![i](http://{HOST}/i)<a href="//{HOST}">x</a><img src=x onerror=a>'
PLAIN_KINDS = ("Text", "Code", "Json", "ArrowDataFrame", "BidiComponent", "TextInput", "TextArea")
"""Elements whose strings a browser shows as they are."""
DRAWN = ("name", "text", "ticktext", "customdata", "hovertemplate", "hovertext", "title", "x", "y", "labels")
"""Parts of a figure that plotly reads for tags."""
TAG = re.compile(r"<\s*(?:a|img|script|svg|iframe)\b", re.IGNORECASE)


class Tags(HTMLParser):
    """The tags of a document that name the stranger's host, or run something."""

    def __init__(self) -> None:
        super().__init__()
        self.live: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if (name in ("src", "href", "srcset") and HOST in (value or "")) or name.startswith("on"):
                self.live.append(f"{tag} {name}={value}")


def live_tags(document: str) -> list[str]:
    parser = Tags()
    parser.feed(document)
    return parser.live


def live_parts(app: AppTest) -> Iterator[tuple[str, str]]:
    """Where a name of a stranger's has come alive on the page, or would in a chart."""
    for node in app._tree:  # type: ignore[attr-defined]
        proto = getattr(node, "proto", None)
        kind = getattr(getattr(proto, "DESCRIPTOR", None), "name", "")
        if proto is None or kind in PLAIN_KINDS:
            continue
        for where, text in strings_in(proto):
            if kind == "Html":
                yield from ((where, tag) for tag in live_tags(text))
            elif HOST in text and not PLAIN.search(where) and is_active(text):
                yield f"{kind}.{where}", text
    for chart in charts(app):
        yield from (("chart", text) for text in drawn(chart["figure"]) if TAG.search(text))


def drawn(part: Any, name: str = "") -> Iterator[str]:
    """The strings of a figure that plotly reads for tags."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key not in ("meta", "template"):
                yield from drawn(value, key)
    elif isinstance(part, list):
        for value in part:
            yield from drawn(value, name)
    elif isinstance(part, str) and name in DRAWN:
        yield part


def check(app: AppTest, *, says: bool = True) -> None:
    assert not app.exception
    assert list(live_parts(app)) == []
    everything = words(app) + str(app.main)
    assert not says or HOST in everything or any(HOST in str(chart) for chart in charts(app))


def test_the_check_sees_what_is_alive():
    app = AppTest.from_string(f"import streamlit as st\nst.markdown({NAME!r})\nst.html({NAME!r})").run()
    assert len(list(live_parts(app))) >= 3
    assert live_tags("<p>&lt;img src=http://evil.example&gt;</p>") == []


@pytest.mark.parametrize("page", ["attention", "inside", "tokens", "generate", "ablate", "evaluate"])
def test_a_models_name(page):
    check(run_page(page, model=NAME, other_model=NAME, predicted_by=NAME))


@pytest.mark.parametrize("parameter", ["before", "after"])
def test_a_fine_tuned_models_name(parameter):
    check(run_page("finetune", **{parameter: NAME}), says=False)


def quoted(*cells: str) -> str:
    return ",".join('"{}"'.format(cell.replace('"', '""')) for cell in cells) + "\n"


def test_a_label_in_a_table():
    table = quoted("label", "prediction") + quoted(NAME, "good") * 3 + quoted("good", NAME) * 3
    check(run_page("evaluate", section="classification", table=table))


def test_a_column_of_an_evaluated_table():
    table = quoted("label", "prediction", NAME) + quoted("good", "bad", NAME) * 4 + quoted("bad", "bad", "x") * 4
    check(run_page("evaluate", section="classification", table=table, sliced_by=NAME))


def test_a_column_and_a_run_of_a_table_of_points():
    rows = "".join(quoted(f"{10**n}", f"{10 ** (n + 1)}", f"{5 - n / 4}", f"{NAME} {n}") for n in range(5, 17))
    table = quoted(NAME, "tokens", "loss", "name") + rows
    for section in ("data", "curves"):
        check(run_page("scaling", section=section, source="table", points=table, columns=json.dumps({"params": NAME})))
    named = quoted("params", "tokens", "loss", "name") + rows
    check(run_page("scaling", section="curves", source="table", points=named))


def test_a_run(root, trained):
    for state in ("finished", "stopped"):
        write_about(put(root, trained, state, run_id=state.title()), NAME)
        check(run_page("train", run=state.title()))
    check(run_page("train"), says=False)  # in a table of cells, which are plain


@pytest.fixture
def hostile_folder(small_folder: Path) -> Path:
    """A model whose vocabulary has the name as one token."""
    file = small_folder / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.add_tokens([NAME])
    tokenizer.save(str(file))
    return small_folder


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("tokens", {}),
        ("tokens", {"section": "embedding", "query": "1"}),
        ("generate", {}),
        ("generate", {"generate": "surprise"}),
        ("generate", {"generate": "lens"}),
        ("inside", {}),
        ("ablate", {"section": "writes"}),
        ("ablate", {"section": "flow"}),
    ],
)
def test_a_token(hostile_folder, page, query):
    check(run_page(page, model=str(hostile_folder), text=f"the {NAME} cat", **query))


def test_a_token_and_a_models_name_in_a_page_of_its_own(hostile_folder):
    traced = trace(load(str(hostile_folder)), f"the {NAME} cat")
    assert any(HOST in token for token in traced.tokens)
    assert live_tags(heads(traced).html) == []
