"""Sharing loaded models: once per model, bounded, least recently used out first."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from playground.errors import UserError
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
    for path in save_model("gpt2", n_layer=3).iterdir():  # the same folder
        os.utime(path, ns=(before.written + 1_000_000,) * 2)
    after = registry.get(str(folder))
    assert (before.layers, after.layers) == (2, 3)
    assert after.written > before.written


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
