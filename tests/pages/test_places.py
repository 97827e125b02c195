"""What a page shows keeps its place in the next run: what is moved is drawn anew, and its old self stands below."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers.page_script import run_page
from ui.shell import page_icons

PASSING = {"empty", "progress"}
"""What stands where something is to come."""
MODEL_PAGES = ("attention", "inside", "tokens", "generate", "ablate", "evaluate")


def places(app: AppTest) -> dict[tuple[int, ...], str]:
    """The kinds of all elements by their places: the numbers of the containers they stand in, and their own."""
    found: dict[tuple[int, ...], str] = {}

    def walk(node: Any, place: tuple[int, ...]) -> None:
        if not hasattr(node, "children"):
            found[place] = node.type
            return
        for number, child in node.children.items():
            walk(child, (*place, number))

    walk(app._tree, ())
    return {place: kind for place, kind in found.items() if kind not in PASSING}


@pytest.mark.parametrize("page", page_icons())
def test_the_second_run_moves_nothing(page: str, small_folder: Path):
    """In the first the model is loaded, in the second it is there: with progress and without."""
    parameters = {"model": str(small_folder), "text": "the cat sat on the mat"} if page in MODEL_PAGES else {}
    app = run_page(page, **parameters)
    assert not app.exception
    first = places(app)
    assert len(first) > 5
    assert places(app.run()) == first


@pytest.mark.parametrize("page", MODEL_PAGES)
def test_another_text_moves_nothing(page: str):
    app = run_page(page, text="Mary saw a lamb near the old mill")
    first = places(app)
    app.query_params["text"] = "Tom had a very small dog"
    assert places(app.run()) == first
