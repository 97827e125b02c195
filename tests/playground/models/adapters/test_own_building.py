"""Our own models from folders and from training runs: every kind loads whole, and names are read strictly."""

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from playground.errors import UserError
from playground.folders import runs_folder
from playground.lens import trace
from playground.models import looks_like_path
from playground.models.catalogue import SHIPPED, catalogue
from playground.models.loading import load
from playground.models.registry import ModelRegistry
from tests.helpers.own_models import random_model, save_model

KINDS = ["decoder", "encoder", "encoder-decoder"]
RUN = "Zx81-kqV_w7TfA2bGm9cHd"


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path / "runs"))
    return runs_folder()


def save_run(runs: Path, step: int, **changes) -> torch.nn.Module:
    model = random_model(**changes)
    folder = save_model(model, runs / RUN / "snapshots" / f"{step:06d}")
    (folder / "resume").mkdir()
    save_file({"0.exp_avg": torch.zeros(3)}, folder / "resume" / "optimizer.safetensors")
    (folder / "resume" / "state.json").write_text("{}")
    return model


# Folders


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_loads_with_the_same_numbers(tmp_path, kind, tied):
    model = random_model(kind=kind, tied=tied)
    loaded = load(str(save_model(model, tmp_path)))
    ids = torch.tensor([[0, 7, 9, 8, 1]])
    target = torch.tensor([[0, 6]]) if kind == "encoder-decoder" else None
    assert torch.equal(loaded.module(ids, target), model(ids, target))
    assert (loaded.kind, loaded.layers, loaded.n_heads, loaded.context) == (kind, 2, 4, 64)
    assert loaded.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert not loaded.module.training


@pytest.mark.parametrize(
    ("changes", "predicts"),
    [
        ({"kind": "decoder", "tied": False}, True),
        ({"kind": "encoder"}, True),
        ({"kind": "encoder", "classes": 2}, True),
        ({"kind": "encoder", "classes": 2, "tied": False}, False),
        ({"kind": "encoder-decoder"}, True),
    ],
)
def test_the_heads_are_reported(tmp_path, changes, predicts):
    loaded = load(str(save_model(random_model(**changes), tmp_path)))
    assert (loaded.has_output_head, loaded.classes) == (predicts, changes.get("classes", 0))


@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_lack_one_are_refused(tmp_path, kind):
    folder = save_model(random_model(kind=kind), tmp_path)
    weights = load_file(folder / "model.safetensors")
    for lost in ("embedding.weight", "blocks.1.attention.output.weight"):
        save_file({k: v for k, v in weights.items() if k != lost}, folder / "model.safetensors")
        with pytest.raises(UserError, match=r"do not belong to its config\.json"):
            load(str(folder))
    save_file({**weights, "extra.weight": torch.zeros(2)}, folder / "model.safetensors")
    with pytest.raises(UserError, match="extra"):
        load(str(folder))


# Training runs


@pytest.mark.parametrize("kind", KINDS)
def test_a_snapshot_loads_by_its_runs_name(runs, kind):
    model = save_run(runs, 500, kind=kind)
    loaded = load(f"run/{RUN}/500")
    assert torch.equal(loaded.module.head.weight, model.head.weight)
    digest = hashlib.sha256((loaded.folder / "model.safetensors").read_bytes()).hexdigest()
    assert (loaded.source, loaded.revision) == ("training run", f"step 500, sha256:{digest[:12]}")
    assert load(f"run/{RUN}/000500").folder == loaded.folder == runs / RUN / "snapshots" / "000500"
    assert len(trace(loaded, "The cat sat").tokens) >= 12


