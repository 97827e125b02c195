"""Run a program that downloads into a folder: report the bytes as they arrive, stop it when asked."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from playground.errors import UserError
from playground.progress import Meter

INTERVAL = 0.2
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
        raise UserError(f"{command[0]} cannot be started; is this Python installation complete?") from error
    text = log.read_text(encoding="utf-8", errors="replace")
    return subprocess.CompletedProcess(command, process.returncode, text, "")


def _wait(process: subprocess.Popen[bytes], folder: Path, total: int, meter: Meter) -> None:
    while True:
        meter.tell("downloading", min(largest_tree(folder), total), total)
        try:
            process.wait(INTERVAL)
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
