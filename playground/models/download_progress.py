"""Download progress: reports, cancelling, and watching a program that downloads."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playground.errors import UserError

Stage = Literal["connecting", "downloading", "checking", "unpacking", "converting", "loading", "done"]


INTERVAL = 0.1
"""Seconds between two reports of one stage."""


class CancelledError(UserError):
    """The person asked to stop; nothing was kept."""

    def __init__(self) -> None:
        super().__init__("The download was cancelled; nothing of it was kept.")


@dataclass(frozen=True, kw_only=True)
class DownloadProgress:
    """One report. Sizes in bytes; bytes_total and seconds_left are None while unknown; source in words.

    note says in a sentence why an earlier source was given up.
    """

    stage: Stage
    bytes_done: int = 0
    bytes_total: int | None = None
    seconds_left: float | None = None
    source: str = ""
    note: str = ""

    @property
    def fraction(self) -> float | None:
        """The part that is done, from 0 to 1, where the total is known."""
        return min(self.bytes_done / self.bytes_total, 1.0) if self.bytes_total else None


OnDownload = Callable[[DownloadProgress], None]
IsCancelled = Callable[[], bool]


@dataclass(kw_only=True)
class Meter:
    """Turn byte counts of one stage after another into reports with the time left; asks about cancelling."""

    on_report: OnDownload
    is_cancelled: IsCancelled
    source: str = ""
    note: str = ""
    _started: float = field(default=0.0, init=False)
    _reported: float = field(default=0.0, init=False)
    _stage: Stage | None = field(default=None, init=False)

    def report(self, stage: Stage, done: int = 0, total: int | None = None) -> None:
        """Report; raises CancelledError where the person asked for it. The clock starts with each stage."""
        if self.is_cancelled():
            raise CancelledError
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._started = stage, now
        elif done != total and now - self._reported < INTERVAL:
            return
        self._reported = now
        left = _seconds_left(done, total, now - self._started)
        self.on_report(
            DownloadProgress(
                stage=stage,
                bytes_done=done,
                bytes_total=total,
                seconds_left=left,
                source=self.source,
                note=self.note,
            )
        )


def _seconds_left(done: int, total: int | None, elapsed: float) -> float | None:
    """The rest at the mean speed so far; half a second of it has to be seen first."""
    if total is None or done <= 0 or elapsed < 0.5:
        return None
    return max(total - done, 0) * elapsed / done


def no_download_progress(_: DownloadProgress) -> None:
    """For callers that do not want to know."""


def never_cancelled() -> bool:
    """For callers that never stop."""
    return False


LOOK_INTERVAL = 0.2
"""Seconds between two looks at the folder."""


def run_watched(
    command: Sequence[str], folder: Path, *, total: int, meter: Meter, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command until it ends; whatever ends the wait early (a cancel, an error) kills it.

    The program's temporary files go into the watched folder, so they count as progress and go when it goes.
    """
    log = folder / "log.txt"
    try:
        with log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={
                    **os.environ,
                    "TMPDIR": str(folder),
                    "TMP": str(folder),
                    "TEMP": str(folder),
                    **(environment or {}),
                },
            )
            try:
                _wait(process, folder, total, meter)
            finally:
                stop(process)
    except FileNotFoundError as error:
        raise UserError(
            "{command} cannot be started; is this Python installation complete?", command=command[0]
        ) from error
    text = log.read_text(encoding="utf-8", errors="replace")
    return subprocess.CompletedProcess(command, process.returncode, text, "")


def _wait(process: subprocess.Popen[bytes], folder: Path, total: int, meter: Meter) -> None:
    while True:
        meter.report("downloading", min(largest_tree(folder), total), total)
        try:
            process.wait(LOOK_INTERVAL)
        except subprocess.TimeoutExpired:
            continue
        return


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the process if it still runs, politely first."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def largest_tree(folder: Path) -> int:
    """Bytes below the folder's fullest subfolder: pip copies a finished file from one to another at the end."""
    sizes: dict[str, int] = {}
    for directory, _, names in os.walk(folder):
        top = os.path.relpath(directory, folder).split(os.sep)[0]
        sizes[top] = sizes.get(top, 0) + sum(_size(os.path.join(directory, name)) for name in names)
    return max(sizes.values(), default=0)


def _size(path: str) -> int:
    """A file's bytes; 0 for one that has just gone."""
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0
