"""What becomes of runs that nobody continues: deleted after some days. Needs no torch."""

import math
import shutil
import time
from collections.abc import Collection
from pathlib import Path

from playground.training.run.paths import CONFIG, bytes_in, is_run_id
from playground.training.run.status import observed_status

DAY = 86_400.0


def expired_runs(root: Path, *, days: float, now: float | None = None) -> list[str]:
    """The ids of the runs, and of the sweeps, in which nothing has happened for `days` days."""
    latest = (time.time() if now is None else now) - days * DAY
    folders = [path for path in root.glob("*") if is_run_id(path.name) and path.is_dir() and not path.is_symlink()]
    return sorted(path.name for path in folders if _last_change(path) < latest and not _is_live(path))


def delete_expired(root: Path, *, days: float, busy: Collection[str] = ()) -> None:
    """Delete for good what nobody has continued for `days` days, but for the busy runs."""
    if days < math.inf:
        for run_id in set(expired_runs(root, days=days)) - set(busy):
            shutil.rmtree(root / run_id, ignore_errors=True)


def _last_change(folder: Path) -> float:
    """When the newest of its files was written; now for a folder that is being written."""
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:
        return time.time()


def _is_live(folder: Path) -> bool:
    return (folder / CONFIG).exists() and observed_status(folder).is_live


class FolderSize:
    """The size of a folder in bytes, measured again after `seconds`: walking thousands of files takes a while."""

    def __init__(self, folder: Path, *, seconds: float = 30.0) -> None:
        self._folder, self._seconds = folder, seconds
        self._bytes, self._measured = 0, float("-inf")

    def bytes(self) -> int:
        """The size, at most `seconds` old."""
        if time.monotonic() - self._measured > self._seconds:
            self._bytes, self._measured = bytes_in(self._folder), time.monotonic()
        return self._bytes
