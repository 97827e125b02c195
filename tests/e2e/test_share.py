"""A state is shared: by a short link, by a QR code, and as a picture alone in a page of somebody else's.

The server is a hosted one under a sub-path, as behind a proxy; the link is the one that the browser knows.
"""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from playground.share_link import qr_code
from tests.helpers.settling import settle, settle_work

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ("", "inside", "generate", "ablate", "tokens", "scaling", "emergence")


@pytest.fixture(scope="module")
def server(serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    runs = tmp_path_factory.mktemp("runs")
    return serve(ROOT / "asgi.py", environment={"PLAYGROUND_RUNS": str(runs), "PLAYGROUND_SLOTS": "1"}, base="play")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Put a document on another site; its address."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    site = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=site.serve_forever, daemon=True).start()

    def put(body: str) -> str:
        (tmp_path / "page.html").write_text(f"<!doctype html><title>A course</title>{body}", encoding="utf-8")
        return f"http://localhost:{site.server_address[1]}/page.html"

    yield put
    site.shutdown()


def fields(page: Page) -> tuple[str, str]:
    """The link and the frame's code in the open panel."""
    link, frame = page.locator(".st-key-share_panel textarea").all()
    return link.input_value(), frame.input_value()


def open_panel(page: Page) -> None:
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.locator(".st-key-share_panel textarea").nth(1)).to_be_visible()
    expect(page.get_by_role("img", name="QR code of the link")).to_be_visible()


@pytest.mark.slow
def test_a_link_is_short_says_what_the_browser_sees_and_brings_the_picture_back(
    server: str, open_page: Callable[[str], Page], tmp_path: Path
) -> None:
    page = open_page(f"{server}/inside?utm_source=mail&text=One%2C%20two%3A%20a%20cat.&head=1.1&query=2&sentences=x")
    settle_work(page)
    open_panel(page)
    link, _frame = fields(page)
    assert link == f"{server}/inside?text=One,+two:+a+cat.&head=1.1&query=2"
    expect(page.get_by_text("This address opens on this machine alone.")).to_be_visible()
    page.get_by_role("button", name="Copy: Link").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-share_link [role=status]")).not_to_be_empty()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download SVG: QR code").click()
    download.value.save_as(tmp_path / "code.svg")
    assert (tmp_path / "code.svg").read_text() == qr_code(link)
    page.keyboard.press("Escape")
    expect(page.locator(".st-key-share_panel")).to_have_count(0)
    other = open_page(link)
    settle_work(other)
    assert other.locator("textarea").first.input_value() == "One, two: a cat."
    for one in (page, other):
        expect(one.locator(".st-key-bar_head_panel").first).to_contain_text("Head 1.1")


@pytest.mark.slow
def test_a_link_that_is_too_long_for_a_code_says_what_to_do(server: str, open_page: Callable[[str], Page]) -> None:
    page = open_page(f"{server}/inside?text={'%C3%A9' * 150}")
    settle_work(page)
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_text("Shorten the text, or send the link itself.")).to_be_visible()


def is_picture_alone(frame: FrameLocator | Page) -> None:
    picture = frame.locator("[data-projected]")
    expect(picture).to_be_visible()
    for hidden in (
        "[data-testid=stSidebar]",
        "h1",
        ".st-key-context_bar",
        "[role=toolbar]",
        ".modebar",
        ".st-key-share",
    ):
        for node in frame.locator(hidden).all():
            expect(node).to_be_hidden()


@pytest.mark.slow
def test_any_page_may_show_the_picture_alone(
    server: str, open_page: Callable[[str], Page], elsewhere: Callable[[str], str]
) -> None:
    page = open_page(f"{server}/?text=One,+two%3A+a+cat&head=1.1")
    settle_work(page)
    open_panel(page)
    _link, code = fields(page)
    assert "&amp;embed=true" in code
    page.goto(elsewhere(code))
    is_picture_alone(page.frame_locator("iframe"))


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_every_page_has_a_picture_to_show_alone(server: str, open_page: Callable[[str], Page], name: str) -> None:
    page = open_page(f"{server}/{name}?embed=true")
    settle(page)
    is_picture_alone(page)
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    expect(page.locator("[data-projected]")).to_be_visible()
    expect(page.locator("h1").first).to_be_hidden()


@pytest.mark.slow
def test_no_other_page_may_show_the_whole_app(server: str, browser: Browser, elsewhere: Callable[[str], str]) -> None:
    page = browser.new_context().new_page()
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.goto(elsewhere(f'<iframe src="{server}/inside"></iframe>'))
    page.close()
