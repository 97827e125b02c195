"""Models from the hub, against a hub on the loopback through the real huggingface_hub."""

import json
import threading
import time
from pathlib import Path

import pytest
import torch
from huggingface_hub import errors
from safetensors.torch import load_file, save, save_file

from playground.errors import UserError
from playground.models import cache
from playground.models.download_progress import CancelledError, DownloadProgress
from playground.models.formats import hub as hub_module
from playground.models.loading import load
from playground.models.sources import fetch
from playground.snippets import program

COMMIT = "a" * 40


@pytest.fixture
def tiny(hub, save_model):
    """The hub holds a small GPT-2 beside files that nobody needs."""
    hub.files = {path.name: path.read_bytes() for path in save_model("gpt2").iterdir()}
    hub.files |= {"pytorch_model.bin": b"pickle", "onnx/model.onnx": b"x", "modeling_own.py": b"evil"}
    return hub


def test_fetches_only_what_is_needed(tiny):
    folder = fetch("owner/name")
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "provenance.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert not any(path.endswith((".bin", ".onnx", ".py")) for path in tiny.asked)
    model = load("owner/name")
    assert (model.revision, model.source) == (COMMIT, "Hugging Face hub owner/name")
    assert f"load('owner/name', revision='{COMMIT}'" in program(model, [], [])


def test_a_revision_is_asked_for_and_kept_apart(tiny):
    folder = fetch("owner/name", revision="v1.0")
    assert folder.name == "owner--name@v1.0"
    assert "/api/models/owner/name/revision/v1.0" in tiny.asked


def test_damage_on_the_way_is_found(tiny):
    tiny.corrupt = "model.safetensors"
    with pytest.raises(UserError, match=r"model\.safetensors of owner/name does not have its checksum"):
        fetch("owner/name")
    assert list(cache.models_root().iterdir()) == []


def test_pickle_only_is_refused_without_a_download(tiny):
    del tiny.files["model.safetensors"]
    with pytest.raises(UserError, match="only pickle weights"):
        fetch("owner/name")
    assert not any("/resolve/" in path for path in tiny.asked)


def test_remote_code_is_refused_before_the_weights(tiny):
    tiny.files["config.json"] = b'{"model_type": "own", "auto_map": {"AutoModel": "modeling_own.Own"}}'
    with pytest.raises(UserError, match="Python code of its own"):
        fetch("owner/name")
    assert not any(path.endswith(".safetensors") for path in tiny.asked)


def test_a_repository_without_config_is_refused(tiny):
    del tiny.files["config.json"]
    with pytest.raises(UserError, match=r"no config\.json"):
        fetch("owner/name")


def test_gated_files_are_a_sentence(tiny):
    tiny.gate_files = True
    with pytest.raises(UserError, match="gated: accept its terms"):
        fetch("owner/name")


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (401, "RepoNotFound", "no model owner/name"),
        (404, "RepoNotFound", "no model owner/name"),
        (404, "RevisionNotFound", "no revision v9"),
        (403, "GatedRepo", "gated"),
        (429, "", "rate limit"),
        (503, "", "problem of its own"),
        (418, "", "status 418"),
    ],
)
def test_every_refusal_is_one_sentence(hub, status: int, code: str, sentence: str):
    hub.status, hub.error_code = status, code
    with pytest.raises(UserError, match=sentence) as caught:
        fetch("owner/name", revision="v9")
    assert "\n" not in str(caught.value)
    assert not cache.models_root().exists()


def test_no_network_is_said_quickly():
    started = time.monotonic()
    with pytest.raises(UserError, match="cannot be reached"):
        fetch("owner/name")
    assert time.monotonic() - started < hub_module.ANSWER_WITHIN + 2


def test_a_silent_hub_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hub_module, "_model_info", lambda *_: time.sleep(2))
    monkeypatch.setattr(hub_module, "ANSWER_WITHIN", 0.05)
    with pytest.raises(UserError, match="did not answer"):
        hub_module.look_up("owner/name", None)


def test_offline_mode_is_named():
    error = hub_module.explain_hub_error(errors.OfflineModeIsEnabled("offline"), "owner/name", None)
    assert "HF_HUB_OFFLINE" in str(error)


