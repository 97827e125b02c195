"""One torch thread in every test and in every server that a test starts, and the longest files first."""

import os
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

os.environ.setdefault("OMP_NUM_THREADS", "1")

# How long one example takes says more about the machine's other work than about the code.
settings.register_profile("machine of any speed", deadline=None)
settings.load_profile("machine of any speed")

LONGEST_FIRST = ("test_ray_executor", "test_code", "test_outcomes", "e2e", "test_tales_task", "test_executor", "sweeps")
"""Parts of paths: begun first, so that no process is left with a long file at the end."""


@pytest.fixture(scope="session", autouse=True)
def _components_are_sought_once() -> "Iterator[None]":
    """Each AppTest would read the metadata of every installed package, a fifth of a second, to look for components."""
    from streamlit.components.v2 import manifest_scanner

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """One headless browser for all tests of a process; each test opens its own context or page."""
    from benchmarks.browser import chromium

    with chromium() as browser:
        yield browser


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    path = item.path.as_posix()
    return next((rank for rank, part in enumerate(LONGEST_FIRST) if part in path), len(LONGEST_FIRST))
