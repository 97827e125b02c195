import os
import time
from pathlib import Path

import pytest

from playground.jobs.retention import DAY, FolderSize, delete_expired, expired_runs
from playground.training.run.status import Status, by_this_process, write_status


def folder_of(root: Path, name: str, *, days: float, file: str = "config.json", live: bool = False) -> Path:
    folder = root / name
    folder.mkdir()
    (folder / file).write_text("{}")
    if live:
        write_status(folder, by_this_process(Status(state="running")))
    then = time.time() - days * DAY
    for path in (*folder.iterdir(), folder):
        os.utime(path, (then, then))
    return folder


def test_what_is_old_and_rests_is_expired(tmp_path):
    folder_of(tmp_path, "old", days=8)
    folder_of(tmp_path, "oldsweep", days=8, file="sweep.json")
    folder_of(tmp_path, "young", days=6)
    folder_of(tmp_path, "live", days=8, live=True)
    folder_of(tmp_path, ".deleted-x", days=8)
    (tmp_path / "link").symlink_to(tmp_path / "old")
    assert expired_runs(tmp_path, days=7) == ["old", "oldsweep"]
    delete_expired(tmp_path, days=7, busy=["oldsweep"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [".deleted-x", "link", "live", "oldsweep", "young"]


def test_without_a_limit_nothing_is_deleted(tmp_path):
    folder_of(tmp_path, "old", days=10_000)
    delete_expired(tmp_path, days=float("inf"))
    assert (tmp_path / "old").exists()


@pytest.mark.parametrize("seconds", [0.0, 100.0])
def test_a_size_is_measured_anew_when_it_is_due(tmp_path, seconds):
    size = FolderSize(tmp_path, seconds=seconds)
    assert size.bytes() == 0
    (tmp_path / "file").write_bytes(bytes(100))
    assert size.bytes() == (0 if seconds else 100)
