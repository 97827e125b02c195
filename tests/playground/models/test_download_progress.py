"""Reports: the time left, how often, and a watched program that is stopped."""

import sys
import time
from pathlib import Path

import pytest

from playground.errors import UserError
from playground.models import download_progress
from playground.models.download_progress import (
    CancelledError,
    DownloadProgress,
    Meter,
    largest_tree,
    never_cancelled,
    run_watched,
)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(download_progress.time, "monotonic", lambda: now[0])
    return now


def test_time_left_by_hand(clock: list[float]):
    reports: list[DownloadProgress] = []
    meter = Meter(on_report=reports.append, is_cancelled=never_cancelled, source="s")
    meter.report("downloading", 0, 100)
    clock[0] += 2
    meter.report("downloading", 25, 100)
    assert reports[0].seconds_left is None
    assert reports[1].seconds_left == pytest.approx(6.0)  # 25 in 2 seconds, 75 to go
    assert reports[1].fraction == 0.25
    clock[0] += 1
    meter.report("unpacking", 1, 100)
    assert reports[2].seconds_left is None


def test_reports_are_rare_but_the_last_one_comes(clock: list[float]):
    reports: list[DownloadProgress] = []
    meter = Meter(on_report=reports.append, is_cancelled=never_cancelled)
    for done in range(101):
        clock[0] += 0.001
        meter.report("checking", done, 100)
    assert len(reports) <= 3
    assert reports[-1].bytes_done == 100


def test_cancelling_is_asked_even_between_reports(clock: list[float]):
    answers = iter([False, True])
    meter = Meter(on_report=lambda _: None, is_cancelled=lambda: next(answers))
    meter.report("checking", 1, 100)
    with pytest.raises(CancelledError):
        meter.report("checking", 2, 100)


def test_no_total_no_fraction():
    assert DownloadProgress(stage="connecting").fraction is None
    assert DownloadProgress(stage="downloading", bytes_done=9, bytes_total=3).fraction == 1.0


def test_a_cancelled_program_is_gone(tmp_path: Path):
    folder = tmp_path / "watched"
    folder.mkdir()
    code = f"import time, os; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    meter = Meter(on_report=lambda _: None, is_cancelled=lambda: (tmp_path / "pid").exists())
    started = time.monotonic()
    with pytest.raises(CancelledError):
        run_watched([sys.executable, "-c", code], folder, total=10, meter=meter)
    assert time.monotonic() - started < 10
    import psutil

    time.sleep(0.05)
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text() or 0))


def test_bytes_are_seen_while_they_arrive(tmp_path: Path):
    reports: list[DownloadProgress] = []
    code = (
        "import os, time; open(os.environ['TMPDIR'] + '/big', 'wb').write(b'x' * 5000); time.sleep(0.6); print('bye')"
    )
    meter = Meter(on_report=reports.append, is_cancelled=never_cancelled)
    result = run_watched([sys.executable, "-c", code], tmp_path, total=10_000, meter=meter)
    assert (result.returncode, result.stdout) == (0, "bye\n")
    assert any(5000 <= report.bytes_done < 5100 for report in reports)


def test_a_program_that_is_not_there(tmp_path: Path):
    meter = Meter(on_report=lambda _: None, is_cancelled=never_cancelled)
    with pytest.raises(UserError, match="cannot be started"):
        run_watched([str(tmp_path / "nothing")], tmp_path, total=1, meter=meter)


def test_a_file_copied_twice_counts_once(tmp_path: Path):
    for name in ("temporary", "wheel"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_bytes(b"12345")
    assert largest_tree(tmp_path) == 5
