"""A run that is at work: its snapshots are measured as they arrive."""

import threading
import time
from pathlib import Path

from playground.emergence.checkpoints import MeasureModel, RunToMeasure, measure_step, measurer, open_run
from playground.emergence.records import Checkpoint
from playground.tasks.modular import ModularTask


class Follower:
    """The measured checkpoints of one run's folder. All methods are thread-safe.

    Grokking's key frequencies are those of the newest snapshot when its first one was measured; once the run has its
    last snapshot, all are measured again with that one's.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.run: RunToMeasure = open_run(folder, name)
        self._rows: dict[int, Checkpoint] = {}
        self._settled: set[int] = set()
        self._measure: MeasureModel | None = None
        self._is_final = False
        self._guard = threading.Lock()

    def rows(self) -> list[Checkpoint]:
        """What has been measured, in the order of the steps."""
        return [self._rows[step] for step in sorted(self._rows)]

    def pending(self) -> int:
        """How many snapshots wait to be measured."""
        return len(self._waiting())

    def measure_for(self, seconds: float) -> None:
        """Measure one waiting snapshot, and more while the time lasts. Raises UserError for a damaged one."""
        with self._guard:
            end = time.monotonic() + seconds
            for step in self._waiting():
                self._rows[step] = measure_step(self.run, step, self._measurer())
                self._settled.add(step)
                if time.monotonic() > end:
                    return

    def _waiting(self) -> list[int]:
        steps = self.run.steps()
        self._settled &= set(steps)
        self._rows = {step: row for step, row in self._rows.items() if step in steps}
        if isinstance(self.run.task, ModularTask) and not self._is_final and steps[-1:] == (self.run.config.steps,):
            self._is_final, self._measure, self._settled = True, None, set()
        return [step for step in steps if step not in self._settled]

    def _measurer(self) -> MeasureModel:
        if self._measure is None:
            self._measure = measurer(self.run)
        return self._measure
