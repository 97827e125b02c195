"""The bound of the folder of fetched models: those that were not used for longest go, and are fetched again when asked.

A folder's own time says when its model was last loaded.
"""

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from playground.models.cache import STAGING_PREFIX, models_root
from playground.settings import settings

RECENT_SECONDS = 60.0
"""A model that was used so lately may be being read."""


def mark_used(folder: Path) -> None:
    """Note that a fetched model is used now; other folders are not ours to touch."""
    if folder.parent == models_root():
        with suppress(OSError):  # a cache that can only be read
            os.utime(folder)


def make_room(*, keep: Path, most: int | None = None) -> list[str]:
    """Delete fetched models until they take at most `most` bytes (the setting), but for `keep`; returns their names."""
    limit = settings().cache_megabytes * 10**6 if most is None else most
    if not limit:
        return []
    sizes = {folder: _bytes_in(folder) for folder in models_root().glob("*") if _is_model(folder)}
    deleted, latest = [], time.time() - RECENT_SECONDS
    for folder in sorted(sizes, key=_used):
        if sum(sizes.values()) <= limit:
            break
        if folder == keep or _used(folder) > latest:
            continue
        shutil.rmtree(folder, ignore_errors=True)
        del sizes[folder]
        deleted.append(folder.name)
    return deleted


def _is_model(folder: Path) -> bool:
    return folder.is_dir() and not folder.is_symlink() and not folder.name.startswith(STAGING_PREFIX)


def _used(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return time.time()


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_size
    return total
