"""The server's traces: shared by all sessions, bounded in bytes, the least recently used out first."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from playground.lens.trace import Trace

Answer = TypeVar("Answer")
REMEMBERED = 24


@dataclass(kw_only=True, eq=False)
class Reading:
    """A trace and the answers about it that were asked for lately."""

    name: str
    trace: "Trace"
    _answers: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

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
            while len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
        return answer


class Readings:
    """Readings by what they were made from."""

    def __init__(self, *, max_bytes: int) -> None:
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

    def _bytes(self) -> int:
        return sum(reading.trace.bytes for reading in self._readings.values())
