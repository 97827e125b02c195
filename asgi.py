"""The hosted entry: the same app behind an ASGI server, with what a public address must not show closed.

streamlit run asgi.py        or        uvicorn asgi:app --host 0.0.0.0 --port 8501
"""

import os
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.warm import warm_up

CLOSED = ("/_stcore/metrics",)


class ClosedPaths:
    """Answers 404 for paths that are for the server's owner only."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        closed = scope["type"] == "http" and scope["path"].rstrip("/").endswith(CLOSED)
        answer: ASGIApp = PlainTextResponse("Not found", status_code=404) if closed else self.app
        await answer(scope, receive, send)


# Visitors of a shared server may not open its folders; ui/widgets/model.py reads this.
os.environ["PLAYGROUND_HOSTED"] = "1"
# Begin before the first visitor comes.
warm_up()
app = st.App(str(Path(__file__).resolve().parent / "app.py"), middleware=[Middleware(ClosedPaths)])
