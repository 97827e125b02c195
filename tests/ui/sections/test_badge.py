"""The badge of the attention page: what is checked behind a picture, and in which order it follows."""

from functools import partial

import pytest

from playground.lens import Trace
from tests.helpers.page_script import run_page, words
from ui.cache import traces
from ui.sections.attention import badge

SHORT = "Once upon a time there was a badge for which nobody waited, number {number}."


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what a trace is asked for, in order."""
    asked: list[str] = []
    for name in ("check", "head_scores", "check_sums"):
        method = getattr(Trace, name)

        def told(trace, *given, name=name, method=method, **named):
            asked.append(name)
            return method(trace, *given, **named)

        monkeypatch.setattr(Trace, name, told)
    return asked


def test_scores_do_not_wait_for_the_pass_that_the_sums_take(steps):
    app = run_page("attention", text=SHORT.format(number=1))
    assert not app.exception
    assert steps == ["check", "head_scores", "check_sums"]
    assert "Residual stream: a block's input plus what its layers write, against its output" in words(app)
    assert "stream not checked" not in words(app)


def test_the_sums_are_those_of_the_text_whatever_the_picture_leaves_out(steps):
    show = partial(run_page, "attention", text=SHORT.format(number=2))
    show()
    app = show(set_aside="true")
    assert steps.count("check") == 2
    assert steps.count("check_sums") == 1
    assert "stream not checked" not in words(app)


def test_a_longer_text_is_told_what_was_not_checked_until_it_is_asked_for(steps):
    app = run_page("attention", text=SHORT.format(number=3) * 8)
    assert "check_sums" not in steps
    assert "stream not checked" in words(app)
    app.button(key="check_more").click().run()
    assert not app.exception
    assert steps.count("check_sums") == 1
    assert "stream not checked" not in words(app)


def test_a_badge_that_was_left_before_its_sums_gets_them_at_the_next_visit(steps, monkeypatch):
    text = SHORT.format(number=4)
    with monkeypatch.context() as patched:
        patched.setattr(badge, "fill_sums", lambda *_: None)
        left = run_page("attention", text=text)
    assert steps == ["check", "head_scores"]
    assert "stream not checked" not in words(left), "what is on its way is not left out"
    app = run_page("attention", text=text)
    assert steps == ["check", "head_scores", "check_sums"]
    assert "Residual stream" in words(app)


def test_sums_that_another_visitor_was_told_meanwhile_are_added_all_the_same(steps, monkeypatch):
    """Between the badge and its sums their pass may end in somebody else's session."""
    score = Trace.head_scores

    def told(trace, *given, **named):
        (traced,) = [kept for kept in (every.get(key) for every, key in keys) if kept.trace is trace]
        traced.put(badge.SUMS, trace.check_sums())
        return score(trace, *given, **named)

    every, keys = traces(), []
    put = every.put
    monkeypatch.setattr(every, "put", lambda key, value: (keys.append((every, key)), put(key, value)))
    monkeypatch.setattr(Trace, "head_scores", told)
    app = run_page("attention", text=SHORT.format(number=5))
    assert not app.exception
    assert steps.count("check_sums") == 1
    assert "Residual stream" in words(app)
    assert "Not checked" not in words(app)
