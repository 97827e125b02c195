"""Measure the checkpoints of a live run as they arrive."""

import threading
import time
from pathlib import Path

from playground.emergence.checkpoints import MeasureModel, RunToMeasure, measure_step, measurer, open_run
from playground.emergence.tables import MeasuredCheckpoint
from playground.tasks.modular import ModularTask


class RunTracker:
    """The measured checkpoints of one run's folder. All methods are thread-safe.

    Grokking: key frequencies are those of the newest checkpoint at the first measurement; once the last checkpoint is
    there, all are measured again with its frequencies.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.run: RunToMeasure = open_run(folder, name)
        self._measured: dict[int, MeasuredCheckpoint] = {}
        self._done: set[int] = set()
        self._measure: MeasureModel | None = None
        self._is_final = False
        self._guard = threading.Lock()

    def checkpoints(self) -> list[MeasuredCheckpoint]:
        """What has been measured so far, in the order of the steps."""
        return [self._measured[step] for step in sorted(self._measured)]

    def pending(self) -> int:
        """How many checkpoints wait to be measured."""
        return len(self._waiting())

    def measure_for(self, seconds: float) -> None:
        """Measure at least one waiting checkpoint, more while time is left. Raises UserError for a damaged one."""
        with self._guard:
            end = time.monotonic() + seconds
            for step in self._waiting():
                self._measured[step] = measure_step(self.run, step, self._measurer())
                self._done.add(step)
                if time.monotonic() > end:
                    return

    def _waiting(self) -> list[int]:
        steps = self.run.steps()
        self._done &= set(steps)
        self._measured = {step: checkpoint for step, checkpoint in self._measured.items() if step in steps}
        if isinstance(self.run.task, ModularTask) and not self._is_final and steps[-1:] == (self.run.config.steps,):
            self._is_final, self._measure, self._done = True, None, set()
        return [step for step in steps if step not in self._done]

    def _measurer(self) -> MeasureModel:
        if self._measure is None:
            self._measure = measurer(self.run)
        return self._measure
