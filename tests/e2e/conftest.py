"""A real browser and real Streamlit servers for the end-to-end tests."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

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


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Opens an address in a browser of its own; errors of a page fail the test."""
    contexts, trouble = [], []

    def open_one(address: str) -> Page:
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda m: trouble.append(m.text) if m.type == "error" and "404" not in m.text else None)
        page.goto(address)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert trouble == []
