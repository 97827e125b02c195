"""Whose run it is: on one's own machine everybody's, on a shared server the visitor's who started it."""

from types import SimpleNamespace

import pytest

from ui.state import visitor as module
from ui.state.visitor import COOKIE, may_steer, visitor


@pytest.fixture
def browser(monkeypatch):
    """The visitor's cookies and session, to be filled."""
    context = SimpleNamespace(cookies={})
    monkeypatch.setattr(module, "st", SimpleNamespace(context=context, session_state={}))
    return context.cookies


def test_at_ones_own_machine_everybody_steers(browser, monkeypatch):
    monkeypatch.delenv("PLAYGROUND_HOSTED", raising=False)
    assert visitor() is None
    assert may_steer(None)
    assert may_steer("somebody")


def test_on_a_shared_server_the_browser_that_started_a_run_steers_it(browser, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOSTED", "1")
    browser[COOKIE] = "anna's secret"
    anna = visitor()
    assert anna is not None
    assert "secret" not in anna
    assert may_steer(anna)
    browser[COOKIE] = "ben's secret"
    assert visitor() != anna
    assert not may_steer(anna)
    assert not may_steer(None)


def test_without_cookies_a_session_knows_itself(browser, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOSTED", "1")
    assert visitor() == visitor()
    assert may_steer(visitor())
