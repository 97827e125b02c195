"""The app's folders on this machine: the cache, and the training runs in it. Needs no torch."""

import os
import sys
from functools import cache
from pathlib import Path

CHECKPOINTS = "snapshots"
"""The folder of a run that holds its checkpoints, one folder for each step."""


def cache_root() -> Path:
    """The folder for fetched models: $PLAYGROUND_CACHE, or the platform's cache folder."""
    custom = os.environ.get("PLAYGROUND_CACHE")
    return Path(custom).expanduser() if custom else _platform_cache() / "transformer-playground"


def _platform_cache() -> Path:
    """The user's cache folder on Windows and macOS, and by the XDG specification."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def runs_folder() -> Path:
    """The folder of training runs, one folder each: $PLAYGROUND_RUNS, or a folder of the cache."""
    custom = os.environ.get("PLAYGROUND_RUNS")
    return Path(custom).expanduser() if custom else cache_root() / "runs"


@cache
def app_folder() -> Path:
    """The folder of app.py, pages/, ui/ and assets/: the checkout, or the part of the installed package (a wheel
    brings them in playground/app, so that no `ui` or `pages` stands beside other people's packages)."""
    package = Path(__file__).resolve().parent
    installed = package / "app"
    return installed if (installed / "app.py").is_file() else package.parent


def assets_folder() -> Path:
    """The folder of shipped models, sweeps and studies."""
    return app_folder() / "assets"


def step_name(step: int) -> str:
    """The name of whatever belongs to a step of a run: 000500."""
    return f"{step:06d}"
