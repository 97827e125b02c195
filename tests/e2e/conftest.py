"""A real browser and real Streamlit servers for the end-to-end tests."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from benchmarks.browser import free_port
from tests.helpers.app_server import ROOT, start_server, wait_or_kill, wait_until_healthy


@pytest.fixture(scope="session")
def app_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one server of the app, for all tests that leave it as they found it."""
    with _servers(tmp_path_factory) as start:
        yield start(ROOT / "app.py")


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Start `streamlit run script args` and return its address; every server ends with the module.

    `base` is the path under which a proxy would show the app.
    """
    with _servers(tmp_path_factory) as start:
        yield start


@contextmanager
def _servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    servers: list[subprocess.Popen[bytes]] = []

    def start(script: str | Path, *arguments: str, environment: dict[str, str] | None = None, base: str = "") -> str:
        home = tmp_path_factory.mktemp("home")
        port = free_port()
        settings = {**(environment or {}), "STREAMLIT_SERVER_BASE_URL_PATH": base}
        server = start_server(Path(script), arguments, port, home, settings)
        servers.append(server)
        address = f"http://127.0.0.1:{port}/{base}".rstrip("/")
        wait_until_healthy(server, address, home / "server.log")
        return address

    try:
        yield start
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            wait_or_kill(server)


@pytest.fixture(scope="session")
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """One visitor for all tests of a process, whose browser has a server's scripts at hand after its first page."""
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def new_page(visitor: BrowserContext) -> Iterator[Callable[..., Page]]:
    """Opens a blank page of that visitor, who has forgotten it after the test."""
    pages: list[Page] = []

    def open_one(*, width: int = 1400, height: int = 1000, scheme: Literal["light", "dark"] = "light") -> Page:
        page = visitor.new_page()
        pages.append(page)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        return page

    yield open_one
    for page in pages:
        if page.url.startswith("http"):
            page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    for page in visitor.pages:
        page.close()
    visitor.clear_cookies()


@pytest.fixture
def open_page(browser: Browser, new_page: Callable[..., Page]) -> Iterator[Callable[[str], Page]]:
    """Opens an address, from the second on in a browser of its own; errors of a page fail the test."""
    contexts: list[BrowserContext] = []
    trouble: list[str] = []
    pages: list[Page] = []

    def open_one(address: str) -> Page:
        if pages:
            contexts.append(browser.new_context(viewport={"width": 1400, "height": 1000}))
        page = contexts[-1].new_page() if contexts else new_page()
        pages.append(page)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda m: trouble.append(m.text) if m.type == "error" and "404" not in m.text else None)
        page.goto(address)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert trouble == []
