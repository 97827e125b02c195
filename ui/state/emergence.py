"""What the Emergence page shows, and the runs whose snapshots the server is measuring."""

from collections import OrderedDict
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playground.emergence.tracker import Follower

ABILITY_OVER, ABILITY_MEASURE, ABILITY_SIZE = "over", "measure", "size"
LINEAR_SIZES, LOG_ABILITY_STEPS, LOG_VALUES = "linear_sizes", "log_steps", "log_values"
HIDDEN_MEASURE, WITH_CONTROL, ABILITY_CELL = "hidden", "control", "cell"
FOLLOWED = 16


class Followers:
    """Followers by folder and beginning; the least recently read go first."""

    def __init__(self) -> None:
        self._followers: OrderedDict[tuple[Path, float], Follower] = OrderedDict()
        self._guard = Lock()

    def of(self, folder: Path, created: float, name: str) -> "Follower":
        """The follower of a run's folder. Raises UserError where the run cannot be measured."""
        from playground.emergence.tracker import Follower

        key = (folder, created)
        with self._guard:
            if key not in self._followers:
                self._followers[key] = Follower(folder, name)
            self._followers.move_to_end(key)
            while len(self._followers) > FOLLOWED:
                self._followers.popitem(last=False)
            return self._followers[key]


@cache
def followers() -> Followers:
    """The server's followers."""
    return Followers()
