"""The browser's back and forward: one step for each act, and the state that was there."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_context import PAGES, open_from_menu, parameters, text_area
from tests.helpers.settling import settle

MAT, HAT = "The cat sat on the mat", "Anna gave Ben a red hat."


def choose(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).click()
    settle(page)


def expect_state(page: Page, *, text: str, chosen: str, **address: str) -> None:
    """The text and a choice as they stand on the page, and all that the address says."""
    page.wait_for_url(lambda url: parameters(url) == {"text": text, **address})
    expect(text_area(page)).to_have_value(text)
    expect(page.get_by_role("radio", name=chosen, exact=True)).to_be_checked()


@pytest.mark.slow
def test_choices_texts_and_pages_are_gone_back_from_and_forward_to(
    app_server: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"{app_server}/ablate?text={MAT.replace(' ', '+')}")
    expect(text_area(page)).to_be_visible()
    settle(page)
    choose(page, "Zero")
    choose(page, "Find heads")
    text_area(page).fill(HAT)
    page.wait_for_url(lambda url: parameters(url).get("text") == HAT)
    settle(page)
    open_from_menu(page, "inside")
    for text, chosen, address in (
        (HAT, "Find heads", {"by": "zero", "section": "heads"}),
        (MAT, "Find heads", {"by": "zero", "section": "heads"}),
        (MAT, "Zero", {"by": "zero"}),
        (MAT, "Mean", {}),
    ):
        page.go_back()
        expect_state(page, text=text, chosen=chosen, **address)
        settle(page)
    page.go_forward()
    expect_state(page, text=MAT, chosen="Zero", by="zero")


@pytest.mark.slow
def test_each_page_is_one_step_and_a_head_and_a_switch_come_back(
    app_server: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"{app_server}/attention?head=1.1")
    heads, switch = page.get_by_label("All heads: layers"), page.locator(".st-key-set_aside input")
    expect(heads).to_be_visible()
    settle(page)
    heads.focus()
    for key in ("ArrowRight", "ArrowDown"):
        head = page.url
        page.keyboard.press(key)
        page.wait_for_url(lambda url, head=head: url != head)
        settle(page)
    page.get_by_text("Exclude first token").click()
    page.wait_for_url("**set_aside**")
    settle(page)
    walk = ("scaling", "inside", "emergence")
    for name in walk:
        open_from_menu(page, name)
    for name in (*walk[-2::-1], "attention"):
        page.go_back()
        expect(page.locator("h1")).to_have_text(PAGES[name])
        settle(page)
    expect(switch).to_be_checked()
    for head, is_set in (("2.2", False), ("1.2", False), ("1.1", False)):
        page.go_back()
        page.wait_for_url(f"**head={head}")
        expect(page.locator(".st-key-bar_head_panel").filter(has_text=f"Head {head}").first).to_be_visible()
        expect(switch).to_be_checked(checked=is_set)
        settle(page)
