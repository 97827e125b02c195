"""Chromium, servers of the app, and the messages between them."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, WebSocket, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium")
"""Debian's, the lighter first: the shell has no windows and menus of its own to draw."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WINDOW = {"width": 1400, "height": 1000}
PATIENCE = 120.0
CALM_MILLISECONDS = 500


@contextmanager
def chromium(*switches: str) -> Iterator[Browser]:
    """A headless browser with further switches; Debian's where it is installed, otherwise Playwright's own."""
    executable = next((browser for browser in BROWSERS if Path(browser).exists()), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=[*ARGUMENTS, *switches])
        yield browser
        browser.close()


@contextmanager
def serve(threads: int) -> Iterator[str]:
    """`streamlit run app.py` in a fresh process, with the app's own settings; the block begins when it answers."""
    port = free_port()
    command = streamlit_command("app.py", port)
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet)
    try:
        wait_until_healthy(server, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()


def streamlit_command(script: str, port: int) -> list[str]:
    """`streamlit run` of a script of the repository at a port of loopback."""
    options = {"server.port": port, "server.address": "127.0.0.1", "server.headless": "true"}
    return [sys.executable, "-m", "streamlit", "run", script, *(f"--{key}={options[key]}" for key in options)]


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_healthy(server: subprocess.Popen[bytes], port: int) -> None:
    """Return when a server answers. Raises RuntimeError where it has ended, or never does."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise RuntimeError("The app did not start; run `streamlit run app.py` to see why.")


@dataclass(kw_only=True)
class Wire:
    """What a page's websocket brought, uncompressed: one entry for each message."""

    page: Page
    messages: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("websocket", self._listen)

    def _listen(self, connection: WebSocket) -> None:
        connection.on("framereceived", self._keep)

    def _keep(self, message: str | bytes) -> None:
        self.messages.append(message.encode() if isinstance(message, str) else message)

    def finished(self, first: int) -> int:
        """Wait until a script run that began at message `first` has ended; the number of its last message."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            ended = [number for number in range(first, len(self.messages)) if is_end_of_run(self.messages[number])]
            if ended:
                self.page.wait_for_timeout(CALM_MILLISECONDS)
                return ended[-1]
            self.page.wait_for_timeout(10)
        raise RuntimeError("The page's script did not end.")


def is_end_of_run(message: bytes) -> bool:
    """Whether a message says that the page's script has ended."""
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    return len(message) < 1000 and ForwardMsg.FromString(message).WhichOneof("type") == "script_finished"


@contextmanager
def open_page(browser: Browser) -> Iterator[tuple[Page, Wire]]:
    """A page of its own with the clock inside, and what comes over its websocket."""
    context = browser.new_context(viewport={"width": WINDOW["width"], "height": WINDOW["height"]})
    context.add_init_script(path=Path(__file__).with_name("page.js"))
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    try:
        yield page, Wire(page=page)
    finally:
        context.close()
