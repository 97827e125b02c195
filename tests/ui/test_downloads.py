"""Downloads: one thread a model, shared, bounded, and every outcome in words."""

import threading
import time

import pytest

from playground.errors import UserError
from playground.models import DownloadProgress
from playground.models.download_progress import CancelledError
from ui import downloads as module
from ui.downloads import Downloads


@pytest.fixture
def held(monkeypatch):
    """fetch() that reports once and then waits to be released or cancelled."""
    release = threading.Event()

    def fetch(name, *, revision, progress, cancelled):
        progress(DownloadProgress(stage="downloading", bytes_done=5, bytes_total=10))
        while not release.wait(0.01):
            if cancelled():
                raise CancelledError
        if name == "bad":
            raise UserError("No such model.")
        if name == "worse":
            raise RuntimeError("surprise")

    monkeypatch.setattr(module, "fetch", fetch)
    return release


def settle(download):
    for _ in range(300):
        if not download.running:
            return download
        time.sleep(0.01)
    raise AssertionError("the download did not end")


def test_two_people_share_one_download(held):
    server = Downloads()
    first, second = server.start("a", None), server.start("a", None)
    assert first is second
    held.set()
    assert settle(first).done


def test_too_many_at_once_are_refused_with_a_sentence(held):
    server = Downloads()
    server.start("a", None)
    server.start("b", None)
    with pytest.raises(UserError, match="already running"):
        server.start("c", None)
    held.set()


def test_cancelling_ends_without_an_error_to_show(held):
    server = Downloads()
    download = server.start("a", None)
    download.cancel()
    assert settle(download).error == ""
    assert not download.done


@pytest.mark.parametrize(("name", "words"), [("bad", "No such model."), ("worse", "RuntimeError: surprise")])
def test_whatever_goes_wrong_ends_as_words(held, name, words):
    held.set()
    assert settle(Downloads().start(name, None)).error == words


def test_old_outcomes_are_forgotten(held):
    held.set()
    server = Downloads()
    for number in range(40):
        settle(server.start(f"model {number}", None))
    assert len(server._downloads) <= module.KEPT + 1


def test_a_shared_server_fetches_what_its_settings_allow(held, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOSTED", "1")
    held.set()
    assert settle(Downloads().start("smollm2-135m", None, owner="anna")).owner == "anna"
    for name in ("gpt2", "![i](http://evil.example)"):
        with pytest.raises(UserError, match="fetches only models of the list"):
            Downloads().start(name, None)
    monkeypatch.setenv("PLAYGROUND_DOWNLOADS", "none")
    with pytest.raises(UserError, match="fetches only models of the list"):
        Downloads().start("smollm2-135m", None)


def test_a_download_that_is_too_large_ends_at_its_first_report(monkeypatch):
    def fetch(name, *, revision, progress, cancelled):
        progress(DownloadProgress(stage="downloading", bytes_done=0, bytes_total=3 * 10**6))

    monkeypatch.setattr(module, "fetch", fetch)
    monkeypatch.setenv("PLAYGROUND_DOWNLOAD_MEGABYTES", "2")
    download = settle(Downloads().start("gpt2", None))
    sentence = "gpt2 is a download of 3 MB, and this server fetches at most 2 MB; choose a smaller model."
    assert download.error == sentence
