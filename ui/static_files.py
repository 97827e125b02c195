"""Puts plotly.min.js out of plotly's own package where Streamlit serves files (server.enableStaticServing)."""

import os
import shutil
import threading
from functools import cache
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

STATIC = Path(__file__).resolve().parent.parent / "static"


def plotly_name() -> str:
    """The name under which plotly.min.js is served; it holds the version, since browsers keep what they know."""
    return f"plotly-{version('plotly')}.min.js"


def publish_plotly(folder: Path = STATIC) -> bool:
    """Copy plotly.min.js into the folder unless it is there, once in a server's life; False where that fails.

    A chart that does not find it says so and shows its last values instead.
    """
    with _publishing:
        return _publish(folder)


_publishing = threading.Lock()


@cache
def _publish(folder: Path) -> bool:
    target = folder / plotly_name()
    try:
        with as_file(files("plotly") / "package_data" / "plotly.min.js") as source:
            if not target.exists() or target.stat().st_size != source.stat().st_size:
                _copy(source, target)
    except OSError:
        return False
    return True


def _copy(source: Path, target: Path) -> None:
    """Copy under another name first: another server may be serving from the same folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(source, staging)
        os.replace(staging, target)
    finally:
        staging.unlink(missing_ok=True)
