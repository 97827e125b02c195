"""Whose forward pass is next on one machine: a few at a time, people in turn, long ones in pieces.

Without it, the passes of thirty users would share the cores and all finish last. Who has waited longest for a turn goes
first, so that one person's ten passes never stand before another's one. A long pass offers its place between two of its
parts. A waiting caller never blocks silently: `on_wait` is called again and again with its position, and can leave the
queue by raising.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cachetools import LRUCache

POLL_SECONDS = 0.1
TURN_SECONDS = 0.5
"""After so long a pass gives its place to others between two of its parts."""
LONGEST_PAUSE = 20.0
"""Seconds after which an interrupted pass goes on whoever waits: it may hold what others wait for."""
MOST_INTERRUPTED = 3
"""Passes that may be interrupted at once: each keeps its numbers in memory."""
REMEMBERED = 1_000
"""People whose last turn is remembered."""

OnWait = Callable[[int], None]


def _no_report(_ahead: int) -> None:
    return None


@dataclass(kw_only=True, eq=False)
class Turn:
    """A pass that waits, or runs."""

    owner: Hashable
    on_wait: OnWait = _no_report
    is_started: bool = False
    holds: bool = False
    """Whether it has a slot now."""
    since: float = field(default_factory=time.monotonic)
    """Since when it waits, or runs."""
    _queue: "ForwardQueue"

    def offer(self) -> None:
        """Between two parts of a long pass: let others go first, then go on. Raises what `on_wait` raises."""
        if time.monotonic() - self.since >= TURN_SECONDS:
            self._queue.interrupt(self)


class ForwardQueue:
    """At most `slots` passes at once; the owners of the rest take turns, each owner's in order."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._running = self._interrupted = 0
        self._waiting: list[Turn] = []
        self._turns: LRUCache[Hashable, int] = LRUCache(REMEMBERED)
        self._count = 0
        self._changed = threading.Condition()

    @contextmanager
    def slot(self, on_wait: OnWait = _no_report, owner: Hashable = None) -> Iterator[Turn]:
        """Hold a slot within the block; while waiting, call `on_wait` with the number of passes ahead."""
        turn = Turn(owner=owner, on_wait=on_wait, _queue=self)
        self._wait_for(turn)
        try:
            yield turn
        finally:
            if turn.holds:
                self._release(turn)

    def interrupt(self, turn: Turn) -> None:
        """Give the slot to whoever waits longer for one, and wait for the next."""
        with self._changed:
            if not self._is_wanted(turn):
                return
            self._interrupted += 1
        self._release(turn)
        try:
            self._wait_for(turn)
        finally:
            with self._changed:
                self._interrupted -= 1

    def _is_wanted(self, turn: Turn) -> bool:
        others = any(other.owner != turn.owner or other.owner is None for other in self._waiting)
        return others and self._interrupted < MOST_INTERRUPTED

    def _wait_for(self, turn: Turn) -> None:
        with self._changed:
            turn.since = time.monotonic()
            self._waiting.append(turn)
        try:
            while not self._take(turn):
                # An interrupted pass shows how far it is, not its place.
                turn.on_wait(0 if turn.is_started else self.ahead(turn))
                with self._changed:
                    self._changed.wait(POLL_SECONDS)
        except BaseException:
            with self._changed:
                if turn in self._waiting:
                    self._waiting.remove(turn)
                    self._changed.notify_all()
            raise

    def _take(self, turn: Turn) -> bool:
        with self._changed:
            is_overdue = turn.is_started and time.monotonic() - turn.since > LONGEST_PAUSE
            if not is_overdue and (self._running >= self._slots or self._order()[0] is not turn):
                return False
            self._waiting.remove(turn)
            self._running += 1
            self._count += 1
            self._turns[turn.owner] = self._count
            turn.is_started = turn.holds = True
            turn.since = time.monotonic()
            self._changed.notify_all()
            return True

    def _release(self, turn: Turn) -> None:
        with self._changed:
            turn.holds = False
            self._running -= 1
            self._changed.notify_all()

    def load(self) -> dict[str, int]:
        """How many passes run, wait and were interrupted now, and how many turns were taken so far."""
        with self._changed:
            now = {"running": self._running, "waiting": len(self._waiting), "interrupted": self._interrupted}
            return {**now, "slots": self._slots, "turns": self._count}

    def ahead(self, turn: Turn) -> int:
        """How many passes run, or come before this one."""
        with self._changed:
            return self._running + (self._order().index(turn) if turn in self._waiting else 0)

    def _order(self) -> list[Turn]:
        """The waiting passes, next one first: everybody's first one, then everybody's second."""
        seen: Counter[Hashable] = Counter()
        keyed = []
        for place, turn in enumerate(self._waiting):
            # Nobody in particular is a person of his own each time.
            rank = 0 if turn.owner is None else seen[turn.owner]
            last = 0 if turn.owner is None else self._turns.get(turn.owner, 0)
            seen[turn.owner] += 1
            keyed.append((rank, last, place, turn))
        return [turn for *_key, turn in sorted(keyed, key=lambda item: item[:3])]
