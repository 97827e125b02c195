"""Work in a thread of its own: whoever waits for it sees how far it is, and can leave at any moment."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class LeftError(Exception):
    """Nobody waits for this work any more; raised in it by its next report."""


class Report:
    """How far the work is: who is ahead of it, and how many of its runs are done."""

    def __init__(self) -> None:
        self.ahead = 0
        self.done, self.total = 0, 0
        self.is_left = False

    def waiting(self, ahead: int) -> None:
        """Say how many are ahead in the queue. Raises LeftError."""
        self.ahead = ahead
        self._go_on()

    def run(self, done: int, total: int) -> None:
        """Say how many of the runs are done. Raises LeftError."""
        self.ahead, self.done, self.total = 0, done, total
        self._go_on()

    def _go_on(self) -> None:
        if self.is_left:
            raise LeftError


class Work(Generic[Answer]):
    """One computation, begun at once. A report is where it ends if it was left; what never reports is finished."""

    def __init__(self, compute: Callable[[Report], Answer]) -> None:
        self.report = Report()
        self._compute = compute
        self._answers: list[Answer] = []
        self._error: BaseException | None = None
        self._over = threading.Event()
        threading.Thread(target=self._run, name="work", daemon=True).start()

    def _run(self) -> None:
        try:
            self._answers.append(self._compute(self.report))
        except BaseException as error:  # raised again where the answer is asked for
            self._error = error
        finally:
            self._over.set()

    def wait(self, seconds: float) -> bool:
        """Whether the work is over within these seconds."""
        return self._over.wait(seconds)

    def leave(self) -> None:
        """Want no answer any more."""
        self.report.is_left = True

    def answer(self) -> Answer:
        """The answer of work that is over. Raises what the work raised."""
        if self._error is not None:
            raise self._error
        return self._answers[0]
