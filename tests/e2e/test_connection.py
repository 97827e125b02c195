"""The line to the server is cut while a person types and chooses: the page says so, and nothing is lost."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.helpers.relay import Relay, relay
from tests.helpers.settling import PATIENCE, settle

STATE = "data-test-connection-state"
SENTENCE = re.compile("^No connection to the server")


@pytest.fixture
def line(app_server: str) -> Iterator[Relay]:
    with relay(urlsplit(app_server).port or 0) as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Of its own: the errors of a cut line stand in its console."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    yield context.new_page()
    context.close()


def open_at(page: Page, line: Relay, path: str) -> None:
    page.goto(f"{line.address}/{path}")
    settle(page)


def cut(page: Page, line: Relay) -> None:
    line.cut()
    expect(page.get_by_test_id("stApp")).not_to_have_attribute(STATE, "CONNECTED")
    expect(page.get_by_role("status").filter(has_text=SENTENCE)).to_be_visible()


def mend(page: Page, line: Relay) -> None:
    line.mend()
    expect(page.get_by_test_id("stApp")).to_have_attribute(STATE, "CONNECTED", timeout=PATIENCE)
    expect(page.get_by_text(SENTENCE)).to_have_count(0)


@pytest.mark.slow
def test_a_text_and_a_head_are_sent_when_the_line_is_back(page: Page, line: Relay):
    open_at(page, line, "?text=The+cat+sat")
    heads = page.locator(".root[data-paint]").first
    expect(heads).to_be_visible()
    cut(page, line)
    page.locator(".live-text textarea").first.fill("A dog ran")
    page.wait_for_timeout(1000)  # longer than typing pauses before the text is reported
    assert "text=The+cat+sat" in page.url
    mend(page, line)
    page.wait_for_url(re.compile(r"text=A\+dog\+ran"), timeout=PATIENCE)


@pytest.mark.slow
def test_of_several_steps_the_last_one_is_opened_when_the_line_is_back(page: Page, line: Relay):
    open_at(page, line, "inside?text=The+cat+sat&head=1.2&query=2&step=mask")
    expect(page.locator("button[aria-current=step]")).to_have_text("7 Mask")
    cut(page, line)
    for name in ("2 Norm", "8 Softmax"):
        page.get_by_role("button", name=name, exact=True).dispatch_event("click")
    mend(page, line)
    page.wait_for_url(re.compile("step=softmax"), timeout=PATIENCE)
    expect(page.get_by_role("heading", name=re.compile("8. Softmax"))).to_be_visible()
