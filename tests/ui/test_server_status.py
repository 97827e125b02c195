"""The operator's counters and log: true numbers, behind a token, without what people wrote."""

import base64
import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient

from ui.cache import BoundedCache, forward_queue
from ui.request_log import RequestCounts, RequestLog, request_counts, request_kind, request_logger, silence_access_log
from ui.server_status import OperatorPage, server_status, status_page

TOKEN = "correct-horse-battery"


async def page(request):
    return PlainTextResponse("the app", status_code=int(request.query_params.get("status", "200")))


async def broken(_request):
    raise RuntimeError("a text of a visitor")


async def stream(websocket):
    await websocket.accept()
    await websocket.send_json({"open": request_counts().open_visits})
    await websocket.close()


@pytest.fixture
def client(monkeypatch):
    """A small app behind both; its requests run in a thread of their own, beside any loop of this one."""
    request_counts.cache_clear()
    monkeypatch.setenv("PLAYGROUND_STATUS_TOKEN", TOKEN)
    routes = [WebSocketRoute("/_stcore/stream", stream), Route("/broken", broken), Route("/{path:path}", page)]
    app = Starlette(routes=routes, middleware=[Middleware(RequestLog), Middleware(OperatorPage)])
    with ThreadPoolExecutor(1) as thread:
        yield lambda use: thread.submit(lambda: use(TestClient(app, raise_server_exceptions=False))).result()
    request_counts.cache_clear()


@pytest.fixture
def lines():
    """The lines that the log has written."""
    written: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: written.append(record.getMessage())
    request_logger().addHandler(handler)
    yield written
    request_logger().removeHandler(handler)


def get(client, path: str, authorization: str | None = None):
    return client(lambda web: web.get(path, headers={"Authorization": authorization} if authorization else {}))


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()


@pytest.mark.parametrize("path", ["/_playground/status", "/_playground/status.json", "/sub/_playground/status/"])
def test_without_a_token_in_the_settings_there_is_no_page(client, monkeypatch, path):
    monkeypatch.setenv("PLAYGROUND_STATUS_TOKEN", "")
    assert get(client, path, "Bearer ").status_code == 404


@pytest.mark.parametrize(
    "brought",
    [None, "Bearer", "Bearer wrong", f"Bearer {TOKEN}x", TOKEN, "Basic !", "Basic é", f"Digest {TOKEN}", basic("")],
)
def test_whoever_has_no_token_is_asked_for_it(client, brought):
    authorization = brought.encode("utf-8") if brought else None
    answer = get(client, "/_playground/status.json", authorization)
    assert answer.status_code == 401
    assert "Basic" in answer.headers["www-authenticate"]
    assert "visits" not in answer.text


@pytest.mark.parametrize("brought", [f"Bearer {TOKEN}", f"bearer {TOKEN}", basic(TOKEN)])
def test_the_token_opens_the_counters(client, brought):
    get(client, "/attention?text=secret")
    client(lambda web: web.get("/train?status=404"))
    found = get(client, "/_playground/status.json", brought)
    assert found.headers["cache-control"] == "no-store"
    assert list(found.json()) == ["visits", "queue", "cache", "jobs", "memory", "errors"]
    assert found.json()["visits"]["answered_attention"] == 1
    assert found.json()["errors"] == {"404": 1}
    assert found.json()["memory"]["server_bytes"] > 2**20
    shown = get(client, "/_playground/status", brought)
    assert shown.headers["content-type"].startswith("text/html")
    assert "<td>answered attention</td><td>1</td>" in shown.text


def test_a_log_line_holds_neither_text_nor_path(client, lines):
    for path in ("/attention?text=secret", "/secret", "/broken", "/static/secret.js", "/_stcore/health"):
        get(client, path)
    get(client, "/static/secret.js?status=404")
    found = [json.loads(line) for line in lines]
    assert [(line["kind"], line["status"]) for line in found] == [
        ("attention", 200),
        ("other", 200),
        ("other", 500),
        ("asset", 404),
    ]
    assert all(set(line) == {"time", "kind", "status", "milliseconds"} for line in found)
    assert "secret" not in "".join(lines)
    assert request_counts().answers == {"attention": 1, "other": 2, "asset": 2, "health": 1}


def test_the_web_servers_own_lines_are_not_written():
    silence_access_log()
    access = logging.getLogger("uvicorn.access")
    written: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = written.append
    access.addHandler(handler)
    access.warning("%s - %s", "127.0.0.1", "/attention?text=secret")
    access.removeHandler(handler)
    assert written == []


def test_a_visit_is_open_as_long_as_its_connection(client, lines):
    def visit(web):
        with web.websocket_connect("/_stcore/stream") as socket:
            return socket.receive_json()

    assert client(visit) == {"open": 1}
    assert request_counts().open_visits == 0
    assert [(json.loads(line)["kind"], json.loads(line)["status"]) for line in lines] == [("visit", 101)]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "home"),
        ("//", "home"),
        ("/attention", "attention"),
        ("/_stcore/stream", "visit"),
        ("/_stcore/upload_file/a/b", "upload"),
        ("/_playground/status.json", "status"),
        ("/statics", "other"),
        ("/a text/attention", "other"),
    ],
)
def test_a_path_has_one_of_a_few_kinds(path, kind):
    assert request_kind(path) == kind


def test_a_base_path_is_not_part_of_the_kind(monkeypatch):
    monkeypatch.setattr("streamlit.get_option", lambda _name: "/demo/")
    assert [request_kind(path) for path in ("/demo", "/demo/train", "/demos/train")] == ["home", "train", "other"]


def test_the_counts_of_a_cache_and_of_the_queue_are_those_of_what_happened():
    kept = BoundedCache("numbers", 2)
    for key in (1, 1, 2, 3):
        kept.remember(key, lambda: 0)
    assert kept.get(1) is None
    assert kept.counters() == (2, 2, 1, 4)
    before = server_status()["queue"]
    with forward_queue().slot():
        during = server_status()["queue"]
    assert (during["running"], during["turns"]) == (before["running"] + 1, before["turns"] + 1)


def test_a_page_shows_names_as_text():
    assert "<script>" not in status_page({"<script>": {"<script>": 1}})
    assert RequestCounts().open_visits == 0
