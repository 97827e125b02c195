"""How a fetch reports what it does, and how it is told to stop."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from playground.errors import UserError

Stage = Literal["connecting", "downloading", "checking", "unpacking", "converting", "loading", "done"]


INTERVAL = 0.1
"""Seconds between two reports of one stage."""


class CancelledError(UserError):
    """The person asked to stop; nothing was kept."""

    def __init__(self) -> None:
        super().__init__("The download was cancelled; nothing of it was kept.")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One report. Sizes in bytes; bytes_total and seconds_left are None while unknown; source in words.

    note says in a sentence why an earlier source was given up.
    """

    stage: Stage
    bytes_done: int = 0
    bytes_total: int | None = None
    seconds_left: float | None = None
    source: str = ""
    note: str = ""

    @property
    def fraction(self) -> float | None:
        """The part that is done, from 0 to 1, where the total is known."""
        return min(self.bytes_done / self.bytes_total, 1.0) if self.bytes_total else None


ReportProgress = Callable[[Progress], None]
IsCancelled = Callable[[], bool]


@dataclass(kw_only=True)
class Meter:
    """Turns byte counts of one stage after another into reports with the time left; asks about cancelling."""

    report: ReportProgress
    is_cancelled: IsCancelled
    source: str = ""
    note: str = ""
    _started: float = field(default=0.0, init=False)
    _reported: float = field(default=0.0, init=False)
    _stage: Stage | None = field(default=None, init=False)

    def tell(self, stage: Stage, done: int = 0, total: int | None = None) -> None:
        """Report; raises CancelledError where the person asked for it. The clock starts with each stage."""
        if self.is_cancelled():
            raise CancelledError
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._started = stage, now
        elif done != total and now - self._reported < INTERVAL:
            return
        self._reported = now
        left = _seconds_left(done, total, now - self._started)
        words = {"source": self.source, "note": self.note}
        self.report(Progress(stage=stage, bytes_done=done, bytes_total=total, seconds_left=left, **words))


def _seconds_left(done: int, total: int | None, elapsed: float) -> float | None:
    """The rest at the mean speed so far; half a second of it has to be seen first."""
    if total is None or done <= 0 or elapsed < 0.5:
        return None
    return max(total - done, 0) * elapsed / done


def no_progress(_: Progress) -> None:
    """For callers that do not want to know."""


def never_cancelled() -> bool:
    """For callers that never stop."""
    return False
