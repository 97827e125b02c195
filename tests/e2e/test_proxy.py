"""Two servers behind a real nginx, under a path, in a browser and in the server's own protocol; one is killed."""

import re
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from benchmarks.seat import Seat, Seen, header_of
from tests.helpers.settling import settle_work
from tests.helpers.tables import noisy_table
from tests.helpers.two_servers import BASE, Site, two_servers

TEXT = "The cat sat on the mat"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with two_servers(tmp_path_factory, {"PLAYGROUND_SLOTS": "1"}) as opened:
        yield opened


def heads(seen: Seen) -> list[str]:
    """The tokens of the overview that a page shows."""
    assert seen.exceptions == []
    ((_moment, element),) = seen.components("attention")
    return [row[0] for row in header_of(element.bytes)["queryTokens"]]


@pytest.mark.slow
def test_a_page_under_a_path_has_its_headers_once(site: Site):
    # Without the slash at its end nginx sends the browser on.
    with urllib.request.urlopen(site.address, timeout=60) as answer:
        assert answer.url == f"{site.address}/"
        assert b"./static/" in answer.read()
        for name in ("content-security-policy", "x-content-type-options", "referrer-policy", "set-cookie"):
            assert len(answer.headers.get_all(name)) == 1


@pytest.mark.slow
def test_a_page_under_a_path_asks_for_nothing_beside_it(site: Site, open_page: Callable[[str], Page]):
    asked: list[str] = []
    page = open_page("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url.replace("ws", "http", 1)))
    page.goto(f"{site.address}/")
    page.locator(".root[data-paint]").first.wait_for()
    page.goto(f"{site.address}/scaling")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    settle_work(page)
    asked = [url for url in asked if not url.startswith(("data:", "blob:"))]
    assert [url for url in asked if not url.startswith(f"{site.address}/")] == []
    assert any(url.endswith("/_stcore/stream") for url in asked)


@pytest.mark.slow
def test_a_link_to_share_has_the_path(site: Site, open_page: Callable[[str], Page]):
    page = open_page(f"{site.address}/inside?text=The+cat+sat")
    settle_work(page)
    page.get_by_role("button", name="Share").click()
    link = page.locator(".st-key-share_link textarea")
    expect(link).to_have_value(re.compile(f"^{re.escape(site.address)}/inside\\?"))
    page.goto(link.input_value())
    settle_work(page)
    assert urlsplit(page.url).path == f"/{BASE}/inside"
    assert parse_qs(urlsplit(page.url).query)["text"] == ["The cat sat"]


@pytest.mark.slow
def test_a_table_goes_up_and_comes_down(site: Site, open_page: Callable[[str], Page]):
    page = open_page(f"{site.address}/scaling?section=data")
    place = page.locator("input[type=file]")
    expect(place).to_have_count(1)
    place.set_input_files({"name": "points.csv", "mimeType": "text/csv", "buffer": noisy_table().encode()})
    expect(page.get_by_text(re.compile("40 runs"))).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV: these points").click()
    lines = Path(download.value.path()).read_text().strip().splitlines()
    assert len([line for line in lines if not line.startswith("# ")]) == 41


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_visitor_of_a_killed_server_sees_the_same_at_the_other(site: Site):
    cookie = {"Cookie": "playground_visitor=ann"}
    seat = Seat(site.address, headers=cookie)
    before = heads(seat.open(text=TEXT))
    assert "cat" in "".join(before)
    site.kill_busy()
    again = Seat(site.address, headers=cookie)
    assert heads(again.open(text=TEXT)) == before
    again.close()
