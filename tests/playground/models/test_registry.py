"""Sharing loaded models: once per model, bounded, least recently used out first."""

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from playground.errors import UserError
from playground.models.cache import folder_stamp
from playground.models.memory_estimate import DoesNotFitError
from playground.models.registry import ModelRegistry


class Loader:
    """Counts loads; every model has 10 bytes."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.wait: dict[str, threading.Event] = {}
        self.fail: set[str] = set()

    def __call__(self, name: str, **_: object) -> SimpleNamespace:
        if name in self.wait:
            assert self.wait[name].wait(5)
        if name in self.fail:
            raise UserError("no")
        self.loaded.append(name)
        return SimpleNamespace(name=name, bytes=10)


def _registry(loader, models: int = 9, size: int = 999) -> ModelRegistry:
    return ModelRegistry(max_models=models, max_bytes=size, loader=loader)


def _names(registry: ModelRegistry) -> list[str]:
    return [model.name for model in registry.loaded()]


def test_the_same_object_for_everybody():
    loader = Loader()
    registry = _registry(loader)
    assert registry.get("a") is registry.get("a") is registry.peek("a")
    assert registry.get("a", dtype="float16") is not registry.get("a")
    assert loader.loaded == ["a", "a"]


def test_least_recently_used_goes_first():
    registry = _registry(Loader(), models=2)
    for name in ("a", "b", "a", "c"):
        registry.get(name)
    assert _names(registry) == ["a", "c"]


def test_bytes_are_bounded_but_the_newest_stays():
    registry = _registry(Loader(), size=25)
    for name in ("a", "b", "c"):
        registry.get(name)
    assert _names(registry) == ["b", "c"]
    tight = _registry(Loader(), size=5)
    tight.get("a")
    assert _names(tight) == ["a"]


def test_many_threads_load_once():
    loader = Loader()
    loader.wait["a"] = threading.Event()
    registry = _registry(loader)
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(registry.get, "a") for _ in range(8)]
        time.sleep(0.05)
        loader.wait["a"].set()
        assert len({id(future.result()) for future in futures}) == 1
    assert loader.loaded == ["a"]


def test_one_model_does_not_hold_up_another():
    loader = Loader()
    loader.wait["slow"] = threading.Event()
    registry = _registry(loader)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(registry.get, "slow")
        assert registry.get("fast").name == "fast"
        assert not slow.done()
        loader.wait["slow"].set()
        assert slow.result(5).name == "slow"


def test_a_failed_load_leaves_nothing_and_can_be_tried_again():
    loader = Loader()
    loader.fail.add("a")
    registry = _registry(loader)
    with pytest.raises(UserError):
        registry.get("a")
    assert registry.loaded() == ()
    loader.fail.clear()
    assert registry.get("a").name == "a"


def test_short_memory_drops_the_oldest_and_tries_again():
    loader = Loader()
    registry = _registry(loader)

    def tight(name: str, **rest: object) -> SimpleNamespace:
        if len(registry.loaded()) >= 2:
            raise DoesNotFitError("no room")
        return loader(name, **rest)

    registry._loader = tight
    for name in ("a", "b", "c"):
        registry.get(name)
    assert _names(registry) == ["b", "c"]


def test_what_never_fits_is_refused_after_dropping_everything():
    def never(name: str, **_: object) -> SimpleNamespace:
        raise DoesNotFitError("no room")

    with pytest.raises(UserError, match="no room"):
        _registry(never).get("a")


def test_a_folder_that_is_saved_again_is_loaded_again(save_model):
    folder = save_model("gpt2")
    registry = ModelRegistry(max_models=4, max_bytes=1 << 40)
    before = registry.get(str(folder))
    assert registry.get(str(folder)) is before
    save_model("gpt2", n_layer=3)  # the same folder
    after = registry.get(str(folder))
    assert (before.layers, after.layers) == (2, 3)
    assert after.stamp != before.stamp


@pytest.mark.parametrize("newest", ["model.safetensors", "tokenizer.json"])
def test_an_older_file_that_is_moved_in_with_its_time_is_loaded(save_model, tmp_path, newest):
    """As mv and rsync -a do: no time in the folder becomes newer."""
    folder, old = save_model("gpt2"), tmp_path / "old.safetensors"
    weights = load_file(folder / "model.safetensors")
    save_file({name: tensor + 1 for name, tensor in weights.items()}, old, metadata={"format": "pt"})
    os.utime(old, ns=(1, 1))
    os.utime(folder / newest)
    registry = ModelRegistry(max_models=4, max_bytes=1 << 40)
    before = registry.get(str(folder)).module.state_dict()["transformer.wte.weight"]
    os.replace(old, folder / "model.safetensors")
    after = registry.get(str(folder)).module.state_dict()["transformer.wte.weight"]
    assert after.equal(before + 1)


def test_a_file_of_the_same_time_and_size_in_another_place_is_loaded(save_model, tmp_path):
    folder, other = save_model("gpt2"), tmp_path / "other"
    path = folder / "model.safetensors"
    save_file({name: tensor + 1 for name, tensor in load_file(path).items()}, other, metadata={"format": "pt"})
    os.utime(other, ns=(path.stat().st_mtime_ns,) * 2)
    registry = ModelRegistry(max_models=4, max_bytes=1 << 40)
    before = registry.get(str(folder))
    os.replace(other, path)
    assert registry.get(str(folder)) is not before


def adapter_on(base: Path, folder: Path) -> Path:
    """LoRA that changes nothing, as peft writes it."""
    folder.mkdir()
    path = "base_model.model.transformer.h.0.attn.c_attn"
    tensors = {f"{path}.lora_A.weight": torch.zeros(2, 16), f"{path}.lora_B.weight": torch.zeros(48, 2)}
    save_file(tensors, folder / "adapter_model.safetensors")
    values = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "base_model_name_or_path": str(base), "bias": "none"}
    (folder / "adapter_config.json").write_text(json.dumps(values))
    return folder


def test_a_file_written_over_with_its_old_time_and_size_is_noticed(save_model):
    folder = save_model("gpt2")
    path, before = folder / "model.safetensors", folder_stamp(str(folder))
    assert folder_stamp(str(folder)) == before
    state = path.stat()
    path.write_bytes(path.read_bytes()[:-4] + bytes(4))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert folder_stamp(str(folder)) != before


def test_an_adapter_whose_base_is_saved_again_is_loaded_again(save_model, tmp_path):
    folder = adapter_on(save_model("gpt2"), tmp_path / "adapter")
    registry = ModelRegistry(max_models=4, max_bytes=1 << 40)
    before = registry.get(str(folder))
    assert registry.get(str(folder)) is before
    save_model("gpt2", n_layer=3)
    after = registry.get(str(folder))
    assert (before.layers, after.layers) == (2, 3)
    assert after.stamp != before.stamp


def test_a_fine_tuned_model_notices_that_its_base_is_saved_again(tmp_path):
    from playground.training.run.folder import run
    from playground.training.run.paths import checkpoint_folders
    from tests.helpers.small_finetuning import base_of, finetune_config

    config = finetune_config(tmp_path, "gpt2", "passages")
    list(run(config, tmp_path / "run"))
    folder = checkpoint_folders(tmp_path / "run")[-1]
    registry = ModelRegistry(max_models=4, max_bytes=1 << 40)
    registry.get(str(folder))
    base_of(tmp_path, "gpt2", n_layer=3)
    with pytest.raises(UserError, match="not those that were fine-tuned"):
        registry.get(str(folder))


def test_bases_that_name_each_other_have_a_stamp(tmp_path):
    for name, base in (("a", "b"), ("b", "a")):
        adapter_on(tmp_path / base, tmp_path / name)
    assert len({folder_stamp(str(tmp_path / name)) for name in "ab"} | {0}) == 3


def test_names_that_could_not_be_loaded_leave_nothing_behind():
    loader = Loader()
    loader.fail = {f"forged-{number}" for number in range(50)}
    registry = _registry(loader)
    for name in sorted(loader.fail):
        with pytest.raises(UserError):
            registry.get(name)
    assert not registry._loading


def test_the_servers_registry_is_as_large_as_its_settings_say(monkeypatch: pytest.MonkeyPatch):
    from playground.models.registry import default_registry

    monkeypatch.setenv("PLAYGROUND_LOADED_MODELS", "2")
    monkeypatch.setenv("PLAYGROUND_LOADED_MEGABYTES", "300")
    default_registry.cache_clear()
    try:
        assert (default_registry()._max_models, default_registry()._max_bytes) == (2, 300_000_000)
    finally:
        default_registry.cache_clear()
