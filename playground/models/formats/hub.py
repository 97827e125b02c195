"""Models on the Hugging Face hub: look up a repository, and download its configuration, tokenizer and safetensors.

The transfer runs in a process of its own, so that cancelling ends it at once.
"""

import json
import os
import re
import shutil
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from playground.errors import UserError
from playground.models.cache import HUB_SOURCE, write_provenance
from playground.models.download_progress import Meter, run_watched
from playground.models.formats.checkpoint import (
    INDEX,
    SHARD,
    indexed_shards,
    is_weights,
    refuse_configuration,
    weight_files_among,
)
from playground.models.formats.wheel import sha256

Answer = TypeVar("Answer")

ANSWER_WITHIN = 4.0
"""Seconds for the hub's first answer, DNS included."""

WANTED = re.compile(
    r"config\.json|generation_config\.json|tokenizer.*|vocab.*|merges\.txt|special_tokens_map\.json|added_tokens\.json"
    r"|chat_template.*|sp.*\.model|.*\.spm|sentencepiece\..*model|bpe\.codes|.*\.tiktoken|.*_vocab\.json|tekken\.json"
    r"|dict\.txt|emoji\.json|byte_maps\.json|normalizer\.json|prophetnet\.tokenizer|word_(shape|pronunciation)\.json"
)

SNAPSHOT = (
    "import json, sys; from huggingface_hub import snapshot_download; snapshot_download(**json.loads(sys.argv[1]))"
)

TRANSFER = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    # Plain HTTP writes into our folder directly, where its size is watched, and leaves nothing elsewhere when killed.
    "HF_HUB_DISABLE_XET": "1",
}


class HubUnreachableError(UserError):
    """The hub did not answer, or answered with an error of its own."""


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A model on the hub, at one commit."""

    name: str
    commit: str
    sizes: dict[str, int]
    """Bytes of each file to download."""
    checksums: dict[str, str]
    """SHA-256 of the files for which the hub states it."""
    other_weights: dict[str, int]
    """Bytes of safetensors under other names, which an index may ask for."""

    @property
    def download_bytes(self) -> int:
        """Total size of the files."""
        return sum(self.sizes.values())


def look_up(name: str, revision: str | None) -> Repository:
    """Look up a model's commit and files. Raises UserError for everything that can go wrong."""
    info = _within(ANSWER_WITHIN, lambda: _model_info(name, revision), name, revision)
    files = {item.rfilename: item for item in info.siblings or []}
    if "config.json" not in files:
        raise UserError("{name} has no config.json on the hub: it is not a model that transformers loads.", name=name)
    weights = weight_files_among(name, set(files))
    wanted = [path for path in files if path in weights or ("/" not in path and WANTED.fullmatch(path))]
    others = [path for path in files if INDEX in weights and path not in wanted and is_weights(path)]
    return Repository(
        name=name,
        commit=str(info.sha),
        sizes={path: int(files[path].size or 0) for path in wanted},
        checksums={path: files[path].lfs.sha256 for path in (*wanted, *others) if files[path].lfs},
        other_weights={path: int(files[path].size or 0) for path in others},
    )


def fetch_hub(repository: Repository, folder: Path, meter: Meter, *, pinned: str | None = None) -> Path:
    """Download a repository's files into `folder` and verify them; returns the finished model folder in it.

    pinned: the SHA-256 that model.safetensors must have. Raises UserError for a model with code of its own, a failed
    transfer or a wrong checksum.
    """
    target = folder / "model"
    target.mkdir()
    # The configuration first: a refusal should come before gigabytes of weights.
    _snapshot(repository, target, ["config.json"], meter)
    refuse_configuration(repository.name, json.loads((target / "config.json").read_text(encoding="utf-8")))
    if INDEX in repository.sizes:
        _snapshot(repository, target, [INDEX], meter)
    needed = _needed(repository, indexed_shards(target, repository.name))
    _snapshot(repository, target, needed, meter)
    stated = {**repository.checksums, **({"model.safetensors": pinned} if pinned else {})}
    expected = {path: checksum for path, checksum in stated.items() if path in needed}
    for path, checksum in expected.items():
        if sha256(target / path, meter) != checksum:
            raise UserError(
                "{path} of {name} does not have its checksum; nothing of it was kept.", path=path, name=repository.name
            )
    shutil.rmtree(target / ".cache", ignore_errors=True)
    write_provenance(target, source=f"{HUB_SOURCE} {repository.name}", revision=repository.commit, checksums=expected)
    return target


