"""One torch thread in every test and in every server that a test starts, and the longest files first."""

import os
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests.helpers.settling import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext
    from xdist.scheduler import LoadScopeScheduling

os.environ.setdefault("OMP_NUM_THREADS", "1")

# How long one example takes says more about the machine's other work than about the code.
settings.register_profile("machine of any speed", deadline=None)
settings.load_profile("machine of any speed")

LONGEST_FIRST = ("test_ray_executor", "test_code", "test_outcomes", "e2e", "test_tales_task", "test_executor", "sweeps")
"""Parts of paths: begun first, so that no process is left with a long file at the end."""
BY_TEST = ("test_code", "test_outcomes", "test_every_section", "test_old_links")
"""Parts of paths: their tests share nothing that is dear to make."""


@pytest.fixture(scope="session", autouse=True)
def _components_are_sought_once() -> "Iterator[None]":
    """Each AppTest would read the metadata of every installed package, a fifth of a second, to look for components."""
    from streamlit.components.v2 import manifest_scanner

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


NO_ANIMATION = """
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("*, *::before, *::after { animation: none !important; }");
    document.adoptedStyleSheets.push(sheet);
"""
"""Streamlit's placeholders and spinners move without end: without a graphics card each frame is work."""

ONE_RENDERER = "--renderer-process-limit=1"
"""Pages of one visitor share a process, which has compiled the scripts: a fifth less work for each page."""


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """One headless browser for all tests of a process; each test opens its own context or page.

    Whatever a page or an expectation waits for, it waits as long as a busy machine needs.
    """
    from playwright.sync_api import expect

    from benchmarks.browser import chromium

    expect.set_options(timeout=PATIENCE)
    with chromium(ONE_RENDERER) as browser, pytest.MonkeyPatch.context() as patch:
        open_context = browser.new_context

        def new_context(**options: Any) -> "BrowserContext":
            context = open_context(**options)
            context.set_default_timeout(PATIENCE)
            context.add_init_script(NO_ANIMATION)
            return context

        patch.setattr(browser, "new_context", new_context)
        yield browser


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "LoadScopeScheduling":
    """A file stays in one process, which makes its servers and trained models once; a long one is dealt out by test."""
    from xdist.scheduler import LoadScopeScheduling

    class FileScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return nodeid if any(part in file for part in BY_TEST) else file

    return FileScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    path = item.path.as_posix()
    return next((rank for rank, part in enumerate(LONGEST_FIRST) if part in path), len(LONGEST_FIRST))
