"""Room: on a laptop the first picture begins within 280 pixels, no text is under 11, and first steps stay closed."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.accessibility import faint_texts, violations
from tests.helpers.settling import settle, settle_work

LAPTOP = {"width": 1400, "height": 900}
HIGHEST = 280
"""Pixels from the window's edge to the first row of data."""
FIRST_PICTURE = """() => {
    const pictures = ".js-plotly-plot, canvas, table, [data-testid=stDataFrame], .figure, .bars, .text, .grid";
    const others = ".st-key-page_head, .st-key-context_bar, [class*=first_steps], button";
    let first = Infinity;
    const walk = (node) => {
        if (node.nodeType !== Node.ELEMENT_NODE && !(node instanceof ShadowRoot)) return;
        if (node.matches?.(others)) return;
        const box = node.matches?.(pictures) && node.checkVisibility() && node.getBoundingClientRect();
        if (box && box.width >= 100 && box.height >= 30) first = Math.min(first, box.top);
        if (node.shadowRoot) walk(node.shadowRoot);
        for (const child of node.childNodes) walk(child);
    };
    walk(document.querySelector("[data-testid=stMain]"));
    return first;
}"""
SMALL_TEXTS = """() => {
    const small = [];
    const walk = (node) => {
        if (node.nodeType === Node.TEXT_NODE) {
            const parent = node.parentElement;
            if (!parent || !node.textContent.replaceAll("\\u200b", "").trim()) return;
            if (!parent.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return;
            const size = parseFloat(getComputedStyle(parent).fontSize);
            if (size < 10.95) small.push(`${node.textContent.trim().slice(0, 40)}: ${size} px`);
            return;
        }
        if (node.matches?.("style, script, option, iframe, annotation, .katex-mathml")) return;
        if (node.shadowRoot) walk(node.shadowRoot);
        for (const child of node.childNodes) walk(child);
    };
    walk(document.querySelector("[data-testid=stMain]"));
    return small;
}"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        "attention?mode=one",
        "attention?mode=texts",
        "attention?mode=models",
        "ablate?section=ablate",
        "ablate?section=patch",
        "inside",
        "inside?section=hand",
        "inside?section=many",
        "inside?section=positions",
        "generate?generate=lens",
        "generate?generate=surprise",
        "tokens?section=meaning",
        "tokens?section=sentences",
        "evaluate?section=perplexity",
        "evaluate?section=classification",
        "emergence?section=grokking",
        "finetune",
        "scaling?section=plan",
        "ablate?section=writes",
        "ablate?section=flow",
        "ablate?section=heads",
        "emergence",
        "scaling",
        "scaling?section=diagnostics",
        "scaling?section=allocation",
        "generate",
        "generate?generate=write",
        "tokens",
    ],
)
def test_the_first_picture_begins_near_the_top(app_server: str, open_page: Callable[[str], Page], path: str) -> None:
    page = open_page(f"{app_server}/{path}")
    page.set_viewport_size(LAPTOP)
    settle_work(page)
    page.wait_for_function(f"() => Number.isFinite(({FIRST_PICTURE})())")
    assert page.evaluate(FIRST_PICTURE) <= HIGHEST
    assert not page.evaluate(SMALL_TEXTS)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["inside?step=all", "inside?section=many"])
def test_an_index_of_an_index_can_be_read(app_server: str, open_page: Callable[[str], Page], path: str) -> None:
    page = open_page(f"{app_server}/{path}")
    settle_work(page)
    expect(page.locator(".katex").first).to_be_visible()
    assert not page.evaluate(SMALL_TEXTS)


@pytest.mark.slow
def test_first_steps_stay_closed(app_server: str, open_page: Callable[[str], Page]) -> None:
    page = open_page(app_server)
    settle_work(page)
    close = page.get_by_role("button", name="I know transformers")
    expect(close).to_be_visible()
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    settle(page)
    assert faint_texts(page) == []
    close.click()
    expect(close).to_be_hidden()
    another = page.context.new_page()
    another.goto(app_server)
    page.reload()
    for visit in (page, another):
        expect(visit.get_by_label("All heads: layers")).to_be_visible()
        settle_work(visit)
        expect(visit.get_by_role("button", name="I know transformers")).to_be_hidden()
