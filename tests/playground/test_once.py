import threading

import pytest

from playground.once import answering_once, once
from playground.settings import settings


class Counted:
    """A question that counts how often it is asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, *arguments, **options):
        self.asked.append((arguments, options))
        if arguments == ("wrong",):
            raise ValueError("wrong")
        return len(self.asked)


@pytest.fixture
def counted():
    return Counted()


def ask_of(counted):
    @once
    def ask(*arguments, **options):
        return counted(*arguments, **options)

    return ask


def test_outside_a_block_each_question_is_asked_anew(counted):
    ask = ask_of(counted)
    assert [ask(), ask(), ask()] == [1, 2, 3]


def test_in_a_block_once_for_the_same_arguments(counted):
    ask = ask_of(counted)
    with answering_once():
        assert [ask(), ask("a"), ask(), ask("a"), ask(letter="a"), ask(letter="a")] == [1, 2, 1, 2, 3, 3]
    assert ask() == 4


def test_two_functions_do_not_share_their_answers():
    with answering_once():
        assert (once(lambda: "a")(), once(lambda: "b")()) == ("a", "b")


def test_none_is_an_answer():
    asked = []
    ask = once(lambda: asked.append(1))
    with answering_once():
        assert (ask(), ask(), len(asked)) == (None, None, 1)


def test_an_error_is_no_answer(counted):
    ask = ask_of(counted)
    with answering_once():
        for _ in range(2):
            with pytest.raises(ValueError, match="wrong"):
                ask("wrong")
    assert len(counted.asked) == 2


def test_a_block_ends_with_an_error(counted):
    ask = ask_of(counted)
    with pytest.raises(ZeroDivisionError), answering_once():
        ask() / 0
    assert ask() == 2


def test_another_thread_is_not_in_the_block(counted):
    ask = ask_of(counted)
    with answering_once():
        ask()
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert len(counted.asked) == 2


def test_the_settings_hold_still_within_a_block_only(monkeypatch):
    monkeypatch.setenv("PLAYGROUND_SLOTS", "3")
    with answering_once():
        assert settings().slots == 3
        monkeypatch.setenv("PLAYGROUND_SLOTS", "4")
        assert settings().slots == 3
    assert settings().slots == 4
