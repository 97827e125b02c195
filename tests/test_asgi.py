"""The hosted entry: what a public address must not show is closed, and browsers are told what they must not do."""

import asyncio
import importlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.types import Message

from tests.helpers.warm import wait_until_warm


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """Importing the entry starts the imports in the background."""
    wait_until_warm()


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Importing the entry marks the process as hosted; other tests must not see that."""
    monkeypatch.setenv("PLAYGROUND_HOSTED", "")


async def ask(
    path: str, *, middleware: str = "ClosedPaths", headers: dict[str, str] | None = None, query: str = ""
) -> Message:
    """The start of what the middleware answers; status 299 stands for the app behind it."""
    import asgi

    sent: list[Message] = []

    async def behind(scope, receive, send):
        start = {"type": "http.response.start", "status": 299, "headers": [(b"content-type", b"text/html")]}
        await send(start)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    brought = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {"type": "http", "path": path, "method": "GET", "headers": brought, "scheme": "http"}
    scope["query_string"] = query.encode()
    await getattr(asgi, middleware)(behind)(scope, receive, send)
    return sent[0]


def answer(path: str, **options: Any) -> Message:
    # In a thread of its own: the browser tests leave an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, ask(path, **options)).result()


@pytest.mark.parametrize(
    ("path", "status"),
    [("/_stcore/metrics", 404), ("/attention/_stcore/metrics/", 404), ("/_stcore/health", 299), ("/", 299)],
)
def test_only_what_is_for_the_public_is_answered(path, status):
    assert answer(path)["status"] == status


def test_files_are_taken_only_where_the_settings_say_so(monkeypatch):
    path = "/_stcore/upload_file/3f0c/9a1e"
    assert answer(path)["status"] == 299
    monkeypatch.setenv("PLAYGROUND_UPLOADS", "no")
    assert answer(path)["status"] == 404
    assert answer("/sub/_stcore/upload_file/3f0c/9a1e")["status"] == 404
    assert answer("/_stcore/health")["status"] == 299


def safe_headers(**headers: str) -> dict[str, str]:
    started = answer("/", middleware="SafeHeaders", headers=headers)
    return {name.decode().lower(): value.decode() for name, value in started["headers"]}


def test_every_answer_says_what_a_browser_must_not_do(monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOSTED", "1")
    headers = safe_headers()
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == "'self'"
    assert policy["object-src"] == "'none'"
    assert not any("http" in sources or "*" in sources for name, sources in policy.items() if name != "frame-ancestors")
    assert "hf.space" in policy["frame-ancestors"]
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


@pytest.mark.parametrize(
    ("query", "ancestors", "may_be_framed"),
    [
        ("text=a&embed=true", "'self'", True),
        ("text=%E7%8C%AB%C3%A9&embed=true", "'self'", True),
        ("text=%FF%C3%A9", "'self'", False),
        ("embed=true", "'none'", False),
        ("text=embed%3Dtrue", "'self'", False),
        ("embed=false", "'self'", False),
        ("embed=true&embed=false", "'self'", False),
        ("", "'self'", False),
    ],
)
def test_a_picture_alone_may_stand_in_any_page(monkeypatch, query, ancestors, may_be_framed):
    monkeypatch.setenv("PLAYGROUND_FRAME_ANCESTORS", ancestors)
    started = answer("/inside", middleware="SafeHeaders", query=query)
    policy = dict(started["headers"])[b"content-security-policy"].decode()
    assert ("frame-ancestors" not in policy) == may_be_framed
    assert "default-src 'self'" in policy


def test_each_browser_has_a_secret_that_scripts_cannot_read():
    first, second = safe_headers()["set-cookie"], safe_headers()["set-cookie"]
    assert "HttpOnly" in first
    assert "SameSite=Lax" in first
    assert first != second
    assert "set-cookie" not in safe_headers(cookie="other=1; playground_visitor=abc")
    assert "Secure" in safe_headers(**{"x-forwarded-proto": "https"})["set-cookie"]


def test_the_entry_says_that_strangers_share_the_server(monkeypatch):
    monkeypatch.delitem(sys.modules, "asgi", raising=False)
    importlib.import_module("asgi")
    assert os.environ["PLAYGROUND_HOSTED"] == "1"
