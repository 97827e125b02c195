"""The glossary's hints on the attention page: by pointer, by tap and by the Tab key, closed by Escape."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.test_keyboard import FOCUSED
from tests.helpers.settling import settle_work

HINT = ".playground-hint"
TOKEN, INDUCTION = "Webster and Kit 1992", "Olsson et al. 2022"
CAPTION = "[data-testid=stMarkdown]:has-text('Where does each token look?')"
COLUMN, SCORE = ".heads [data-sort=induction]", ".head-scores dt [data-score=induction]"
PLACE_OF_TERM = """form => {
    for (const { startContainer: node, startOffset, endOffset } of CSS.highlights.get("playground-term") ?? []) {
        if (node.data.slice(startOffset, endOffset) !== form) continue;
        const range = document.createRange();
        range.setStart(node, startOffset);
        range.setEnd(node, endOffset);
        const { x, y, width, height } = range.getBoundingClientRect();
        return [x + width / 2, y + height / 2];
    }
    return null;
}"""
MOST_TABS = 100


def show_attention(page: Page, address: str) -> Page:
    page.goto(f"{address}/attention?head=1.1")
    expect(page.locator(COLUMN)).to_be_visible()
    settle_work(page)
    page.wait_for_function(PLACE_OF_TERM, arg="token")
    return page


@pytest.fixture
def page(new_page: Callable[..., Page], app_server: str) -> Page:
    """The attention page, with its terms marked."""
    return show_attention(new_page(), app_server)


@pytest.fixture
def telephone(browser: Browser, app_server: str) -> Iterator[Page]:
    """The same on a small screen that is touched."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    yield show_attention(context.new_page(), app_server)
    context.close()


def explains(page: Page, source: str) -> None:
    """Wait for the hint, which lies within the window; Escape closes it."""
    hint = page.locator(HINT)
    expect(hint).to_contain_text(source)
    box, window = hint.bounding_box(), page.viewport_size
    assert box is not None
    assert window is not None
    assert box["x"] >= 0
    assert box["y"] >= 0
    assert box["x"] + box["width"] <= window["width"]
    assert box["y"] + box["height"] <= window["height"]
    page.keyboard.press("Escape")
    expect(hint).to_be_hidden()


def tap(page: Page, part: Locator) -> None:
    part.scroll_into_view_if_needed()
    part.tap()


def tab_to_part(page: Page, part: Locator) -> None:
    """Press Tab until a part of the page has the focus."""
    for _press in range(MOST_TABS):
        page.keyboard.press("Tab")
        if part.evaluate("node => node.matches(':focus')"):
            return
    pytest.fail(f"Tab did not reach it; the focus is at {page.evaluate(FOCUSED)}")


@pytest.mark.slow
def test_a_term_is_explained_where_the_pointer_rests(page: Page) -> None:
    page.mouse.move(*page.evaluate(PLACE_OF_TERM, "token"))
    explains(page, TOKEN)
    page.mouse.move(*page.evaluate(PLACE_OF_TERM, "Induction head"))
    explains(page, INDUCTION)
    for name in (COLUMN, SCORE):
        page.locator(name).hover()
        explains(page, INDUCTION)
    page.locator(SCORE).hover(position={"x": 2, "y": 2})
    page.mouse.move(2, 2)
    expect(page.locator(HINT)).to_be_hidden()
    # What a press shows is not covered.
    page.locator(COLUMN).hover()
    explains(page, INDUCTION)
    page.mouse.down()
    expect(page.locator(HINT)).to_be_hidden()
    page.mouse.up()


@pytest.mark.slow
def test_a_tap_explains_and_does_what_it_did(telephone: Page) -> None:
    telephone.touchscreen.tap(*telephone.evaluate(PLACE_OF_TERM, "token"))
    explains(telephone, TOKEN)
    tap(telephone, telephone.locator(COLUMN))
    expect(telephone.locator(".heads th[aria-sort=descending]")).to_have_text("induction")
    explains(telephone, INDUCTION)
    tap(telephone, telephone.locator(SCORE))
    explains(telephone, INDUCTION)


@pytest.mark.slow
def test_the_tab_key_comes_to_terms_without_many_stops(page: Page) -> None:
    hint = page.locator(HINT)
    tab_to_part(page, page.locator(CAPTION))
    expect(hint).to_contain_text("attention head")
    faults = Axe().run(page).response["violations"]
    assert [fault["id"] for fault in faults if fault["impact"] in ("serious", "critical")] == []
    explains(page, TOKEN)
    for name in (SCORE, COLUMN):
        tab_to_part(page, page.locator(name))
        assert INDUCTION in (page.locator(name).get_attribute("aria-description") or "")
        explains(page, INDUCTION)
        assert page.locator(name).get_attribute("aria-description") is None
    stops = page.evaluate("() => document.querySelectorAll('[data-term-stop]').length")
    assert 0 < stops <= 6


@pytest.mark.slow
def test_a_segment_is_explained_and_chosen(telephone: Page, app_server: str) -> None:
    telephone.goto(f"{app_server}/ablate")
    segment = telephone.get_by_role("radio", name="Direct logit attribution")
    expect(segment).to_be_visible()
    settle_work(telephone)
    telephone.wait_for_function(PLACE_OF_TERM, arg="Direct logit attribution")
    tap(telephone, segment)
    telephone.wait_for_url("**section=writes**")
    explains(telephone, "Elhage et al. 2021")
