"""The app behind a real nginx, under a path of a site: one server's pages, then two servers, one of which is killed.

Runs lie in a folder that both servers share, sweeps train on a Ray cluster; who was with the killed server goes on at
the other under the same address.
"""

import json
import os
import re
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from playground.training.run.status import read_status
from tests.e2e.conftest import _free_port, _start_server, _wait_or_kill, _wait_until_healthy
from tests.helpers.proxy import nginx
from tests.helpers.ray_cluster import ray_cluster
from tests.helpers.settling import PATIENCE, settle_work
from tests.helpers.tables import noisy_table
from tests.helpers.waiting import until

ROOT = Path(__file__).resolve().parents[2]
BASE, TOKEN = "playground", "an operator's token"


@dataclass(kw_only=True)
class Site:
    """A proxy before two servers."""

    address: str
    """With the path."""
    runs: Path
    ray: int
    """The port of the Ray cluster that the servers are told of; it is started where it is needed."""
    servers: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    """By port."""

    def open_visits(self, port: int) -> int:
        """How many pages are open at a server now, by its own status page."""
        address = f"http://127.0.0.1:{port}/{BASE}/_playground/status.json"
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(json.loads(answer.read())["visits"]["open"])

    def kill_busy(self) -> None:
        """Kill -9 the one server at which a page is open."""
        (busy,) = (port for port, server in self.servers.items() if server.poll() is None and self.open_visits(port))
        self.servers[busy].kill()
        self.servers[busy].wait()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    runs, ports = tmp_path_factory.mktemp("runs"), [_free_port(), _free_port()]
    ray = _free_port()
    with nginx(ports) as address:
        settings = {"PLAYGROUND_RUNS": str(runs), "PLAYGROUND_SLOTS": "1", "PLAYGROUND_STATUS_TOKEN": TOKEN}
        settings |= {"STREAMLIT_SERVER_BASE_URL_PATH": BASE, "PLAYGROUND_RAY": f"127.0.0.1:{ray}"}
        opened = Site(address=f"{address}/{BASE}", runs=runs, ray=ray)
        try:
            for port in ports:
                home = tmp_path_factory.mktemp("home")
                opened.servers[port] = _start_server(ROOT / "asgi.py", (), port, home, settings)
                _wait_until_healthy(opened.servers[port], f"http://127.0.0.1:{port}/{BASE}", home / "server.log")
            yield opened
        finally:
            for server in opened.servers.values():
                server.terminate()
                _wait_or_kill(server)


@pytest.mark.slow
def test_a_page_under_a_path_asks_for_nothing_beside_it(site: Site, open_page: Callable[[str], Page]):
    asked: list[str] = []
    page = open_page("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url.replace("ws", "http", 1)))
    answer = page.goto(f"{site.address}/")
    assert answer is not None
    names = [header["name"].lower() for header in answer.headers_array()]
    for name in ("content-security-policy", "x-content-type-options", "referrer-policy", "set-cookie"):
        assert names.count(name) == 1
    page.locator(".root[data-paint]").first.wait_for(timeout=PATIENCE)
    page.goto(f"{site.address}/scaling")
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=PATIENCE)
    settle_work(page)
    asked = [url for url in asked if not url.startswith(("data:", "blob:"))]
    assert [url for url in asked if not url.startswith(f"{site.address}/")] == []
    assert any(url.endswith("/_stcore/stream") for url in asked)
    redirected = page.goto(site.address)
    assert redirected is not None
    assert redirected.url == f"{site.address}/"


@pytest.mark.slow
def test_a_link_to_share_has_the_path(site: Site, open_page: Callable[[str], Page]):
    page = open_page(f"{site.address}/inside?text=The+cat+sat")
    settle_work(page)
    page.get_by_role("button", name="Share").click()
    link = page.locator(".st-key-share_link textarea")
    expect(link).to_have_value(re.compile(f"^{re.escape(site.address)}/inside\\?"), timeout=PATIENCE)
    page.goto(link.input_value())
    settle_work(page)
    assert urlsplit(page.url).path == f"/{BASE}/inside"
    assert parse_qs(urlsplit(page.url).query)["text"] == ["The cat sat"]


@pytest.mark.slow
def test_a_table_goes_up_and_comes_down(site: Site, open_page: Callable[[str], Page]):
    page = open_page(f"{site.address}/scaling?section=data")
    place = page.locator("input[type=file]")
    expect(place).to_have_count(1, timeout=PATIENCE)
    place.set_input_files({"name": "points.csv", "mimeType": "text/csv", "buffer": noisy_table().encode()})
    expect(page.get_by_text(re.compile("40 runs"))).to_be_visible(timeout=PATIENCE)
    with page.expect_download(timeout=PATIENCE) as download:
        page.get_by_role("button", name="These points (.csv)").click(timeout=PATIENCE)
    lines = Path(download.value.path()).read_text().strip().splitlines()
    assert len([line for line in lines if not line.startswith("# ")]) == 41


def a_step(folders: Callable[[], Iterable[Path]], beyond: int = 0) -> Path:
    """The first of these runs that gets beyond a step."""
    found: list[Path] = []

    def look() -> bool:
        found[:] = [folder for folder in folders() if read_status(folder).step > beyond]
        return bool(found)

    until(look, "a step")
    return found[0]


def begin(page: Page, address: str, button: str, parameter: str) -> str:
    """Open a page, press a button that starts something, and return the id that then stands in the address."""
    page.goto(address)
    page.get_by_role("button", name=button, exact=True).first.click(timeout=PATIENCE)
    page.wait_for_url(re.compile(f"[?&]{parameter}=[A-Za-z0-9]"), timeout=PATIENCE)
    return parse_qs(urlsplit(page.url).query)[parameter][0]


@pytest.mark.slow
def test_visitors_of_a_killed_server_go_on_at_the_other(site: Site, browser: Browser):
    # Not `open_page`: the browser calls the end of a connection an error, and here it is what is looked at.
    window = browser.new_context(viewport={"width": 1400, "height": 1000})
    with ray_cluster(site.ray), closing(window) as context:
        sweep, train = context.new_page(), context.new_page()
        changes = quote(json.dumps({"steps": 50_000}))
        run = site.runs / begin(train, f"{site.address}/train?preset=induction&changes={changes}", "Start", "run")
        a_step(lambda: [run], beyond=100)
        form = "section=live&sweep_sizes=32x2,48x3&sweep_tokens=500000"
        name = begin(sweep, f"{site.address}/scaling?{form}", "Run the sweep", "sweep")
        cell = a_step(lambda: site.runs.glob(f"{name}-*"))
        killed = read_status(cell)
        os.kill(killed.pid, signal.SIGKILL)
        a_step(lambda: [cell], beyond=killed.step)  # the sweep has it go on at another worker of the cluster
        assert read_status(cell).pid != killed.pid
        addresses = [sweep.url, train.url]
        site.kill_busy()
        train.get_by_role("button", name="Resume from last checkpoint").click(timeout=PATIENCE)
        resumed = read_status(run)
        assert resumed.checkpoint == resumed.step >= 100  # the worker noticed, and left with a checkpoint
        a_step(lambda: [run], beyond=resumed.step)
        sweep.get_by_role("button", name="Resume", exact=True).click(timeout=PATIENCE)
        expect(sweep.get_by_text("2 of 2 runs")).to_be_visible(timeout=2 * PATIENCE)
        assert [sweep.url, train.url] == addresses
        train.get_by_role("button", name="Stop", exact=True).click(timeout=PATIENCE)
        until(lambda: read_status(run).state == "stopped", "the stop")
