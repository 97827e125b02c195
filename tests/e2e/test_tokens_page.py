"""The page Tokens in a real browser: a token that is clicked opens its steps, and a reload brings them back."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.settling import settle


@pytest.mark.slow
def test_a_token_that_is_clicked_opens_its_steps(app_server: str, open_page: Callable[[str], Page]) -> None:
    page = open_page(f"{app_server}/tokens?text=an+unbelievable+cat")
    expect(page.get_by_text("Token 2: “␣un”")).to_be_visible()
    settle(page)
    page.get_by_role("list", name="The text as tokens").locator("[data-index='8']").click()
    page.wait_for_url(re.compile("query=8"))
    expect(page.get_by_text("Token 8: “␣cat”")).to_be_visible()
    expect(page.get_by_text("Token 2: “␣un”")).to_be_hidden()
    page.reload()
    expect(page.get_by_text("Token 8: “␣cat”")).to_be_visible()
