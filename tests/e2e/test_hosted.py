"""The hosted entry in a real browser: nothing is fetched from elsewhere, and a run belongs to whoever started it."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.helpers.settling import PATIENCE, settle_work

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("", "attention?mode=bertviz", "inside", "generate", "ablate", "train", "scaling", "emergence", "glossary")


@pytest.fixture(scope="module")
def server(serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    runs = tmp_path_factory.mktemp("runs")
    return serve(ROOT / "asgi.py", environment={"PLAYGROUND_RUNS": str(runs), "PLAYGROUND_SLOTS": "1"})


@pytest.mark.slow
def test_no_page_asks_another_server_or_breaks_the_policy(server: str, open_page: Callable[[str], Page]) -> None:
    page = open_page("about:blank")
    elsewhere: list[str] = []

    def serve_only_ourselves(route: Route) -> None:
        if urlsplit(route.request.url).netloc in ("", urlsplit(server).netloc):
            route.continue_()
        else:
            elsewhere.append(route.request.url)
            route.abort()

    page.route("**/*", serve_only_ourselves)
    for name in PAGES:
        page.goto(f"{server}/{name}")
        settle_work(page)
    assert elsewhere == []


@pytest.mark.slow
def test_who_is_sent_a_runs_link_may_watch_and_fork_it_and_no_more(server: str, browser: Browser) -> None:
    owner, guest = browser.new_context(), browser.new_context()
    page = owner.new_page()
    page.goto(f"{server}/train")
    page.get_by_role("button", name="Start", exact=True).first.click(timeout=PATIENCE)
    page.wait_for_url(re.compile("run="), timeout=PATIENCE)
    stop = page.get_by_role("button", name="Stop", exact=True)
    expect(stop).to_be_visible(timeout=PATIENCE)
    other = guest.new_page()
    other.goto(page.url)
    expect(other.get_by_text(re.compile("^You watch a run that somebody else started"))).to_be_visible(timeout=PATIENCE)
    for name in ("Pause", "Stop", "Save checkpoint"):
        expect(other.get_by_role("button", name=name, exact=True)).to_have_count(0)
    page.reload()
    stop.click(timeout=PATIENCE)
    expect(page.get_by_role("button", name="Resume from last checkpoint")).to_be_visible(timeout=PATIENCE)
    owner.close()
    guest.close()
