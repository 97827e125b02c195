"""The server's traces: shared by all sessions, bounded in bytes, the least recently used out first."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from playground.lens.trace import Trace

Answer = TypeVar("Answer")
REMEMBERED = 24


@dataclass(kw_only=True, eq=False)
class Answers:
    """The answers that were asked for lately; safe for several threads."""

    name: str
    most: int = REMEMBERED
    _answers: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict, repr=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def knows(self, question: Hashable) -> bool:
        """Whether the answer is there without computing."""
        with self._guard:
            return question in self._answers

    def remember(self, question: Hashable, compute: Callable[[], Answer]) -> Answer:
        """The answer to a question, computed when it is first asked; only the last few are kept."""
        with self._guard:
            if question in self._answers:
                self._answers.move_to_end(question)
                kept: Answer = self._answers[question]
                return kept
        answer = compute()
        with self._guard:
            self._answers[question] = answer
            while len(self._answers) > self.most:
                self._answers.popitem(last=False)
        return answer


@dataclass(kw_only=True, eq=False)
class Reading(Answers):
    """A trace and the answers about it."""

    trace: "Trace"


class Readings:
    """Readings by what they were made from."""

    def __init__(self, *, max_bytes: int) -> None:
        self.name = "readings"
        self._max_bytes = max_bytes
        self._readings: OrderedDict[Hashable, Reading] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, key: Hashable) -> Reading | None:
        """The reading of that key, if it is still there."""
        with self._guard:
            if key in self._readings:
                self._readings.move_to_end(key)
            return self._readings.get(key)

    def put(self, key: Hashable, reading: Reading) -> None:
        """Keep a reading; the oldest go until the bound holds, the newest stays whatever its size."""
        with self._guard:
            self._readings[key] = reading
            while len(self._readings) > 1 and self._bytes() > self._max_bytes:
                self._readings.popitem(last=False)

    def knows(self, key: Hashable) -> bool:
        """Whether the reading of that key is there."""
        with self._guard:
            return key in self._readings

    def remember(self, key: Hashable, compute: Callable[[], Answer]) -> Answer:
        """The reading of that key, made and kept when it is first asked for."""
        kept = self.get(key)
        if kept is not None:
            return cast(Answer, kept)
        made = compute()
        self.put(key, cast(Reading, made))
        return made

    def _bytes(self) -> int:
        return sum(reading.trace.bytes for reading in self._readings.values())
