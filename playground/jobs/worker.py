"""The program of a worker process: train one run into its folder (`python -m playground.jobs.worker`).

It is started ahead: torch is imported and a step trained before there is work, so that the first step of a run comes
at once. One line of JSON on standard input names the folder. When the input closes, the process that started this one
is gone, and it exits, with a checkpoint if it was at work.
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
"""How long a step and its checkpoint may take once the process has to exit."""
READY = "ready"


def main() -> int:
    """Wait for a job, do it, and exit. 0: done or nothing to do; 1: the run failed, and its status says why."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    warm_up_training()
    print(READY, flush=True)
    os.dup2(2, 1)  # nobody reads on: what a library prints would fill the pipe and stop the run
    line = sys.stdin.readline()
    if not line.strip():
        return 0
    leaving = Leaving()
    threading.Thread(target=leaving.watch_input, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: leaving.leave(N_("its process was terminated")))
    return train_into(json.loads(line), leaving)


class Leaving:
    """Whether the process has to exit, and why, as the end of a sentence."""

    def __init__(self) -> None:
        self.reason: str | None = None

    def watch_input(self) -> None:
        """Wait until the input closes: the process that started this one closes it or dies."""
        # The bare descriptor: a thread that holds the lock of sys.stdin would keep the interpreter from exiting.
        while os.read(0, 4096):
            continue
        self.leave(N_("the server went away"))

    def leave(self, reason: str) -> None:
        """Ask for the end after this step, and enforce it after PATIENCE_SECONDS."""
        self.reason = self.reason or reason
        timer = threading.Timer(PATIENCE_SECONDS, os._exit, args=(1,))
        timer.daemon = True
        timer.start()


def warm_up_training() -> None:
    """Import what training needs, and train a tiny model for one step: torch loads much on first use."""
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
    """Train into the folder of the job until the run ends; the folder's status says how."""
    from playground.errors import UserError
    from playground.training.run.folder import read_train_config, run
    from playground.training.run.session import RunLimits

    folder = Path(job["folder"])
    limits = RunLimits(seconds=float(job["seconds"]), disk_bytes=int(job["disk_bytes"]))
    try:
        config = read_train_config(folder / "config.json")
        for _ in run(config, folder, limits=limits, interruption=lambda: leaving.reason):
            pass
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Everything is written; an orderly shutdown of torch would occupy the slot for a while.
    os._exit(code)
