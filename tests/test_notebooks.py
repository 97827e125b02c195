"""The notebooks run from the first cell to the last, and what they show paints in a browser without a network."""

import os
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, nbformat.NotebookNode]:
    """All notebooks, executed in a folder of their own."""
    elsewhere = tmp_path_factory.mktemp("notebooks")
    settings = {
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    found = {}
    for path in NOTEBOOKS:
        notebook = nbformat.read(path, as_version=4)
        client = NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(elsewhere)}})
        client.execute(env={**os.environ, **settings, "HOME": str(elsewhere)})
        found[path.stem] = notebook
    return found


def outputs(notebook: nbformat.NotebookNode, kind: str) -> list[str]:
    """What the cells show, of one media type."""
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return [output.data[kind] for output in shown if kind in output.get("data", {})]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page without a network; whatever goes wrong on it fails the test."""
    trouble: list[str] = []
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    opened = context.new_page()
    opened.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.on("request", lambda request: trouble.append(request.url) if request.url.startswith("http") else None)
    yield opened
    context.close()
    assert trouble == []


def test_there_is_one_for_each_journey() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["csv_to_law", "text_to_picture", "train"]
    for path in NOTEBOOKS:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert not any(cell.get("outputs") for cell in notebook.cells), "save notebooks without outputs"


def test_no_cell_fails_and_none_warns(executed: dict[str, nbformat.NotebookNode]) -> None:
    for name, notebook in executed.items():
        for cell in notebook.cells:
            errors = [output.text for output in cell.get("outputs", []) if output.get("name") == "stderr"]
            # Where ipywidgets is not installed, tqdm says so at its first import.
            assert [text for text in errors if "ipywidgets" not in text] == [], (name, cell.source)


def test_the_picture_of_the_law_has_its_runs_and_lines(executed: dict[str, nbformat.NotebookNode]) -> None:
    (figure,) = outputs(executed["csv_to_law"], "application/vnd.plotly.v1+json")
    names = [trace.get("name", "") for trace in figure["data"]]
    assert sum(name.endswith(" tokens") for name in names) >= 3
    text = "".join(
        output.text for cell in executed["csv_to_law"].cells for output in cell.get("outputs", []) if "text" in output
    )
    assert "the law predicts" in text


@pytest.mark.parametrize(("name", "frames"), [("text_to_picture", 6), ("train", 1)])
def test_what_a_notebook_shows_paints_in_frames_of_its_own(
    executed: dict[str, nbformat.NotebookNode], page: Page, name: str, frames: int
) -> None:
    shown = [text for text in outputs(executed[name], "text/html") if "playground-view" in text]
    assert len(shown) == frames
    page.set_content("<!doctype html>" + "".join(shown))
    for number in range(frames):
        page.locator("iframe").nth(number).scroll_into_view_if_needed()
        frame = page.frame_locator("iframe").nth(number)
        frame.locator("canvas, .chip, .row").first.wait_for()
        assert frame.locator(".root").first.inner_text().strip() != ""


@pytest.mark.parametrize(("before", "after"), [("", ""), ("<div>", "</div>")])
def test_a_frame_fills_its_place(
    executed: dict[str, nbformat.NotebookNode], browser: Browser, before: str, after: str
) -> None:
    """marimo puts an element of its own around every frame, as high as what is in it."""
    page = browser.new_page()
    shown = next(text for text in outputs(executed["text_to_picture"], "text/html") if "playground-view" in text)
    wrapped = shown.replace("<iframe", f"{before}<iframe").replace("</iframe>", f"</iframe>{after}")
    page.set_content(f"<!doctype html>{wrapped}")
    place, frame = (page.locator(name).bounding_box() for name in (".playground-view", "iframe"))
    assert place is not None
    assert place["height"] > 300
    assert frame == place
    page.close()


@pytest.mark.parametrize(("mark", "dark"), [('data-jp-theme-light="false"', True), ('class="vscode-light"', False)])
def test_a_frame_takes_the_theme_of_its_notebook(
    executed: dict[str, nbformat.NotebookNode], browser: Browser, mark: str, dark: bool
) -> None:
    context = browser.new_context(color_scheme="no-override")  # type: ignore[arg-type]
    page = context.new_page()
    shown = next(text for text in outputs(executed["text_to_picture"], "text/html") if "playground-view" in text)
    page.set_content(f"<!doctype html><body {mark}>{shown}")
    page.frame_locator("iframe").locator(".root[data-paint]").wait_for()
    assert page.frames[1].evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is dark
    context.close()
