"""Program of a worker process: train one run into its folder, or test its rates (`python -m playground.jobs.worker`).

It imports torch and trains a tiny model before there is a job, so that a run's first step comes at once. The job is one
line of JSON on standard input. When the input closes, the parent is gone: the worker exits, after a checkpoint if it is
training.
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from playground.text import N_

NICENESS = 10
PATIENCE_SECONDS = 10.0
"""Time for a step and its checkpoint once the process has to exit."""
READY = "ready"


def main() -> int:
    """Wait for a job and do it. Returns 0, or 1 if the run failed; its status says why."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    warm_up_training()
    print(READY, flush=True)
    os.dup2(2, 1)  # the parent reads no further: output of libraries would fill the pipe and block the run
    line = sys.stdin.readline()
    if not line.strip():
        return 0
    leaving = Leaving()
    threading.Thread(target=leaving.watch_input, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: leaving.leave(N_("its process was terminated")))
    job = json.loads(line)
    return test_rates(job, leaving) if "trials" in job else train_into(job, leaving)


class Leaving:
    """Whether the process has to exit, and why, as the end of a sentence."""

    def __init__(self) -> None:
        self.reason: str | None = None

    def watch_input(self) -> None:
        """Wait until the input closes, because the parent closed it or died."""
        # Not sys.stdin: a thread that holds its lock would keep the interpreter from exiting.
        while os.read(0, 4096):
            continue
        self.leave(N_("the server went away"))

    def leave(self, reason: str) -> None:
        """Exit after this step, or in PATIENCE_SECONDS at the latest."""
        self.reason = self.reason or reason
        timer = threading.Timer(PATIENCE_SECONDS, os._exit, args=(1,))
        timer.daemon = True
        timer.start()


def warm_up_training() -> None:
    """Import what training needs, and train a tiny model for one step: torch loads a lot on first use."""
    import tempfile

    import torch

    torch.set_num_threads(1)
    from playground.jobs.malloc import keep_freed_memory
    from playground.tasks.induction import InductionConfig
    from playground.training.config import TrainConfig
    from playground.training.run.folder import run
    from playground.transformer import TransformerConfig

    keep_freed_memory()
    task = InductionConfig()
    needs = task.needs()
    model = TransformerConfig(vocabulary=needs.vocabulary, context=needs.context, width=8, layers=1, n_heads=1)
    config = TrainConfig(task=task, model=model, steps=1, batch=1, warm_up=0, evaluate_rows=1, frames=1)
    with tempfile.TemporaryDirectory() as folder:
        for _ in run(config, Path(folder)):
            pass


def train_into(job: dict[str, Any], leaving: Leaving) -> int:
    """Train the job's run until it ends; returns the exit status. The folder's status says how the run ended."""
    from playground.errors import UserError
    from playground.training.run.folder import read_run_config, run
    from playground.training.run.limits import RunLimits

    folder = Path(job["folder"])
    limits = RunLimits(**job["limits"])
    try:
        config = read_run_config(folder / "config.json")
        for _ in run(config, folder, limits=limits, interruption=lambda: leaving.reason):
            pass
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def test_rates(job: dict[str, Any], leaving: Leaving) -> int:
    """Write a line for each trial of a learning-rate range test; returns the exit status."""
    from playground.errors import UserError
    from playground.tasks.registry import task_kind_of
    from playground.training.config import TrainConfig
    from playground.training.lr_finder import find_rate
    from playground.training.run.limits import OUT_OF_MEMORY, is_out_of_memory

    try:
        config = TrainConfig.from_dict(job["config"])
        task = task_kind_of(config.task).prepare(config.task)
        with Path(job["trials"]).open("a", encoding="utf-8") as file:
            for trial in find_rate(config, task, steps=job["steps"]):
                file.write(json.dumps([trial.rate, trial.loss, trial.smoothed]) + "\n")
                file.flush()
                if leaving.reason:
                    break
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        print(OUT_OF_MEMORY, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Everything is written; torch's orderly shutdown would only occupy the slot.
    os._exit(code)
