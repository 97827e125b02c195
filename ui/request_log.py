"""What was asked of a hosted server: one JSON line each, and counters. Neither holds a text, an address or a person.

A line names a kind from a fixed list, never the path or the query that came: those hold what people wrote.
"""

import json
import logging
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

import streamlit as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.settings import PAGES

LOGGER = "playground.requests"
SILENT = ("asset", "health")
"""Counted; written down only where they fail."""
KINDS = {"_stcore/health": "health", "_stcore/stream": "visit", "_stcore/upload_file": "upload"}
KINDS |= {"_playground/status": "status", "static": "asset", "media": "asset", "component": "asset"}
FAILED = 500
"""What a browser is told where the app raised before its answer began."""


@dataclass(kw_only=True)
class RequestCounts:
    """How often what was asked for since the server started."""

    started: float = field(default_factory=time.monotonic)
    answers: Counter[str] = field(default_factory=Counter)
    """By kind."""
    errors: Counter[int] = field(default_factory=Counter)
    """By HTTP status, from 400 on."""
    open_visits: int = 0
    """Pages that are open in a browser now, each by its WebSocket."""
    guard: threading.Lock = field(default_factory=threading.Lock)


@cache
def request_counts() -> RequestCounts:
    """The counts of this server."""
    return RequestCounts()


@cache
def request_logger() -> logging.Logger:
    """The logger of the lines, to standard error."""
    logger = logging.getLogger(LOGGER)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger


def silence_access_log() -> None:
    """Keep uvicorn's own lines from being written: they hold addresses, and links with all that people typed."""
    access = logging.getLogger("uvicorn.access")
    access.filters = [_drop]


def _drop(_record: logging.LogRecord) -> bool:
    return False


def request_kind(path: str) -> str:
    """What a path asks for: a page's name, or one of a few words."""
    inner = path.strip("/")
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    if base and (inner == base or inner.startswith(f"{base}/")):
        inner = inner[len(base) :].strip("/")
    for start, kind in KINDS.items():
        if inner == start or inner.startswith((f"{start}/", f"{start}.")):
            return kind
    return "home" if not inner else inner if inner in PAGES else "other"


class RequestLog:
    """Counts each request, and writes its line when it is over; a visit lasts as long as its WebSocket."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        started, kind = time.monotonic(), request_kind(scope["path"])
        is_visit = scope["type"] == "websocket"
        status = [FAILED]

        async def observe(message: Message) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
            elif message["type"] == "websocket.accept":
                status[0] = 101
            await send(message)

        _open(1 if is_visit else 0)
        try:
            await self.app(scope, receive, observe)
        finally:
            _open(-1 if is_visit else 0)
            _note(kind, status[0], time.monotonic() - started)


def _open(change: int) -> None:
    counts = request_counts()
    with counts.guard:
        counts.open_visits += change


def _note(kind: str, status: int, seconds: float) -> None:
    counts = request_counts()
    with counts.guard:
        counts.answers[kind] += 1
        if status >= 400:
            counts.errors[status] += 1
    if status < 400 and kind in SILENT:
        return
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {"time": now, "kind": kind, "status": status, "milliseconds": round(1000 * seconds, 1)}
    request_logger().info(json.dumps(line))
