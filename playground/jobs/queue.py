"""FIFO queue for forward passes on one machine, a few at a time.

Without it, the passes of thirty users would share the cores and all finish last. A waiting caller never blocks
silently: `on_wait` is called again and again with its position, and can leave the queue by raising.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

POLL_SECONDS = 0.1


class ForwardQueue:
    """At most `slots` passes at once; the rest wait in order."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._running = 0
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def slot(self, on_wait: Callable[[int], None] | None = None) -> Iterator[None]:
        """Hold a slot within the block; while waiting, call `on_wait` with the number of passes ahead."""
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
        try:
            self._wait_for(ticket, on_wait)
        except BaseException:
            self._leave(ticket)
            raise
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _wait_for(self, ticket: object, on_wait: Callable[[int], None] | None) -> None:
        while not self._take(ticket):
            if on_wait is not None:
                on_wait(self._ahead(ticket))
            with self._changed:
                self._changed.wait(POLL_SECONDS)

    def _take(self, ticket: object) -> bool:
        with self._changed:
            if self._waiting[0] is not ticket or self._running >= self._slots:
                return False
            self._waiting.popleft()
            self._running += 1
            self._changed.notify_all()
            return True

    def _ahead(self, ticket: object) -> int:
        with self._changed:
            return self._running + self._waiting.index(ticket)

    def _leave(self, ticket: object) -> None:
        with self._changed:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                self._changed.notify_all()
