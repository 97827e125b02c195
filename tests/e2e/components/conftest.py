"""Opens the small test pages and reads what their components show."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def attention_address(serve: Callable[..., str]) -> str:
    """The address of the page with attention views."""
    return serve(HERE / "attention_app.py")


@pytest.fixture
def complaints() -> list[str]:
    """Errors that the browser's console and pages reported."""
    return []


@pytest.fixture
def open_page(new_page: Callable[..., Page], complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """Open an address in a fresh page; console errors are collected and fail the test at its end."""

    def open_it(address: str, *, theme: Any = "light", width: int = 1400, height: int = 1000, **query: Any) -> Page:
        page = new_page(width=width, height=height, scheme=theme)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto(f"{address}/?{urlencode(query)}" if query else address)
        return page

    yield open_it
    assert complaints == []


@pytest.fixture
def open_view(open_page: Callable[..., Page], attention_address: str) -> Callable[..., Page]:
    """Open a case of the attention page and wait until it is painted and its exact map has arrived."""

    def open_it(case: str, *, state: dict[str, Any] | None = None, exact: bool = True, **more: Any) -> Page:
        query = {"case": case, "exact": "yes" if exact else "no"}
        if state:
            query["state"] = json.dumps(state)
        page = open_page(attention_address, **query, **more)
        page.locator(".root[data-paint]").first.wait_for()
        if exact and case != "empty" and page.locator("[data-part=heatmap]").first.is_visible():
            wait_until_exact(page)
        return page

    return open_it


def wait_until_exact(page: Page) -> None:
    """Wait until the heatmap shows float32 values."""
    page.locator("[data-part=heatmap][data-exact=true]").first.wait_for()
    page.locator(".st-key-report [data-testid=stText]").wait_for()


def hover_cell(page: Page, row: int, column: int) -> dict[str, Any]:
    """Point at a cell of the unzoomed heatmap and return what is shown for it."""
    x, y = cell_position(page, row, column)
    page.mouse.move(x, y)
    page.locator(".figure[data-hover]").first.wait_for()
    shown = page.locator(".figure[data-hover]").first.get_attribute("data-hover")
    return dict(json.loads(shown or "{}"))


def cell_position(page: Page, row: int, column: int) -> tuple[float, float]:
    """Return the middle of a cell of the unzoomed heatmap, in page coordinates."""
    heatmap = page.locator("[data-part=heatmap]").first
    heatmap.scroll_into_view_if_needed()
    box = heatmap.bounding_box()
    data = heatmap.evaluate("node => ({...node.dataset})")
    assert box is not None
    x = box["x"] + float(data["left"]) + (column + 0.5) * float(data["width"]) / int(data["columns"])
    y = box["y"] + float(data["top"]) + (row + 0.5) * float(data["height"]) / int(data["rows"])
    return x, y


def thumb_position(page: Page, layer: int, head: int, layers: int, heads: int) -> tuple[float, float]:
    """Return the middle of a thumbnail in page coordinates."""
    box = page.locator(".thumbs").first.bounding_box()
    assert box is not None
    side, top = 22, 5
    x = box["x"] + side + (head + 0.5) * (box["width"] - side) / heads
    return x, box["y"] + top + (layer + 0.5) * (box["height"] - top - 2) / layers


def reported(page: Page) -> dict[str, Any]:
    """Return the state that Python returned last."""
    return dict(json.loads(page.locator(".st-key-report [data-testid=stText]").inner_text()))


def wait_for_report(page: Page, text: str) -> dict[str, Any]:
    """Wait until Python's state contains this text, and return the state."""
    page.locator(".st-key-report [data-testid=stText]", has_text=text).wait_for()
    return reported(page)
