"""The hosted entry in a real browser: a room without Internet, and a run belongs to whoever started it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from playground.settings import PAGES
from tests.helpers.settling import settle_work

ROOT = Path(__file__).resolve().parents[2]
NO_INTERNET = ROOT / "tests" / "helpers" / "no_internet"
QUERIES = {
    **{"attention": ("", "mode=bertviz", "model=tales-translator"), "inside": ("", "section=architecture", "step=all")},
    **{"scaling": ("", "section=live"), "finetune": ("", "show=new"), "tokens": ("", "section=sentences")},
}
ADDRESSES = [f"{page}?{query}" for page in PAGES for query in QUERIES.get(page, ("",))]
"""Every page, and sections that draw with other means."""


@pytest.fixture(scope="module")
def outgoing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server's own connections to elsewhere are written down; each is refused."""
    return tmp_path_factory.mktemp("outgoing") / "log"


@pytest.fixture(scope="module")
def server(serve: Callable[..., str], outgoing: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    runs = tmp_path_factory.mktemp("runs")
    limits = {"PLAYGROUND_RUNS": str(runs), "PLAYGROUND_SLOTS": "1"}
    return serve(ROOT / "asgi.py", environment={**limits, **without_internet(outgoing)})


def without_internet(log: Path) -> dict[str, str]:
    """The environment of a process that reaches only this machine."""
    return {"PYTHONPATH": f"{NO_INTERNET}{os.pathsep}{ROOT}", "NO_INTERNET_LOG": str(log)}


def test_what_is_to_count_connections_counts_them(tmp_path: Path) -> None:
    code = """
import socket, urllib.request
for ask in (lambda: urllib.request.urlopen("http://example.com"), lambda: socket.create_connection(("192.0.2.1", 80))):
    try:
        ask()
    except OSError:
        print("refused")
"""
    environment = {**os.environ, **without_internet(tmp_path / "log")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["refused", "refused"]
    assert (tmp_path / "log").read_text().splitlines() == ["'example.com'", "'192.0.2.1'"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_room_without_internet_sees_every_page(server: str, outgoing: Path, open_page: Callable[[str], Page]) -> None:
    page = open_page("about:blank")
    elsewhere: list[str] = []

    def note(request: Request) -> None:
        # Only watched: the browser keeps no scripts for a page whose requests are intercepted.
        if urlsplit(request.url).netloc not in ("", urlsplit(server).netloc):
            elsewhere.append(request.url)

    page.on("request", note)
    page.on(
        "websocket", lambda socket: elsewhere.extend({socket.url} - {f"{server}/_stcore/stream".replace("http", "ws")})
    )
    for address in ADDRESSES:
        page.goto(f"{server}/{address}")
        settle_work(page)
        expect(page.locator("[data-testid=stAlertContentError], [data-testid=stException]")).to_have_count(0)
    assert elsewhere == []
    assert not outgoing.exists(), outgoing.read_text()


@pytest.mark.slow
def test_who_is_sent_a_runs_link_may_watch_and_fork_it_and_no_more(server: str, browser: Browser) -> None:
    owner, guest = browser.new_context(), browser.new_context()
    page = owner.new_page()
    page.goto(f"{server}/train")
    page.get_by_role("button", name="Start", exact=True).first.click()
    page.wait_for_url(re.compile("run="))
    stop = page.get_by_role("button", name="Stop", exact=True)
    expect(stop).to_be_visible()
    other = guest.new_page()
    other.goto(page.url)
    expect(other.get_by_text(re.compile("^You watch a run that somebody else started"))).to_be_visible()
    for name in ("Pause", "Stop", "Save checkpoint"):
        expect(other.get_by_role("button", name=name, exact=True)).to_have_count(0)
    page.reload()
    stop.click()
    expect(page.get_by_role("button", name="Resume from last checkpoint")).to_be_visible()
    owner.close()
    guest.close()
