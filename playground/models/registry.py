"""The registry of loaded models, shared by all users of a server and limited in number and bytes."""

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cache

from playground.models.cache import folder_stamp
from playground.models.download_progress import IsCancelled, OnDownload, never_cancelled, no_download_progress
from playground.models.loading import LoadedModel, load
from playground.models.memory_estimate import DoesNotFitError, machine_bytes
from playground.settings import settings

Key = tuple[str, str | None, str, str, int]
Load = Callable[..., LoadedModel]


def key_of(name: str, revision: str | None, device: str, dtype: str) -> Key:
    """The key of a model. A folder can be rewritten under its name, so the state of its files is in it."""
    return (name, revision, device, dtype, folder_stamp(name))


class ModelRegistry:
    """A thread-safe LRU cache of models.

    An evicted model that is in use stays alive until its user drops it.
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
        """The model, loaded once however many threads ask for it; after a failure the next call tries again.

        Raises UserError as `load` does.
        """
        key = key_of(name, revision, device, dtype)
        model = self._recall(key)
        if model is not None:
            return model
        with self._lock_of(key):
            model = self._recall(key)
            if model is not None:
                return model
            try:
                model = self._load(key, progress, cancelled)
            except BaseException:
                with self._guard:  # whoever asks again takes a lock of his own; names of strangers are not kept
                    self._loading.pop(key, None)
                raise
            self._keep(key, model)
            return model

    def _load(self, key: Key, progress: OnDownload, cancelled: IsCancelled) -> LoadedModel:
        """Load; while it does not fit, evict the oldest model and try again."""
        name, revision, device, dtype, _ = key
        while True:
            try:
                return self._loader(
                    name, revision=revision, device=device, dtype=dtype, progress=progress, cancelled=cancelled
                )
            except DoesNotFitError:
                if not self._evict_oldest():
                    raise

    def peek(
        self, name: str, revision: str | None = None, device: str = "auto", dtype: str = "auto"
    ) -> LoadedModel | None:
        """The model if it is loaded, or None; does not count as a use."""
        with self._guard:
            return self._models.get(key_of(name, revision, device, dtype))

    def loaded(self) -> tuple[LoadedModel, ...]:
        """The loaded models, least recently used first."""
        with self._guard:
            return tuple(self._models.values())

    def clear(self) -> None:
        """Evict every model."""
        with self._guard:
            self._models.clear()

    def _evict_oldest(self) -> bool:
        """Evict the least recently used model; returns whether there was one."""
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
        """Add a model, and evict the oldest ones until the limits hold; the newest stays whatever its size."""
        with self._guard:
            self._models[key] = model
            while len(self._models) > 1 and self._is_over():
                self._models.popitem(last=False)
            self._loading.pop(key, None)

    def _is_over(self) -> bool:
        return len(self._models) > self._max_models or sum(m.bytes for m in self._models.values()) > self._max_bytes


@cache
def default_registry() -> ModelRegistry:
    """The server's registry, as large as its settings say; by default four models and half of the machine's memory."""
    allowed = settings()
    most = allowed.loaded_megabytes * 10**6 or machine_bytes() // 2
    return ModelRegistry(max_models=allowed.loaded_models, max_bytes=most)