def test_a_snapshot_opened_as_a_folder_is_no_hub_model(runs):
    save_run(runs, 500)
    loaded = load(str(runs / RUN / "snapshots" / "000500"))
    assert loaded.source.startswith("folder ")
    assert loaded.revision is None


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (f"run/{RUN}/400", "no checkpoint of step 400"),
        ("run/other/500", "no training run other"),
        (f"run/{RUN}/../500", "names no checkpoint"),
        (f"run/../{RUN}/500", "names no checkpoint"),
        ("run/../500", "names no checkpoint"),
        ("run/./500", "names no checkpoint"),
        (f"run/{RUN}/", "names no checkpoint"),
        (f"run/{RUN}/-1", "names no checkpoint"),
        (f"run/{RUN}/٥٠٠", "names no checkpoint"),
        (f"run/{RUN}\n/500", "names no checkpoint"),
        (f"run/{RUN}/snapshots", "names no checkpoint"),
    ],
)
def test_a_name_that_is_no_checkpoints_is_refused(runs, name, sentence):
    save_run(runs, 500)
    with pytest.raises(UserError, match=sentence):
        load(name)


def test_a_snapshot_that_was_written_anew_or_deleted_is_not_taken_from_before(runs):
    registry = ModelRegistry(max_models=4, max_bytes=1 << 30)
    save_run(runs, 500, seed=1)
    first = registry.get(f"run/{RUN}/500")
    assert registry.get(f"run/{RUN}/500") is first
    shutil.rmtree(runs / RUN)
    assert registry.peek(f"run/{RUN}/500") is None
    with pytest.raises(UserError, match="no training run"):
        registry.get(f"run/{RUN}/500")
    anew = save_run(runs, 500, seed=2)
    os.utime(first.folder / "model.safetensors", ns=(1, 1))
    second = registry.get(f"run/{RUN}/500")
    assert torch.equal(second.module.head.weight, anew.head.weight)
    assert second.revision != first.revision


def test_a_snapshot_has_no_revisions(runs):
    save_run(runs, 500)
    with pytest.raises(UserError, match="no revisions"):
        load(f"run/{RUN}/500", revision="main")


def test_a_folder_of_that_name_does_not_stand_in_for_a_run(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_model(random_model(), tmp_path / "run" / RUN / "500")
    with pytest.raises(UserError, match="no training run"):
        load(f"run/{RUN}/500")
    assert load(f"./run/{RUN}/500").kind == "decoder"


# Names


@pytest.mark.parametrize(
    ("name", "is_path"),
    [
        ("gpt2", False),
        ("owner/name", False),
        ("books-decoder", False),
        (f"run/{RUN}/500", False),
        ("run/name", False),
        ("./gpt2", True),
        ("~/models", True),
        ("/models", True),
        ("models\\gpt2", True),
        ("a/b/c", True),
        ("here", True),
        ("here/model", True),
    ],
)
def test_what_is_taken_for_a_path(tmp_path, monkeypatch, name, is_path):
    (tmp_path / "here" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert looks_like_path(name) == is_path


# The catalogue


def test_a_shipped_model_is_offered_once_its_weights_are_there(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["playground.models.catalogue"], "shipped_folder", lambda name: tmp_path / name)
    assert [entry.name for entry in catalogue()] == ["smollm2-135m", "all-minilm-l6-v2"]
    kinds = dict(zip(SHIPPED, ["decoder", "encoder", "encoder-decoder", "decoder", "encoder"], strict=True))
    for name, kind in kinds.items():
        save_model(random_model(kind=kind), tmp_path / name)
    entries = catalogue()[: len(kinds)]
    assert {entry.name: entry.kind for entry in entries} == kinds
    assert all(entry.parameters > 1000 and entry.summary.endswith(".") for entry in entries)
    assert (entries[2].layers, entries[2].n_heads) == (2, 4)


def test_a_shipped_models_old_configuration_is_a_decoders(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["playground.models.catalogue"], "shipped_folder", lambda name: tmp_path / name)
    folder = save_model(random_model(), tmp_path / "books-decoder")
    values = json.loads((folder / "config.json").read_text())
    del values["kind"]
    (folder / "config.json").write_text(json.dumps(values))
    assert catalogue()[0].kind == "decoder"
