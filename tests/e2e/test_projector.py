"""Projector mode: one picture fills the window, in larger type, and goes back to its place."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.settling import settle

FONT = (
    "node => Math.max(...[...node.querySelectorAll('.xtick text')].map(t => parseFloat(getComputedStyle(t).fontSize)))"
)

PICTURES = {
    "emergence": ".st-key-ability_chart",
    "attention": ".st-key-heads",
    "attention?mode=bertviz": "[data-testid=stElementContainer]:has(> iframe)",
}


@pytest.mark.slow
@pytest.mark.parametrize("path", list(PICTURES))
def test_one_picture_fills_the_window_and_goes_back(
    app_server: str, open_page: Callable[[str], Page], path: str
) -> None:
    page = open_page(f"{app_server}/{path}")
    picture = page.locator(PICTURES[path])
    expect(picture).to_be_visible()
    settle(page)
    before, size = picture.bounding_box(), page.viewport_size
    sidebar, caption = page.get_by_test_id("stSidebar"), page.get_by_test_id("stCaptionContainer").first
    page.keyboard.press("p")
    expect(sidebar).to_be_hidden()
    expect(caption).to_be_hidden()
    page.wait_for_function("height => document.querySelector('[data-projected]').clientHeight > height", arg=700)
    assert before is not None
    assert size is not None
    box = picture.bounding_box()
    assert box is not None
    assert box["width"] > 0.95 * size["width"]
    assert box["y"] + box["height"] <= size["height"]
    if path == "emergence":
        assert picture.locator(".plot").evaluate(FONT) == pytest.approx(1.4 * 11)
    if "bertviz" in path:
        last = page.frame_locator("iframe").locator("svg text").last.bounding_box()
        assert last is not None
        assert last["y"] + last["height"] <= box["y"] + box["height"]
    page.get_by_role("button", name="Leave projector mode").click()
    expect(sidebar).to_be_visible()
    expect(caption).to_be_visible()
    page.wait_for_function("!document.querySelector('[data-projected], [data-projected-way]')")
    settle(page)
    assert picture.bounding_box() == before
