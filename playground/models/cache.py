"""Model folders on this machine: shipped, fetched into the cache, or checkpoints of training runs."""

import contextlib
import json
import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

from playground.errors import UserError
from playground.folders import CHECKPOINTS, assets_folder, cache_root, runs_folder, step_name

_RUN = re.compile(r"run/([A-Za-z0-9_-]{1,100})/([0-9]{1,9})", re.ASCII)
PROVENANCE = "provenance.json"
HUB_SOURCE = "Hugging Face hub"
"""How the provenance of every model from the hub begins."""
BASES = {"finetuned.json": "base", "adapter_config.json": "base_model_name_or_path"}
"""Files beside weights that are only a change, and where they name what they change."""
STAGING_PREFIX = ".staging-"
ABANDONED_AFTER = 3600.0
"""Seconds without a write after which another machine's staging folder counts as abandoned."""


def models_root() -> Path:
    """The cache's folder of models, one folder each."""
    return cache_root() / "models"


def shipped_folder(name: str) -> Path:
    """The folder of a model that is shipped with the app, whether it exists or not.

    Of one that was fine-tuned from another it is the last checkpoint of its run.
    """
    folder = assets_folder() / "models" / name
    checkpoints = sorted((assets_folder() / "finetuned" / name / CHECKPOINTS).glob("[0-9]*"))
    return checkpoints[-1] if checkpoints and not folder.is_dir() else folder


def folder_of(name: str, revision: str | None = None) -> Path:
    """The cache folder of a model, whether it exists or not. A hub id `owner/name` becomes `owner--name@revision`."""
    stem, suffix = (re.sub(r"[^A-Za-z0-9._-]", "_", part) for part in (name.replace("/", "--"), revision or "main"))
    return models_root() / (f"{stem}@{suffix}" if "/" in name or revision else stem)


def is_complete(folder: Path) -> bool:
    """Whether a folder has a configuration and weights: fetched models appear whole or not at all."""
    return (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))


def read_provenance(folder: Path) -> dict[str, Any]:
    """The provenance that was written when the folder was fetched; empty for a folder of the user's own."""
    try:
        values = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def write_provenance(folder: Path, **values: Any) -> None:
    """Write source and revision beside the weights."""
    text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    (folder / PROVENANCE).write_text(text, encoding="utf-8")


@contextlib.contextmanager
def staging(final: Path) -> Iterator[Path]:
    """A temporary folder beside the final one, deleted after the block. Raises UserError if it cannot be created."""
    root = final.parent
    try:
        root.mkdir(parents=True, exist_ok=True)
        sweep(root)
        prefix = f"{STAGING_PREFIX}{socket.gethostname()}-{os.getpid()}-"
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=root))
    except OSError as error:
        reason = error.strerror or error
        raise UserError(
            "The cache folder {root} cannot be written ({reason}); set PLAYGROUND_CACHE to one that can.",
            root=root,
            reason=reason,
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(prepared: Path, final: Path) -> Path:
    """Move a complete folder to its final name atomically; if another process was faster, keep its copy."""
    if final.exists() and not is_complete(final):
        shutil.rmtree(final, ignore_errors=True)
    try:
        os.replace(prepared, final)
    except OSError:
        if not is_complete(final):
            raise
    return final


def sweep(root: Path) -> None:
    """Delete abandoned staging folders."""
    for folder in root.glob(f"{STAGING_PREFIX}*"):
        if _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    """On this machine: its process is gone. Elsewhere (shared disks, containers): nothing was written for an hour."""
    import psutil

    host, _, rest = folder.name.removeprefix(STAGING_PREFIX).rpartition("-")[0].rpartition("-")
    if host == socket.gethostname() and rest.isdigit():
        return not psutil.pid_exists(int(rest))
    try:
        newest = max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))
    except OSError:
        return False
    return time.time() - newest > ABANDONED_AFTER


def is_run_name(name: str) -> bool:
    """Whether a name has the form run/<id>/<step>, a training run's checkpoint. Hub ids have only one slash."""
    return name.strip().startswith("run/") and name.count("/") > 1


def run_checkpoint_folder(name: str) -> Path:
    """The folder of a checkpoint run/<id>/<step>. Raises UserError if there is none."""
    match = _RUN.fullmatch(name.strip())
    if match is None:
        raise UserError(
            "{name} names no checkpoint; write run/, the run's id, a slash and the step's number.", name=name
        )
    run = runs_folder() / match[1]
    if not run.is_dir():
        raise UserError("There is no training run {run} here; it may have been deleted.", run=match[1])
    folder = run / CHECKPOINTS / step_name(int(match[2]))
    if not is_complete(folder):
        raise UserError("The run has no checkpoint of step {step}; choose a step that was saved.", step=int(match[2]))
    return folder


def folder_stamp(name: str) -> int:
    """What tells the state of a folder or of a checkpoint run/<id>/<step> from any other; 0 for every other name.

    Files can be written anew under their name, moved in with an older time, or changed in the folder of an adapter's
    base: whoever keeps a model keeps it under this number, too.
    """
    states = tuple(state for folder in _with_bases(name) for state in _file_states(folder))
    return int.from_bytes(blake2b(repr(states).encode(), digest_size=8).digest()) if states else 0


def _with_bases(name: str) -> list[Path]:
    """The folder of a name and those of its base, of that one's base, and so on; empty for a name that is no folder."""
    folders: list[Path] = []
    while (folder := _own_folder(name)) is not None and folder not in folders:
        folders.append(folder)
        name = base_named_in(folder)
    return folders


def _own_folder(name: str) -> Path | None:
    try:
        if is_run_name(name):
            return run_checkpoint_folder(name)
        return Path(name).expanduser().resolve() if looks_like_path(name) and is_folder(name) else None
    except (UserError, OSError, RuntimeError):
        return None


def _file_states(folder: Path) -> list[tuple[str, int, int, int, int]]:
    """Name, times, size and inode of each file: a time of modification may be carried over from elsewhere."""
    try:
        found = [(path, path.stat()) for path in sorted(folder.iterdir()) if path.is_file()]
    except OSError:
        return []
    return [(path.name, state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino) for path, state in found]


def base_named_in(folder: Path) -> str:
    """The base that a fine-tuned model or an adapter names; empty in every other folder."""
    for file, key in BASES.items():
        with contextlib.suppress(OSError, ValueError, RecursionError):
            values = json.loads((folder / file).read_text(encoding="utf-8"))
            return str(values.get(key) or "") if isinstance(values, dict) else ""
    return ""


def looks_like_path(name: str) -> bool:
    """Whether `load` reads a name as a path: hub ids have at most one slash and never begin with . / or ~."""
    if is_run_name(name):
        return False
    marked = name.startswith((".", "/", "~")) or "\\" in name or name.count("/") > 1
    return marked or is_folder(name) or _exists(Path(name))


def is_folder(name: str) -> bool:
    """Whether a name is that of a folder on this machine; a name that no path can have is none."""
    try:
        return Path(name).expanduser().is_dir()
    except (OSError, ValueError, RuntimeError):
        return False


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