def _needed(repository: Repository, shards: set[str]) -> list[str]:
    """The files to download: of several sets of shards that of the index. Raises UserError where one is missing."""
    files = repository.sizes | repository.other_weights
    if missing := sorted(shards - files.keys()):
        raise UserError(
            "{name} is incomplete on the hub: {missing} is missing.", name=repository.name, missing=missing[0]
        )
    return [path for path in files if path in shards or not (shards and (is_weights(path) or SHARD.fullmatch(path)))]


def _snapshot(repository: Repository, target: Path, files: list[str], meter: Meter) -> None:
    """Download files with huggingface_hub, in a process that can be killed."""
    arguments = {
        "repo_id": repository.name,
        "revision": repository.commit,
        "local_dir": str(target),
        "allow_patterns": files,
        "max_workers": 2,
    }
    command = [sys.executable, "-c", SNAPSHOT, json.dumps(arguments)]
    result = run_watched(command, target.parent, total=repository.download_bytes, meter=meter, environment=TRANSFER)
    if result.returncode or not all((target / name).is_file() for name in files):
        raise _why_transfer_failed(repository.name, result.stdout)


def _why_transfer_failed(name: str, output: str) -> UserError:
    """The UserError for the traceback of the downloading process."""
    if "GatedRepoError" in output:
        return _gated(name)
    if "No space left" in output or "not enough free disk space" in output.lower():
        return UserError("The disk became full while downloading {name}; free some space and try again.", name=name)
    return HubUnreachableError("The download of {name} from the hub broke off; try again.", name=name)


def _model_info(name: str, revision: str | None) -> Any:
    from huggingface_hub import HfApi

    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
    return api.model_info(name, revision=revision, timeout=ANSWER_WITHIN, files_metadata=True)


def _within(seconds: float, ask: Callable[[], Answer], name: str, revision: str | None) -> Answer:
    """The result of a blocking call, or HubUnreachableError: DNS look-ups have no timeout of their own."""
    answers: list[Answer] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            answers.append(ask())
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True, name="hub-look-up")
    thread.start()
    thread.join(seconds)
    if errors:
        raise explain_hub_error(errors[0], name, revision) from errors[0]
    if not answers:
        raise HubUnreachableError(
            "The hub did not answer within {seconds:.0f} seconds; check the network.", seconds=seconds
        )
    return answers[0]


def explain_hub_error(error: Exception, name: str, revision: str | None) -> UserError:
    """The UserError for an error of huggingface_hub or of the network below it."""
    from huggingface_hub import errors

    if isinstance(error, UserError):
        return error
    if isinstance(error, errors.GatedRepoError):
        return _gated(name)
    if isinstance(error, errors.RevisionNotFoundError):
        return UserError(
            "{name} has no revision {revision}; give a branch, a tag or a full commit hash.",
            name=name,
            revision=revision,
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return UserError(
            "The hub has no model {name}, or it is private: check the spelling (owner/name), or run `hf auth login`.",
            name=name,
        )
    if isinstance(error, errors.HFValidationError):
        return UserError("{name!r} is not a model id; a hub id looks like owner/name.", name=name)
    if isinstance(error, errors.OfflineModeIsEnabled):
        return HubUnreachableError(
            "The hub is switched off by HF_HUB_OFFLINE, and {name} is not on this machine.", name=name
        )
    return _explain_status(getattr(getattr(error, "response", None), "status_code", None), name)


def _explain_status(status: int | None, name: str) -> UserError:
    """The UserError for an HTTP status; None is no answer at all."""
    if status == 429:
        return HubUnreachableError("The hub refuses more requests for now (rate limit); wait a few minutes, or log in.")
    if status is not None and status < 500:
        return UserError(
            "The hub refused to show {name} (status {status}); check the id and your access to it.",
            name=name,
            status=status,
        )
    if status is not None:
        return HubUnreachableError(
            "The hub has a problem of its own (status {status}); try again later.", status=status
        )
    return HubUnreachableError("The hub cannot be reached to ask for {name}; check the network.", name=name)


def _gated(name: str) -> UserError:
    return UserError(
        "{name} is gated: accept its terms on its hub page, then run `hf auth login` on this machine and try again.",
        name=name,
    )
