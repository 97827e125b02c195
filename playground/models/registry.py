"""Loaded models, shared by all users of one server, bounded in number and bytes."""

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cache

from playground.models.cache import written_at
from playground.models.download_progress import IsCancelled, OnDownload, never_cancelled, no_download_progress
from playground.models.loading import LoadedModel, load
from playground.models.memory_estimate import DoesNotFitError, machine_bytes

Key = tuple[str, str | None, str, str, int]
Load = Callable[..., LoadedModel]


def key_of(name: str, revision: str | None, device: str, dtype: str) -> Key:
    """What a model is kept by; a run's checkpoint may be written anew under the same name, or be deleted."""
    return (name, revision, device, dtype, written_at(name))


class ModelRegistry:
    """Keeps the most recently used models; the least recently used one goes first.

    A model that somebody still runs lives on until they let go of it; the registry only forgets it.
    """

    def __init__(self, *, max_models: int, max_bytes: int, loader: Load = load) -> None:
        self._max_models = max_models
        self._max_bytes = max_bytes
        self._loader = loader
        self._models: OrderedDict[Key, LoadedModel] = OrderedDict()
        self._guard = threading.Lock()
        self._loading: dict[Key, threading.Lock] = {}

    def get(
        self,
        name: str,
        revision: str | None = None,
        device: str = "auto",
        dtype: str = "auto",
        *,
        progress: OnDownload = no_download_progress,
        cancelled: IsCancelled = never_cancelled,
    ) -> LoadedModel:
        """The model, loaded at most once however many threads ask. A failed load leaves nothing, and the next
        one who asks tries again. Raises UserError as `load` does."""
        key = key_of(name, revision, device, dtype)
        model = self._recall(key)
        if model is not None:
            return model
        with self._lock_of(key):
            model = self._recall(key)
            if model is not None:
                return model
            model = self._load(key, progress, cancelled)
            self._keep(key, model)
            return model

    def _load(self, key: Key, progress: OnDownload, cancelled: IsCancelled) -> LoadedModel:
        """Load; where the memory does not suffice, forget other models, oldest first, and try again."""
        name, revision, device, dtype, _ = key
        while True:
            try:
                return self._loader(
                    name, revision=revision, device=device, dtype=dtype, progress=progress, cancelled=cancelled
                )
            except DoesNotFitError:
                if not self._forget_oldest():
                    raise

    def peek(
        self, name: str, revision: str | None = None, device: str = "auto", dtype: str = "auto"
    ) -> LoadedModel | None:
        """The model if it is loaded now, without loading it and without counting as a use."""
        with self._guard:
            return self._models.get(key_of(name, revision, device, dtype))

    def loaded(self) -> tuple[LoadedModel, ...]:
        """What is kept, the least recently used first."""
        with self._guard:
            return tuple(self._models.values())

    def clear(self) -> None:
        """Forget every model."""
        with self._guard:
            self._models.clear()

    def _forget_oldest(self) -> bool:
        """Let go of the least recently used model; whether there was one."""
        with self._guard:
            if not self._models:
                return False
            self._models.popitem(last=False)
        gc.collect()
        return True

    def _recall(self, key: Key) -> LoadedModel | None:
        with self._guard:
            if key in self._models:
                self._models.move_to_end(key)
            return self._models.get(key)

    def _lock_of(self, key: Key) -> threading.Lock:
        with self._guard:
            return self._loading.setdefault(key, threading.Lock())

    def _keep(self, key: Key, model: LoadedModel) -> None:
        """Put the model in, and the oldest out until the bounds hold; the newest stays whatever its size."""
        with self._guard:
            self._models[key] = model
            while len(self._models) > 1 and self._is_over():
                self._models.popitem(last=False)
            self._loading.pop(key, None)

    def _is_over(self) -> bool:
        return len(self._models) > self._max_models or sum(m.bytes for m in self._models.values()) > self._max_bytes


@cache
def default_registry() -> ModelRegistry:
    """The server's registry: at most four models and half of the machine's memory."""
    return ModelRegistry(max_models=4, max_bytes=machine_bytes() // 2)
