"""One computation in a thread of its own, so that it can be abandoned even while it has nothing to report."""

import threading
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from playground.text import LANGUAGE, language

Result = TypeVar("Result")


class AbandonedError(Exception):
    """Nobody waits for this job any more; raised in it by its next report."""


class JobProgress:
    """How far a job is: how many are ahead of it in the queue, and how many of its parts are done."""

    def __init__(self) -> None:
        self.ahead = 0
        self.done, self.total = 0, 0
        self.is_abandoned = False

    def waiting(self, ahead: int) -> None:
        """Report how many are ahead in the queue. Raises AbandonedError."""
        self.ahead = ahead
        self._check()

    def run(self, done: int, total: int) -> None:
        """Report how many of the parts are done. Raises AbandonedError."""
        self.ahead, self.done, self.total = 0, done, total
        self._check()

    def _check(self) -> None:
        if self.is_abandoned:
            raise AbandonedError


class Job(Generic[Result]):
    """One computation in a thread, started at once. It ends at its next report where nobody waits for it any more."""

    def __init__(self, make: Callable[[JobProgress], Result]) -> None:
        self.progress = JobProgress()
        self.waiters = 1
        self._make = make
        self._language = language()
        self._results: list[Result] = []
        self._error: BaseException | None = None
        self._over = threading.Event()
        threading.Thread(target=self._run, name="job", daemon=True).start()

    def _run(self) -> None:
        LANGUAGE.set(self._language)
        try:
            self._results.append(self._make(self.progress))
        except BaseException as error:  # raised again where the result is asked for
            self._error = error
        finally:
            self._over.set()

    def wait(self, seconds: float) -> bool:
        """Whether the job is over within these seconds."""
        return self._over.wait(seconds)

    def abandon(self) -> None:
        """Want no result any more."""
        with _joining:
            self.waiters -= 1
            self.progress.is_abandoned = self.waiters < 1

    def result(self) -> Result:
        """The result of a job that is over. Raises what the job raised."""
        if self._error is not None:
            raise self._error
        return self._results[0]


_joining = threading.Lock()
_jobs: WeakValueDictionary[Hashable, Job[Any]] = WeakValueDictionary()
"""The jobs that somebody waits for. The waiting hold them; the last to leave lets them go."""


def join(key: Hashable, make: Callable[[JobProgress], Result]) -> Job[Result]:
    """The job under that key: where somebody waits for one already, that one, so that thirty people cost one pass."""
    with _joining:
        known = _jobs.get(key)
        if known is not None and not known.progress.is_abandoned and not known.wait(0):
            known.waiters += 1
            return known
        job = _jobs[key] = Job(make)
        return job
