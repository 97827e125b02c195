"""The folder of fetched models stays within its bound, and what was used last stays in it."""

import os
import time
from pathlib import Path

import pytest

from playground.models.cache import models_root
from playground.models.cache_bound import make_room, mark_used
from playground.models.loading import load


def fetched(name: str, *, size: int, used: float) -> Path:
    """A fetched model of so many bytes, last used so many seconds ago."""
    folder = models_root() / name
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"x" * size)
    os.utime(folder, (time.time() - used,) * 2)
    return folder


def test_those_that_were_not_used_for_longest_go_first():
    for name, used in (("old", 900), ("older", 1000), ("new", 800)):
        fetched(name, size=100, used=used)
    assert make_room(keep=Path("none"), most=300) == []
    assert make_room(keep=Path("none"), most=150) == ["older", "old"]
    assert [folder.name for folder in models_root().iterdir()] == ["new"]


def test_what_was_just_fetched_or_is_being_read_stays_whatever_its_size():
    kept = fetched("kept", size=500, used=1000)
    fetched("read", size=500, used=1)
    assert make_room(keep=kept, most=10) == []


def test_other_folders_and_those_that_are_being_written_stay(tmp_path):
    fetched(".staging-host-1-x", size=500, used=9000)
    elsewhere = tmp_path / "mine"
    elsewhere.mkdir()
    (models_root() / "link").symlink_to(elsewhere)
    fetched("a", size=50, used=900)
    assert make_room(keep=Path("none"), most=10) == ["a"]
    assert elsewhere.is_dir()
    assert (models_root() / ".staging-host-1-x").is_dir()


def test_without_a_limit_nothing_goes(monkeypatch: pytest.MonkeyPatch):
    fetched("a", size=2_000_000, used=900)
    assert make_room(keep=Path("none")) == []
    monkeypatch.setenv("PLAYGROUND_CACHE_MEGABYTES", "1")
    assert make_room(keep=Path("none")) == ["a"]


def test_loading_is_using(save_model):
    folder = save_model("gpt2")
    models_root().mkdir(parents=True)
    inside = folder.rename(models_root() / "somebody--tiny@main")
    os.utime(inside, (1000, 1000))
    load("somebody/tiny")
    assert inside.stat().st_mtime > time.time() - 60
    outside = inside.rename(models_root().parent / "own")
    os.utime(outside, (1000, 1000))
    mark_used(outside)
    assert outside.stat().st_mtime == 1000
