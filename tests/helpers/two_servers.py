"""Two servers of the app behind a real nginx, with one folder of runs."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.browser import free_port
from tests.helpers.app_server import ROOT, start_server, wait_or_kill, wait_until_healthy
from tests.helpers.proxy import nginx

BASE, TOKEN = "playground", "an operator's token"


@dataclass(kw_only=True)
class Site:
    """A proxy before two servers."""

    address: str
    """With the path."""
    runs: Path
    servers: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    """By port."""

    def open_visits(self, port: int) -> int:
        """How many pages are open at a server now, by its own status page."""
        address = f"http://127.0.0.1:{port}/{BASE}/_playground/status.json"
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(json.loads(answer.read())["visits"]["open"])

    def kill_busy(self) -> None:
        """Kill -9 the one server at which pages are open."""
        (busy,) = (port for port in self.servers if self.open_visits(port))
        self.servers[busy].kill()
        self.servers[busy].wait()


@contextmanager
def two_servers(folders: pytest.TempPathFactory, settings: Mapping[str, str]) -> Iterator[Site]:
    """Both answer when the block begins, and end with it."""
    runs, ports = folders.mktemp("runs"), [free_port(), free_port()]
    given = {"PLAYGROUND_RUNS": str(runs), "PLAYGROUND_STATUS_TOKEN": TOKEN, "STREAMLIT_SERVER_BASE_URL_PATH": BASE}
    with nginx(ports) as address:
        opened = Site(address=f"{address}/{BASE}", runs=runs)
        try:
            for port in ports:
                home = folders.mktemp("home")
                opened.servers[port] = start_server(ROOT / "asgi.py", (), port, home, {**given, **settings})
                wait_until_healthy(opened.servers[port], f"http://127.0.0.1:{port}/{BASE}", home / "server.log")
            yield opened
        finally:
            for server in opened.servers.values():
                server.terminate()
                wait_or_kill(server)
