"""What a person takes along: every way from page to page keeps the model, the text, the head and the token."""

import itertools
import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, TimeoutError, expect

from tests.helpers.settling import settle

MODEL_PAGES = {
    "attention": "Attention",
    "inside": "Inside the model",
    "generate": "Predict and generate",
    "ablate": "Take it apart",
}
PAGES = {
    **MODEL_PAGES,
    "tokens": "Tokens",
    "train": "Train",
    "finetune": "Fine-tune",
    "evaluate": "Evaluate",
    "scaling": "Scaling",
    "emergence": "Emergence",
    "glossary": "Glossary",
}
TYPED = "Anna gave Ben a red hat, and Ben gave Anna a blue one."
CARRIED = {"model": "books-encoder", "text": TYPED, "head": "2.1", "query": "4"}


def every_pair(names: list[str]) -> list[str]:
    """A walk along the menu that goes from each page to each other one once (Hierholzer's algorithm)."""
    left = {name: [other for other in names if other != name] for name in names}
    stack, walk = [names[0]], []
    while stack:
        if left[stack[-1]]:
            stack.append(left[stack[-1]].pop())
        else:
            walk.append(stack.pop())
    return walk[::-1]


def test_the_walk_visits_every_ordered_pair_once():
    walk = every_pair(list(PAGES))
    pairs = list(itertools.pairwise(walk))
    assert len(pairs) == len(set(pairs)) == len(PAGES) * (len(PAGES) - 1)


def open_from_menu(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=PAGES[name], exact=True).first.click()
    expect(page.locator("h1")).to_have_text(PAGES[name])
    settle(page)


def parameters(url: str) -> dict[str, str]:
    return {key: values[-1] for key, values in parse_qs(urlsplit(url).query).items()}


def text_area(page: Page) -> Locator:
    return page.locator(".st-key-bar_text textarea")


def check_context(page: Page, *, model: str, text: str, token: str, head: str = "") -> None:
    """The bar shows what was chosen; without a head where a page looks at none."""
    expect(page.locator(".st-key-bar_model")).to_contain_text(model)
    expect(text_area(page)).to_have_value(text)
    if head:
        panel = page.locator(".st-key-bar_head_panel").filter(has_text=f"Head {head}")
        expect(panel.first).to_be_visible()
    expect(page.locator("[class*=st-key-bar_token] input")).to_have_value(re.compile(f"^{token}"))


@pytest.mark.slow
def test_every_way_from_page_to_page_keeps_model_text_head_and_token(
    open_page: Callable[[str], Page], app_server: str
) -> None:
    page = open_page(f"{app_server}/attention?model=books-encoder")
    text_area(page).fill(TYPED)
    page.wait_for_url(lambda url: parameters(url).get("text") == TYPED)
    expect(page.locator(".st-key-bar_head_panel")).to_be_visible()
    settle(page)
    choose_head(page, 2, 1)
    choose_token(page, "4")
    for name in every_pair(list(PAGES))[1:]:
        open_from_menu(page, name)
        if name in MODEL_PAGES:
            check_context(page, model="books-encoder", text=TYPED, head="2.1", token="4 ")
        elif name == "tokens":
            check_context(page, model="books-encoder", text=TYPED, token="4 ")
        wait_until_carried(page, name)
    page.reload()
    expect(page.locator("h1")).to_have_text(PAGES["attention"])
    settle(page)
    check_context(page, model="books-encoder", text=TYPED, head="2.1", token="4 ")
    # In a narrow window the menu lies over the page: the choice closes it.
    page.set_viewport_size({"width": 600, "height": 900})
    page.get_by_test_id("stExpandSidebarButton").click()
    open_from_menu(page, "scaling")
    expect(page.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "true")


def wait_until_carried(page: Page, name: str) -> None:
    """The page's address has what was chosen; where it never does, the failure says what it has."""
    try:
        page.wait_for_url(lambda url: CARRIED.items() <= parameters(url).items())
    except TimeoutError:
        pytest.fail(f"{name} has the address {page.url}")


def choose_head(page: Page, layer: int, head: int) -> None:
    page.locator(".st-key-bar_head_panel button").first.click()
    for key, value in (("bar_layer", layer), ("bar_head", head)):
        page.locator(f"[class*=st-key-{key}]:not([class*=panel]) input").click()
        page.get_by_role("option", name=str(value), exact=True).click()
        settle(page)
    page.keyboard.press("Escape")


def choose_token(page: Page, position: str) -> None:
    page.locator("[class*=st-key-bar_token] input").click()
    page.get_by_role("option").filter(has_text=position).first.click()
    settle(page)
