"""The hosted entry: the server's own figures are closed to the public."""

import asyncio
import importlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.types import Message


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Importing the entry marks the process as hosted; other tests must not see that."""
    monkeypatch.setenv("PLAYGROUND_HOSTED", "")


async def ask(path: str) -> int:
    """The status that the middleware answers, where 299 stands for the app behind it."""
    from asgi import ClosedPaths

    sent: list[Message] = []

    async def behind(scope, receive, send):
        await send({"type": "http.response.start", "status": 299, "headers": []})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    await ClosedPaths(behind)({"type": "http", "path": path, "method": "GET", "headers": []}, receive, send)
    return sent[0]["status"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/_stcore/metrics", 404), ("/attention/_stcore/metrics/", 404), ("/_stcore/health", 299), ("/", 299)],
)
def test_only_what_is_for_the_public_is_answered(path, status):
    # In a thread of its own: the browser tests leave an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, ask(path)).result() == status


def test_the_entry_says_that_strangers_share_the_server(monkeypatch):
    monkeypatch.delitem(sys.modules, "asgi", raising=False)
    importlib.import_module("asgi")
    assert os.environ["PLAYGROUND_HOSTED"] == "1"
