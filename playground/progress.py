"""How long work reports its progress: one callback type for everything that takes more than a second."""

from collections.abc import Callable

OnProgress = Callable[[int, int], None]
"""Called with how many parts are done, and how many there are. What it raises ends the work: a cancel is one."""


def no_progress(done: int, total: int) -> None:
    """For callers that do not watch."""
