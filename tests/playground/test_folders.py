"""Where the cache and the runs lie: in the platform's cache folder, or where the environment says."""

from pathlib import Path

import pytest

from playground import folders
from playground.folders import cache_root, runs_folder, step_name


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_platform_cache_is_in_the_home_folder(platform: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in ("PLAYGROUND_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(folders.sys, "platform", platform)
    assert tmp_path in cache_root().parents
    assert cache_root().name == "transformer-playground"


def test_runs_lie_beside_the_fetched_models_unless_told(monkeypatch, tmp_path):
    monkeypatch.delenv("PLAYGROUND_RUNS", raising=False)
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path))
    assert runs_folder() == tmp_path / "runs"
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path / "elsewhere"))
    assert runs_folder() == tmp_path / "elsewhere"


def test_a_step_s_name_sorts_as_its_number():
    assert [step_name(step) for step in (0, 500, 1234567)] == ["000000", "000500", "1234567"]
