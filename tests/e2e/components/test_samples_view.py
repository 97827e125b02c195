"""Samples over training in a real browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

Open = Callable[..., Page]
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def address(serve: Callable[..., str]) -> str:
    """The address of the page with samples."""
    return serve(HERE / "samples_app.py")


def test_each_kind_is_shown_as_text(open_page: Open, address: str) -> None:
    page = open_page(address)
    expect(page.locator(".written .prompt")).to_have_text("Once upon a time Anna had")
    expect(page.locator(".written .continuation")).to_contain_text("she met <img src=x onerror=alert(1)> there.")
    rows = page.locator("tr[data-kind=answer]")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("correct")
    expect(rows.nth(1)).to_contain_text("wrong")
    expect(rows.nth(1)).to_contain_text("<img src=x onerror=alert(1)>")
    expect(page.locator(".answers caption")).to_have_text("1 of 2 correct")
    assert page.locator("img[src=x]").count() == 0


def test_masked_words_show_their_guesses(open_page: Open, address: str) -> None:
    page = open_page(address)
    wrong = page.locator("button.masked[data-position='2']")
    expect(wrong).to_have_accessible_name("␣dog, wrong; reference: cat")
    expect(wrong.locator(".instead")).to_have_text("cat")
    expect(page.locator("button.masked.right")).to_have_text("mat")
    guesses = page.locator(".holder", has=wrong).locator(".guesses")
    expect(guesses).to_be_hidden()
    wrong.focus()
    expect(guesses).to_be_visible()
    expect(guesses.locator("li")).to_have_count(3)
    expect(guesses.locator("li.right .numeric")).to_have_text("0.240")
    widths = guesses.locator("li .share").evaluate_all("bars => bars.map((bar) => bar.style.inlineSize)")
    assert widths == ["62%", "24%", "5%"]


def test_the_slider_goes_back_and_the_newest_is_followed(open_page: Open, address: str) -> None:
    page = open_page(address)
    slider = page.get_by_role("slider", name="Samples over training")
    expect(slider).to_have_attribute("aria-valuetext", "step 400")
    page.get_by_role("button", name="Next evaluation").click()
    expect(slider).to_have_attribute("aria-valuetext", "step 500")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator(".continuation")).to_contain_text("on day 1")
    page.get_by_role("button", name="Next evaluation").click()
    expect(slider).to_have_attribute("max", "5")
    expect(slider).to_have_attribute("aria-valuetext", "step 100")
    page.get_by_role("button", name="Follow the newest").click()
    expect(page.locator(".continuation")).to_contain_text("on day 6")


def test_one_evaluation_needs_no_slider_and_none_a_sentence(open_page: Open, address: str) -> None:
    page = open_page(address, count=1)
    expect(page.locator(".continuation")).to_be_visible()
    expect(page.locator(".over")).to_be_hidden()
    empty = open_page(address, count=0)
    expect(empty.get_by_text("The first samples appear at the first evaluation.")).to_be_visible()
