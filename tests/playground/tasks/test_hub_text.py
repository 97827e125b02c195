"""Text of the hub's data sets, read by ranges from a hub on the loopback through the real huggingface_hub."""

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pyarrow
import pyarrow.parquet
import pytest

from playground.errors import UserError
from playground.tasks import hub_text
from playground.tasks.hub_text import read_hub
from playground.tasks.sources import read_sources

COMMIT = "b" * 40


@dataclass
class Hub:
    """What the hub holds and how it misbehaves."""

    files: dict[str, bytes] = field(default_factory=dict)
    status: int = 200
    error_code: str = ""
    knows_ranges: bool = True
    sent: int = 0


def handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            if hub.status != 200:
                return self.answer(hub.status, b"{}")
            if path.startswith("/api/datasets/owner/name"):
                siblings = [{"rfilename": name, "size": len(content)} for name, content in hub.files.items()]
                return self.answer(200, json.dumps({"id": "owner/name", "sha": COMMIT, "siblings": siblings}).encode())
            content = hub.files[path.removeprefix(f"/datasets/owner/name/resolve/{COMMIT}/")]
            if not hub.knows_ranges:
                return self.answer(200, content)
            begin, end = self.headers["Range"].removeprefix("bytes=").split("-")
            part = content[int(begin) : int(end) + 1]
            hub.sent += len(part)
            self.answer(206, part)

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if hub.error_code:
                self.send_header("X-Error-Code", hub.error_code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(hub))
    server.daemon_threads = True
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def parquet(**columns: list) -> bytes:
    stream = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), stream, compression="none", use_dictionary=False)
    return stream.getvalue()


ROWS = [{"label": "x", "text": "first row"}, {"label": "y", "text": "second row"}]
TEXTS = ["first row", "second row"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("data/train-0.parquet", parquet(label=["x", "y"], text=TEXTS)),
        ("train.jsonl", "\n".join(map(json.dumps, ROWS)).encode()),
        ("train.csv", b'label,text\nx,"first row"\ny,second row\n'),
        ("train.tsv", b"label\ttext\nx\tfirst row\ny\tsecond row\n"),
        ("a.txt", b"first row\n\nsecond row"),
    ],
)
def test_every_kind_of_file_gives_its_column_of_text(hub, name, content):
    hub.files = {"README.md": b"words", "test.jsonl": b"never", name: content}
    assert read_sources(("hub:owner/name",)) == ["first row\n\nsecond row"]


def test_training_files_go_first_and_held_out_ones_are_left_alone(hub):
    hub.files = {"a.jsonl": b'{"text": "other"}', "validation.jsonl": b'{"text": "held out"}'}
    hub.files["z-train.jsonl"] = b'{"text": "training"}'
    assert read_hub("owner/name") == "training\n\nother"


def test_a_column_is_chosen_by_name_then_by_place(hub):
    hub.files = {"a.parquet": parquet(id=["1"], Story=["told"], text_id=["2"])}
    assert read_hub("owner/name") == "told"
    hub.files = {"a.parquet": parquet(number=[1], words=["said"], more=["not"])}
    assert read_hub("owner/name") == "said"


def test_no_more_is_read_than_is_wanted(hub, monkeypatch):
    """A hundred columns beside the text, and a file ten times as long as what is taken of it."""
    monkeypatch.setattr(hub_text, "TEXT_BYTES", 1000)
    monkeypatch.setattr(hub_text, "READ_BYTES", 2000)
    hub.files = {"a.jsonl": b'{"text": "0123456789"}\n' * 1000}
    text = read_hub("owner/name")
    # The limit is on the rows; two line ends stand between each and the next.
    assert len(text.replace("\n", "")) <= 1000
    assert hub.sent <= 2000
    monkeypatch.setattr(hub_text, "TEXT_BYTES", 20)
    hub.files, hub.sent = {"b.parquet": parquet(big=["x" * 3_000_000] * 4, text=["0123456789é" * 9] * 4)}, 0
    assert read_hub("owner/name") == "0123456789é01234567"
    assert hub.sent < 4_000_000 < len(hub.files["b.parquet"])


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"picture.png": b"x"}, "has no .parquet, .jsonl, .csv, .tsv, .txt file"),
        ({"a.parquet": b"not parquet at all"}, "cannot be read as what its name says"),
        ({"a.jsonl": b"{"}, "cannot be read as what its name says"),
        ({"a.jsonl": b"[1]"}, "cannot be read as what its name says"),
        ({"a.parquet": parquet(number=[1, 2])}, "no column of text"),
        ({"a.txt": b" \n"}, "holds no text"),
    ],
)
def test_a_data_set_without_text_is_a_sentence(hub, files, sentence):
    hub.files = files
    with pytest.raises(UserError, match=sentence) as caught:
        read_hub("owner/name")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (404, "RepoNotFound", "no data set owner/name"),
        (403, "GatedRepo", "gated"),
        (429, "", "rate limit"),
        (503, "", "status 503"),
    ],
)
def test_every_refusal_is_a_sentence(hub, status, code, sentence):
    hub.status, hub.error_code = status, code
    with pytest.raises(UserError, match=sentence):
        read_hub("owner/name")


def test_a_hub_that_knows_no_ranges_is_not_misread(hub):
    hub.files = {"a.parquet": parquet(text=["words"])}
    hub.knows_ranges = False
    with pytest.raises(UserError, match="in part"):
        read_hub("owner/name")


def test_no_network_and_a_wrong_name_are_sentences(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError, match="cannot be reached"):
        read_hub("owner/name")
    with pytest.raises(UserError, match="not the id of a data set"):
        read_hub("a/b/c d")
