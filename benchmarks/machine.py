"""When, where and of what a measurement was made, and what was measured on another machine before."""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).resolve().parent / "results"


def measured_on(module: str, *, threads: int, packages: tuple[str, ...]) -> dict[str, Any]:
    """What stands at the top of a results file; the commit, and what in the tree differed from it."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join([f"python -m benchmarks.{module}", *sys.argv[1:]]),
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted": [line[3:] for line in _git("status", "--porcelain").splitlines()],
        "threads": threads,
        "cores": os.cpu_count(),
        "cpu": _cpu(),
        "system": platform.system(),
        "versions": {"Python": platform.python_version(), **{name: version(name) for name in packages}},
    }


def earlier(module: str) -> dict[str, Any]:
    """What a benchmark wrote on another kind of processor, kept beside today's."""
    results: dict[str, Any] = json.loads((RESULTS / "earlier" / f"{module}.json").read_text(encoding="utf-8"))
    return results


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout.rstrip()


def _cpu() -> str:
    """The processor's name as Linux knows it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
