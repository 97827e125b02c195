"""The predicting page in a real browser, from a cold server's deep link to a reload."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_cold_deep_link_shows_the_distribution_and_what_is_written_stays(
    serve: Callable[..., str], open_page: Callable[[str], Page]
) -> None:
    cold = serve(ROOT / "app.py")
    page = open_page(f"{cold}/generate?text=The+cat+sat&top_k=7")
    expect(page.get_by_text("7 of 4,096 tokens remain")).to_be_visible()
    figure = page.get_by_role("figure", name=re.compile("Probability of every token"))
    expect(figure.locator(".trace.scatter").first).to_be_visible()
    page.get_by_role("radio", name="Generate", exact=True).click()
    page.get_by_role("button", name="Step").click()
    expect(page.get_by_text(re.compile("^1 token · "))).to_be_visible()
    page.wait_for_url(re.compile(r"branch=\d+"))
    branch = page.url
    page.reload()
    expect(page.get_by_text(re.compile("^1 token · "))).to_be_visible()
    assert page.url == branch


def go(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).first.click()


@pytest.mark.slow
def test_branches_survive_the_menu_and_a_generated_text_has_a_door(
    app_server: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"{app_server}/generate?generate=write&text=The+cat+sat")
    for count in ("1 token", "2 tokens"):
        step = page.get_by_role("button", name="Step", exact=True)
        expect(step).to_have_count(1)
        step.click()
        expect(page.get_by_text(re.compile(f"^{count} · "))).to_be_visible()
    page.locator(".st-key-alternatives button.row:not(.chosen)").first.click()
    branches = page.get_by_text(re.compile("^All branches; bar"))
    expect(branches).to_be_visible()
    page.wait_for_url(re.compile(r"branch=\d+\.\d+"))
    branch = re.search(r"branch=[\d.]+", page.url)
    assert branch is not None
    go(page, "Attention")
    expect(page.get_by_role("heading", name="Attention", exact=True)).to_be_visible()
    go(page, "Predict and generate")
    expect(branches).to_be_visible()
    assert branch[0] in page.url
    page.get_by_role("link", name="Look at its attention").click()
    page.wait_for_url(re.compile(r"/(attention)?\?.*text=The\+cat\+sat\+"))


@pytest.mark.slow
def test_a_predicted_token_leads_through_the_layers_to_the_heads_that_wrote_it(
    app_server: str, open_page: Callable[[str], Page]
) -> None:
    page = open_page(f"{app_server}/generate?text=The+cat+sat&query=2")
    page.get_by_role("button", name="In the logit lens").click()
    expect(page.get_by_text(re.compile("^After 2 ␣cat, "))).to_be_visible()
    page.wait_for_url(re.compile("generate=lens"))
    page.get_by_role("link", name="Which heads wrote it").click()
    expect(page.get_by_text("Logit contributions by component")).to_be_visible()
    assert "section=writes" in page.url
    assert "query=2" in page.url
