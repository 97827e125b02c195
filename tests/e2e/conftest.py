"""A real browser and real Streamlit servers for the end-to-end tests."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0


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
        port = _free_port()
        settings = {**(environment or {}), "STREAMLIT_SERVER_BASE_URL_PATH": base}
        server = _start_server(Path(script), arguments, port, home, settings)
        servers.append(server)
        address = f"http://127.0.0.1:{port}/{base}".rstrip("/")
        _wait_until_healthy(server, address, home / "server.log")
        return address

    try:
        yield start
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            _wait_or_kill(server)


def _wait_or_kill(server: subprocess.Popen[bytes]) -> None:
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()


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


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _start_server(
    script: Path, arguments: tuple[str, ...], port: int, home: Path, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    options = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "streamlit", "run", str(script), *flags, "--", *arguments]
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    variables = {**os.environ, "HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    with (home / "server.log").open("wb") as log:
        return subprocess.Popen(
            command, cwd=ROOT, env={**variables, **environment}, stdout=log, stderr=subprocess.STDOUT
        )


def _wait_until_healthy(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"The server did not start:\n{log.read_text(errors='replace')}")
