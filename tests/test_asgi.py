"""The hosted entry: the server's own figures are closed to the public."""

import asyncio

import pytest
from starlette.types import Message

from asgi import ClosedPaths


async def ask(path: str) -> int:
    """The status that the middleware answers, where 299 stands for the app behind it."""
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
    assert asyncio.run(ask(path)) == status