@pytest.mark.parametrize("name", ["bad id", "a--b", "-x", "a/b!"])
def test_impossible_ids_are_refused(name: str):
    with pytest.raises(UserError):
        fetch(name)


def test_cancelling_a_transfer_ends_it_at_once(tiny):
    tiny.stall = threading.Event()
    reports: list[DownloadProgress] = []
    started = time.monotonic()

    def enough() -> bool:
        return time.monotonic() - started > 2 and any(report.stage == "downloading" for report in reports)

    with pytest.raises(CancelledError):
        fetch("owner/name", progress=reports.append, cancelled=enough)
    assert time.monotonic() - started < 15
    assert list(cache.models_root().iterdir()) == []


def test_a_model_of_another_programs_cache_is_used(monkeypatch: pytest.MonkeyPatch, save_model, tmp_path: Path):
    import huggingface_hub

    snapshot = tmp_path / "snapshots" / COMMIT
    snapshot.parent.mkdir()
    save_model("gpt2").rename(snapshot)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: str(snapshot / "config.json"))
    assert load("owner/name").revision == COMMIT
    (snapshot / "model.safetensors").write_bytes(b"half")
    with pytest.raises(UserError, match="cannot be reached"):
        load("owner/name")


def test_shards_are_those_of_the_index_whatever_their_names(hub, save_model):
    """A repository may hold two sets; transformers has named shards in more than one way."""
    folder = save_model("gpt2")
    weights = load_file(folder / "model.safetensors")
    names = ("model.safetensors-00001-of-00002.safetensors", "model.safetensors-00002-of-00002.safetensors")
    named = dict(zip(names, halves(weights), strict=True))
    index = {"metadata": {}, "weight_map": {name: file for file, part in named.items() for name in part}}
    hub.files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "model.safetensors"}
    hub.files |= {file: save(part, metadata={"format": "pt"}) for file, part in named.items()}
    hub.files |= {"model.safetensors.index.json": json.dumps(index).encode()}
    hub.files |= {"consolidated-00001-of-00001.safetensors": b"another set"}
    model = load("owner/name")
    assert model.module.state_dict()["transformer.wte.weight"].equal(weights["transformer.wte.weight"])
    assert not any("consolidated" in path for path in hub.asked if "resolve" in path)


@pytest.mark.parametrize(
    "names",
    [
        ("model_pp0_ep0_shard0.safetensors", "model_pp0_ep0_shard1.safetensors"),
        ("model.layers.0.safetensors", "model.layers.1.safetensors"),
        ("model-00001-of-00001.safetensors", "mtp.safetensors"),
    ],
)
def test_an_index_may_name_its_files_as_it_likes(hub, save_model, names):
    folder = save_model("gpt2")
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    named = dict(zip(names, halves(weights), strict=True))
    index = {"metadata": {}, "weight_map": {name: file for file, part in named.items() for name in part}}
    for file, part in named.items():
        save_file(part, folder / file, metadata={"format": "pt"})
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    hub.files = {path.name: path.read_bytes() for path in folder.iterdir()}
    hub.files |= {"consolidated.safetensors": b"another set"}
    for model in (load("owner/name"), load(str(folder))):
        assert all(model.module.state_dict()[name].equal(tensor) for name, tensor in weights.items())
    assert not any("consolidated" in path for path in hub.asked if "resolve" in path)
    stored = json.loads((fetch("owner/name") / "provenance.json").read_text())
    assert set(names) <= stored["checksums"].keys()


def test_a_shard_that_the_hub_lacks_is_named(hub, save_model):
    folder = save_model("gpt2")
    hub.files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "model.safetensors"}
    index = {"weight_map": {"a": "part-00001-of-00002.safetensors", "b": "part-00002-of-00002.safetensors"}}
    hub.files |= {"model.safetensors.index.json": json.dumps(index).encode()}
    hub.files |= {"part-00001-of-00002.safetensors": b"x"}
    with pytest.raises(UserError, match=r"part-00002-of-00002\.safetensors is missing"):
        fetch("owner/name")


def halves(weights: dict[str, torch.Tensor]) -> list[dict[str, torch.Tensor]]:
    names = sorted(weights)
    return [{name: weights[name] for name in part} for part in (names[::2], names[1::2])]
