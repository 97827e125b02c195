"""How a hosted server is doing, for its operator alone: counters as JSON or as a plain page, behind a token."""

import base64
import binascii
import hashlib
import hmac
import html
import os
import time
from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from playground.settings import settings
from ui.cache import forward_queue, results, run_log_cache, traces
from ui.request_log import request_counts

STATUS = "/_playground/status"
"""The plain page; with .json behind it, the same as JSON."""

Counters = Mapping[str, Mapping[str, float]]


def server_status() -> Counters:
    """Counters by group. Bytes and seconds, as the names say; nothing that a visitor wrote."""
    return {
        "visits": _visits(),
        "queue": forward_queue().load(),
        "cache": _cached(),
        "jobs": _jobs(),
        "memory": _memory(),
        "errors": {str(status): count for status, count in sorted(request_counts().errors.items())},
    }


def _visits() -> dict[str, float]:
    counts = request_counts()
    with counts.guard:
        asked = {f"answered_{kind}": count for kind, count in sorted(counts.answers.items())}
        return {"up_seconds": round(time.monotonic() - counts.started), "open": counts.open_visits, **asked}


def _cached() -> dict[str, float]:
    kept: dict[str, float] = {}
    for cached in (traces(), results(), run_log_cache()):
        entries, size, hits, misses = cached.counters()
        kept |= {f"{cached.name}_entries": entries, f"{cached.name}_size": size}
        kept |= {f"{cached.name}_hits": hits, f"{cached.name}_misses": misses}
    return kept


def _jobs() -> dict[str, float]:
    """Runs with a worker, and those that wait; none before the first is started."""
    from playground.jobs.executor import default_executor

    if not default_executor.cache_info().currsize:
        return {"working": 0, "waiting": 0, "slots": settings().slots}
    executor = default_executor()
    return {"working": len(executor.working()), "waiting": len(executor.waiting()), "slots": executor.slots}


def _memory() -> dict[str, float]:
    import psutil

    from playground.models import default_registry
    from playground.models.memory_estimate import available_bytes

    models = default_registry().loaded()
    return {
        "server_bytes": int(psutil.Process(os.getpid()).memory_info().rss),
        "free_bytes": available_bytes(),
        "models": len(models),
        "models_bytes": sum(model.bytes for model in models),
    }


def is_operator(headers: Mapping[bytes, bytes], token: str) -> bool:
    """Whether a request brings the token, as a Bearer or as a browser's password; compared in constant time."""
    scheme, _, brought = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"basic":
        try:
            brought = base64.b64decode(brought, validate=True).partition(b":")[2]
        except binascii.Error:
            return False
    elif scheme.lower() != b"bearer":
        return False
    return hmac.compare_digest(hashlib.sha256(brought).digest(), hashlib.sha256(token.encode()).digest())


class OperatorPage:
    """Answers the status paths; 404 where the settings have no token."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/") if scope["type"] == "http" else ""
        if not path.endswith((STATUS, f"{STATUS}.json")):
            await self.app(scope, receive, send)
            return
        answer = await _answer(dict(scope["headers"]), is_json=path.endswith(".json"))
        answer.headers["Cache-Control"] = "no-store"
        await answer(scope, receive, send)


async def _answer(headers: Mapping[bytes, bytes], *, is_json: bool) -> Response:
    token = settings().status_token
    if not token:
        return PlainTextResponse("Not found", status_code=404)
    if not is_operator(headers, token):
        ask = {"WWW-Authenticate": 'Basic realm="status", charset="UTF-8"'}
        return PlainTextResponse("The operator's token is needed.", status_code=401, headers=ask)
    counters = await run_in_threadpool(server_status)
    return JSONResponse(counters) if is_json else HTMLResponse(status_page(counters))


def status_page(counters: Counters) -> str:
    """The counters as a page without scripts."""
    groups = "".join(
        f"<h2>{html.escape(group)}</h2><table>{''.join(_row(name, value) for name, value in values.items())}</table>"
        for group, values in counters.items()
    )
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Status</title>'
    style = "body{font:16px sans-serif;margin:1rem;color-scheme:light dark}td{padding:2px 1rem 2px 0}"
    right = "td+td{text-align:right;font-variant-numeric:tabular-nums}"
    return f'<!doctype html><html lang="en">{head}<style>{style}{right}</style><h1>Status</h1>{groups}</html>'


def _row(name: str, value: float) -> str:
    return f"<tr><td>{html.escape(name.replace('_', ' '))}</td><td>{value:,}</td></tr>"
