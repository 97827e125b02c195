"""Models: the catalogue, downloads, loading, and calling any family.

catalogue.py          models that are offered by name, and their sources
sources.py            download a model from the first source that has it
cache.py              folders of shipped and downloaded models, checkpoints of runs; staging and provenance
cache_bound.py        the folder of fetched models, the least recently used out first
download_progress.py  progress reports with the time left; cancelling
loading.py            load a model by catalogue name, folder, hub id or run
heads.py              classifiers and answer finders: their labels, and whether they were trained
build_bounds.py       no configuration asks for more than its weights hold
rehearsal.py          read texts with strangers' tokenizers in a process that can be given up
tokenizer_risks.py    which tokenizers may take for ever on some text
tokenizer_worker.py   the program of that process
memory_estimate.py    bytes that a model needs and that the machine has
registry.py           loaded models, shared by the users of a server
formats/              read checkpoints, the hub, wheels and GGUF
adapters/             build and call a family

Importing this package, or its catalogue, imports neither torch nor transformers.
"""

from typing import TYPE_CHECKING, Any

from playground.models.cache import is_run_name, looks_like_path
from playground.models.catalogue import Entry, ModelSource, catalogue, find, is_local
from playground.models.download_progress import CancelledError, DownloadProgress

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
    "ModelSource",
    "catalogue",
    "default_registry",
    "fetch",
    "find",
    "is_local",
    "is_run_name",
    "load",
    "local_folder",
    "looks_like_path",
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
    """Import torch and transformers only when a name that needs them is first used."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
