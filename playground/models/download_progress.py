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
REPORT_SECONDS = 0.1
"""Least time between two reports of one stage."""
WATCH_SECONDS = 0.2
"""Time between two measurements of the watched folder."""


class CancelledError(UserError):
    """The user cancelled the download; nothing of it was kept."""

    def __init__(self) -> None:
        super().__init__("The download was cancelled; nothing of it was kept.")


@dataclass(frozen=True, kw_only=True)
class DownloadProgress:
    """The state of a download."""

    stage: Stage
    bytes_done: int = 0
    bytes_total: int | None = None
    """None while unknown."""
    seconds_left: float | None = None
    """None while unknown."""
    source: str = ""
    """The source in use, readable."""
    note: str = ""
    """Why an earlier source failed."""

    @property
    def fraction(self) -> float | None:
        """Share done, from 0 to 1; None while the total is unknown."""
        return min(self.bytes_done / self.bytes_total, 1.0) if self.bytes_total else None


OnDownload = Callable[[DownloadProgress], None]
IsCancelled = Callable[[], bool]


@dataclass(kw_only=True)
class Meter:
    """Turns byte counts into reports with the time left, and checks for cancellation."""

    on_report: OnDownload
    is_cancelled: IsCancelled
    source: str = ""
    """Of the reports to come."""
    note: str = ""
    """Of the reports to come."""
    _started: float = field(default=0.0, init=False)
    _reported: float = field(default=0.0, init=False)
    _stage: Stage | None = field(default=None, init=False)

    def report(self, stage: Stage, done: int = 0, total: int | None = None) -> None:
        """Report a stage's progress; a new stage restarts the clock. Raises CancelledError if the user cancelled."""
        if self.is_cancelled():
            raise CancelledError
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._started = stage, now
        elif done != total and now - self._reported < REPORT_SECONDS:
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
    """The rest at the mean speed so far, which is known after half a second."""
    if total is None or done <= 0 or elapsed < 0.5:
        return None
    return max(total - done, 0) * elapsed / done


def no_download_progress(_: DownloadProgress) -> None:
    """Ignore a report."""


def never_cancelled() -> bool:
    """Answer that nobody cancelled."""
    return False


def run_watched(
    command: Sequence[str], folder: Path, *, total: int, meter: Meter, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, reporting the growth of `folder` as progress; an exception on the way kills it.

    Temporary files go into that folder, so that they count as progress and are deleted with it. The result's stdout
    holds both outputs. Raises UserError if the command cannot be started, and CancelledError.
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
            process.wait(WATCH_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return


def stop(process: subprocess.Popen[bytes]) -> None:
    """Terminate a process that still runs; kill it after two seconds."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def largest_tree(folder: Path) -> int:
    """Size of the largest subfolder: pip copies a finished file from one to another at the end."""
    sizes: dict[str, int] = {}
    for directory, _, names in os.walk(folder):
        top = os.path.relpath(directory, folder).split(os.sep)[0]
        sizes[top] = sizes.get(top, 0) + sum(_file_size(os.path.join(directory, name)) for name in names)
    return max(sizes.values(), default=0)


def _file_size(path: str) -> int:
    """A file's size; 0 if it has just been deleted."""
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0
