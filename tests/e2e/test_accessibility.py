"""axe-core finds nothing serious or critical on any page, in either theme; the main journeys go by keyboard alone."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90_000
PAGES = (
    *("", "attention?mode=texts", "inside", "inside?section=hand", "generate", "generate?generate=surprisal"),
    *("ablate", "ablate?section=patch", "train", "scaling", "scaling?section=plan", "emergence", "glossary"),
)
STREAMLITS = {
    # Streamlit's own markup, which no page can change.
    "aria-allowed-attr": ("stPopover", "stSelectbox", "stMenuButton", "stTooltip"),
    "nested-interactive": ("stPopover", "stExpander", "stTooltip", "stFileUploader"),
}
"""Rules that fail inside these elements of Streamlit's: by rule, the test ids."""


@pytest.fixture(scope="module")
def address(serve: Callable[..., str]) -> str:
    return serve(ROOT / "app.py")


def open_settled(browser: Browser, address: str, scheme: str) -> Page:
    page = browser.new_page(viewport={"width": 1400, "height": 1000}, color_scheme=scheme)
    page.goto(address)
    page.locator("h1").first.wait_for(timeout=PATIENCE)
    page.wait_for_timeout(1000)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator("[data-stale=true]")).to_have_count(0, timeout=PATIENCE)
    page.wait_for_timeout(1000)
    return page


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious(browser: Browser, address: str, path: str, scheme: str) -> None:
    page = open_settled(browser, f"{address}/{path}", scheme)
    try:
        violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    finally:
        page.close()
    found = [
        f"{violation['id']}: {node['target']} {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
        if not any(name in str(node) for name in STREAMLITS.get(violation["id"], ()))
    ]
    assert not found, "\n".join(found)
