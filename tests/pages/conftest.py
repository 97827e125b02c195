"""Folders of small models for the pages to load."""

import time
from pathlib import Path

import pytest

from tests.helpers.pretrained_folders import SaveModel, own_cache, save_model
from ui.warm import warm_up

__all__ = ["own_cache", "save_model"]


@pytest.fixture
def small_folder(save_model: SaveModel) -> Path:
    """A random GPT-2 with a vocabulary of a few words, whose weights a test may spoil."""
    return save_model("gpt2")


@pytest.fixture(scope="session", autouse=True)
def warm() -> None:
    """The background imports are over: a test's own import of transformers in their middle would break both."""
    progress = warm_up()
    while not progress.has_passed("transformers") and progress.error is None:
        time.sleep(0.05)
    assert progress.error is None
