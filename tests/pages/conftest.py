"""Folders of small models for the pages to load."""

from pathlib import Path

import pytest

from tests.helpers.pretrained_folders import SaveModel, own_cache, save_model
from tests.helpers.warm import wait_until_warm

__all__ = ["own_cache", "save_model"]


@pytest.fixture
def small_folder(save_model: SaveModel) -> Path:
    """A random GPT-2 with a vocabulary of a few words, whose weights a test may spoil."""
    return save_model("gpt2")


@pytest.fixture(scope="session", autouse=True)
def warm() -> None:
    """A test's own import of transformers in the middle of those in the background would break both."""
    wait_until_warm()
