"""The hosted entry: the same app behind an ASGI server, with what a public address must not show closed.

streamlit run asgi.py        or        uvicorn asgi:app --host 0.0.0.0 --port 8501
"""

import os
import secrets
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Visitors of a shared server may not open its folders; playground.settings reads this.
os.environ["PLAYGROUND_HOSTED"] = "1"

from playground.settings import settings
from ui.request_log import RequestLog, silence_access_log
from ui.server_status import OperatorPage
from ui.state.visitor import COOKIE
from ui.warm import warm_up

CLOSED = ("/_stcore/metrics",)
UPLOADS = "/_stcore/upload_file"
COOKIE_SECONDS = 30 * 86_400


def security_headers(*, is_picture: bool = False) -> dict[str, str]:
    """What a browser must not do on these pages. A picture alone may stand in a frame of any page.

    Streamlit's front end needs inline styles and blob: scripts (components), BertViz inline scripts; everything
    else comes from this server alone, so that no text of a stranger makes a browser fetch anything.
    """
    policy = {
        "default-src": "'self'",
        "script-src": "'self' 'unsafe-inline' blob:",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "frame-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": settings().frame_ancestors,
    }
    if is_picture and policy["frame-ancestors"] != "'none'":
        del policy["frame-ancestors"]
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


class ClosedPaths:
    """Answers 404 for paths that are for the server's owner only."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: ASGIApp = PlainTextResponse("Not found", status_code=404) if is_closed(scope) else self.app
        await answer(scope, receive, send)


def is_closed(scope: Scope) -> bool:
    """Whether the path is for the owner only, or for files, which this server may not take."""
    path = scope["path"].rstrip("/") if scope["type"] == "http" else ""
    return path.endswith(CLOSED) or (f"{UPLOADS}/" in path and not settings().uploads)


def is_picture(scope: Scope) -> bool:
    """Whether a picture alone is asked for, to be shown in a frame of another page: no button of ours is in it."""
    return parse_qs(scope.get("query_string", b"").decode("latin-1")).get("embed") == ["true"]


class SafeHeaders:
    """Adds the security headers, and a secret for each browser, by which it is known as the owner of its runs."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.headers = security_headers()
        self.picture_headers = security_headers(is_picture=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in (self.picture_headers if is_picture(scope) else self.headers).items():
                    headers[name] = value
                if not has_cookie(scope) and headers.get("content-type", "").startswith("text/html"):
                    headers.append("Set-Cookie", new_cookie(is_secure=is_secure(scope)))
            await send(message)

        await self.app(scope, receive, send_safely if scope["type"] == "http" else send)


def has_cookie(scope: Scope) -> bool:
    """Whether the browser has brought its secret."""
    sent = dict(scope["headers"]).get(b"cookie", b"").decode("latin-1")
    return f"{COOKIE}=" in sent


def is_secure(scope: Scope) -> bool:
    """Whether the browser speaks TLS, to this server or to the proxy before it."""
    forwarded = dict(scope["headers"]).get(b"x-forwarded-proto", b"")
    return scope.get("scheme") == "https" or forwarded == b"https"


def new_cookie(*, is_secure: bool) -> str:
    """A fresh secret; behind TLS an embedding page may hold it too."""
    cookie = SimpleCookie({COOKIE: secrets.token_urlsafe(24)})
    attributes = {"path": "/", "max-age": str(COOKIE_SECONDS), "httponly": "yes", "samesite": "Lax"}
    cookie[COOKIE].update({**attributes, **({"secure": "yes", "samesite": "None"} if is_secure else {})})
    return cookie[COOKIE].OutputString()


silence_access_log()
# Begin before the first visitor comes.
warm_up()
middleware = [Middleware(RequestLog), Middleware(ClosedPaths), Middleware(SafeHeaders), Middleware(OperatorPage)]
app = st.App(str(Path(__file__).resolve().parent / "app.py"), middleware=middleware)
