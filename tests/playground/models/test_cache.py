"""The cache folder: names, staging, publishing, sweeping."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from playground.errors import UserError
from playground.models import cache


def _complete(folder: Path, mark: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(mark)
    (folder / "model.safetensors").write_bytes(b"")
    return folder


def test_names_stay_inside_the_models_folder(own_cache: Path):
    for name, revision in [("a/b", None), ("../../etc", None), ("a/b", "refs/pr/1"), ("a/b", "../x"), ("x", None)]:
        assert cache.folder_of(name, revision).parent == own_cache / "models"
    assert cache.folder_of("a/b").name == "a--b@main"
    assert cache.folder_of("a/b", "v1") != cache.folder_of("a/b")


def test_staging_goes_even_after_an_error(own_cache: Path):
    final = cache.folder_of("x")

    def fail() -> None:
        with cache.staging(final) as folder:
            (folder / "half").write_bytes(b"1")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(final.parent.iterdir()) == []


def test_unwritable_cache_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match="set PLAYGROUND_CACHE"), cache.staging(cache.folder_of("x")):
        pass


def test_publishing_keeps_the_copy_of_who_was_first(own_cache: Path):
    final = cache.folder_of("x")
    first, second = (_complete(final.parent / mark, mark) for mark in ("first", "second"))
    cache.publish(first, final)
    cache.publish(second, final)
    assert (final / "config.json").read_text() == "first"


def test_publishing_replaces_half_a_folder(own_cache: Path):
    final = cache.folder_of("x")
    final.mkdir(parents=True)
    (final / "config.json").write_text("half")
    cache.publish(_complete(final.parent / "whole", "whole"), final)
    assert (final / "config.json").read_text() == "whole"


def test_sweep_takes_what_dead_processes_left_and_nothing_else(own_cache: Path):
    root = cache.models_root()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    host = cache.socket.gethostname()
    dead = root / f".staging-{host}-{gone.pid}-abc"
    alive = root / f".staging-{host}-{os.getpid()}-abc"
    elsewhere_old = root / ".staging-another-host-1-abc"
    elsewhere_new = root / ".staging-another-host-1-def"
    for folder in (dead, alive, elsewhere_old, elsewhere_new):
        folder.mkdir(parents=True)
    long_ago = time.time() - 2 * cache.ABANDONED_AFTER
    os.utime(elsewhere_old, (long_ago, long_ago))
    cache.sweep(root)
    assert sorted(root.iterdir()) == sorted([alive, elsewhere_new])
