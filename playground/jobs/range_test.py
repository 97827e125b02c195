"""The learning-rate range test in a process of its own: whoever looks at it only polls a file.

A test trains: in the server's process it would hold the memory and the time of everybody else.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playground.errors import UserError
from playground.jobs.process import start_worker
from playground.jobs.run_folders import exit_reason
from playground.training.config import TrainConfig
from playground.training.lr_finder import Trial

POLL_SECONDS = 0.1


def range_test(config: TrainConfig, *, steps: int) -> Iterator[list[Trial]]:
    """The trials so far, again and again until the last one; closing the iterator ends the process.

    Raises UserError with the reason where the test fails.
    """
    worker = start_worker()
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trials.jsonl"
            worker.assign_range_test(config.to_dict(), steps, path)
            while worker.process.poll() is None:
                yield read_trials(path)
                time.sleep(POLL_SECONDS)
            if worker.process.returncode:
                raise UserError(
                    "{error}", error=worker.last_error_line() or str(exit_reason(worker.process.returncode))
                )
            yield read_trials(path)
    finally:
        worker.process.kill()
        worker.process.wait()
        worker.release()


def read_trials(path: Path) -> list[Trial]:
    """The trials in a file of the worker's; none before it has begun."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return []
    values = [json.loads(line) for line in lines if line.endswith("\n")]
    return [Trial(rate=rate, loss=loss, smoothed=smoothed) for rate, loss, smoothed in values]
