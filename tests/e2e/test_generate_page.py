"""The predicting page in a real browser, from a cold server's deep link to a reload."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90_000


@pytest.mark.slow
def test_a_cold_deep_link_shows_the_distribution_and_what_is_written_stays(
    serve: Callable[..., str], open_page: Callable[[str], Page]
) -> None:
    cold = serve(ROOT / "app.py")
    page = open_page(f"{cold}/generate?text=The+cat+sat&top_k=7")
    expect(page.get_by_text("7 of 4,096 tokens remain")).to_be_visible(timeout=PATIENCE)
    figure = page.get_by_role("figure", name=re.compile("Probability of every token"))
    expect(figure.locator(".trace.scatter").first).to_be_visible(timeout=PATIENCE)
    page.get_by_role("radio", name="Generate", exact=True).click()
    page.get_by_role("button", name="Step").click(timeout=PATIENCE)
    expect(page.get_by_text(re.compile("^1 token · "))).to_be_visible(timeout=PATIENCE)
    page.wait_for_url(re.compile(r"branch=\d+"), timeout=PATIENCE)
    branch = page.url
    page.reload()
    expect(page.get_by_text(re.compile("^1 token · "))).to_be_visible(timeout=PATIENCE)
    assert page.url == branch
