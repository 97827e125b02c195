"""The server's run trackers, shared by all sessions."""

from collections import OrderedDict
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playground.emergence.tracker import RunTracker

MOST_TRACKERS = 16


class RunTrackers:
    """RunTrackers by folder and beginning; the least recently read go first."""

    def __init__(self) -> None:
        self._trackers: OrderedDict[tuple[Path, float], RunTracker] = OrderedDict()
        self._guard = Lock()

    def of(self, folder: Path, created: float, name: str) -> "RunTracker":
        """The tracker of a run's folder. Raises UserError where the run cannot be measured."""
        from playground.emergence.tracker import RunTracker

        key = (folder, created)
        with self._guard:
            if key not in self._trackers:
                self._trackers[key] = RunTracker(folder, name)
            self._trackers.move_to_end(key)
            while len(self._trackers) > MOST_TRACKERS:
                self._trackers.popitem(last=False)
            return self._trackers[key]


@cache
def run_trackers() -> RunTrackers:
    """The server's run_trackers."""
    return RunTrackers()
