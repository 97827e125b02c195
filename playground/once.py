"""Answers that stay the same while a page runs: it asks for its language six hundred times, for the settings thirty.

with answering_once():
    settings()  # reads the file's state
    settings()  # the same answer
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
_answers: ContextVar[dict[Hashable, Any] | None] = ContextVar("playground_answers", default=None)


@contextmanager
def answering_once() -> Iterator[None]:
    """Within the block, and in this context only, a function marked `once` is called once for the same arguments."""
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def once(ask: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Mark a function whose answer does not change while a page runs. Outside a block it is asked anew each time."""

    @wraps(ask)
    def answer(*arguments: Arguments.args, **options: Arguments.kwargs) -> Answer:
        answers = _answers.get()
        if answers is None:
            return ask(*arguments, **options)
        key = (ask, arguments, *options.items())
        if key not in answers:
            answers[key] = ask(*arguments, **options)
        found: Answer = answers[key]
        return found

    return answer
