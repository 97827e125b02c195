"""A disk that is full when the checkpoint of step 4 is written."""

import errno
from pathlib import Path

import pytest
from safetensors import SafetensorError
from safetensors.torch import save_file

from playground.training.run import checkpoints

FULL = OSError(errno.ENOSPC, "No space left on device")
FAILURES = (FULL, SafetensorError("I/O error: No space left on device"))
"""What a full disk raises, by who writes to it."""


def fill_disk(monkeypatch: pytest.MonkeyPatch, which: str, failure: Exception) -> None:
    """Of this file of the checkpoint half is written."""

    def save(tensors, path, **metadata):
        if Path(path).name == which and "000004" in str(path):
            Path(path).write_bytes(b"half")
            raise failure
        save_file(tensors, path, **metadata)

    monkeypatch.setattr(checkpoints, "save_file", save)
