"""The live text in a real browser: nothing typed is lost, and old echoes are ignored."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

Open = Callable[..., Page]
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def address(serve: Callable[..., str]) -> str:
    """The address of the page with a live text."""
    return serve(HERE / "live_text_app.py")


def area_of(page: Page) -> object:
    """Return the text area once it holds its first value."""
    area = page.locator(".live-text textarea")
    expect(area).to_have_value("The cat sat on the mat.")
    expect(page.get_by_text("returned: 'The cat sat on the mat.'")).to_be_visible()
    return area


def test_text_arrives_without_a_key(open_page: Open, address: str) -> None:
    page = open_page(address)
    area = page.locator(".live-text textarea")
    area_of(page)
    area.fill("")
    area.press_sequentially("one two", delay=20)
    expect(page.get_by_text("returned: 'one two'")).to_be_visible()


def test_control_enter_is_at_once(open_page: Open, address: str) -> None:
    page = open_page(address)
    area_of(page)
    page.locator(".live-text textarea").fill("now")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("returned: 'now'")).to_be_visible()


def test_typing_during_a_slow_run_loses_nothing(open_page: Open, address: str) -> None:
    page = open_page(address, slow="1.5")
    area = page.locator(".live-text textarea")
    area_of(page)
    area.click()
    page.keyboard.press("Control+Home")
    text = "abcdefghijklmnopqrstuvwxyz "
    for character in text:
        page.keyboard.type(character)
        page.wait_for_timeout(140 if character not in "hp" else 700)
    expect(area).to_have_value(text + "The cat sat on the mat.")
    assert area.evaluate("node => node.selectionStart") == len(text)
    expect(page.get_by_text(f"returned: '{text}The cat")).to_be_visible()


def test_a_new_revision_replaces_the_text(open_page: Open, address: str) -> None:
    page = open_page(address)
    area_of(page)
    area = page.locator(".live-text textarea")
    area.fill("mine")
    expect(page.get_by_text("returned: 'mine'")).to_be_visible()
    page.get_by_role("button", name="Numbers").click()
    expect(area).to_have_value("one two three " * 3)
    expect(page.get_by_text("returned: 'one two three")).to_be_visible()


def test_no_report_while_composing(open_page: Open, address: str) -> None:
    page = open_page(address)
    area_of(page)
    area = page.locator(".live-text textarea")
    area.evaluate("""node => {
        node.dispatchEvent(new CompositionEvent("compositionstart"));
        node.value = "ni";
        node.dispatchEvent(new InputEvent("input"));
    }""")
    page.wait_for_timeout(1200)
    expect(page.get_by_text("returned: 'The cat sat on the mat.'")).to_be_visible()
    area.evaluate("""node => {
        node.value = "你";
        node.dispatchEvent(new CompositionEvent("compositionend"));
    }""")
    expect(page.get_by_text("returned: '你'")).to_be_visible()


def test_length_is_bounded_and_labelled(open_page: Open, address: str) -> None:
    page = open_page(address)
    area_of(page)
    area = page.get_by_label("Text", exact=True)
    area.fill("")
    area.press_sequentially("x" * 130)
    expect(area).to_have_value("x" * 120)
    expect(page.locator(".live-text .count")).to_have_text("120 / 120")
    expect(area).to_have_attribute("dir", "auto")
    expect(area).to_have_attribute("spellcheck", "false")
