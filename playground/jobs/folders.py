"""The folders of runs as the executor makes and finds them."""

import contextlib
import dataclasses
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from playground.errors import UserError
from playground.training.run import runs
from playground.training.run.control import open_control
from playground.training.run.lineage import STAGING_PREFIX, new_run_id
from playground.training.run.metrics import last_step
from playground.training.run.paths import CONFIG, write_json
from playground.training.run.status import Status, by_this_process, is_attended, lost, read_status, write_status

if TYPE_CHECKING:
    from playground.training.config import TrainConfig

KILL = 9


def reason_of(code: int) -> str:
    """Why a worker is gone, as the end of a sentence."""
    if code == 0:
        return "its worker left"
    killed = " (the system does that when the memory runs out)" if -code == KILL else ""
    return f"its worker was ended from outside by signal {-code}{killed}"


def status_of_gone(folder: Path, code: int, words: str, reason: str) -> Status:
    """How a run stands whose worker left without a word: failed by its own fault, or else interrupted for a reason."""
    status = read_status(folder)
    status = dataclasses.replace(status, step=max(status.step, last_step(folder)))
    if code > 0:
        return dataclasses.replace(status, state="failed", message=words or f"The worker ended with code {code}.")
    # The last snapshot may be newer than the status: the worker had no time to tell of it.
    last = max(runs.snapshot_steps(folder), default=status.snapshot)
    return lost(dataclasses.replace(status, snapshot=last, step=max(status.step, last or 0)), reason)


def make_folder(root: Path, config: "TrainConfig", name: str) -> str:
    """A new run's folder, whole from the first moment; returns the run's id."""
    run_id = new_run_id()
    staging = root / f"{STAGING_PREFIX}{run_id}"
    try:
        staging.mkdir(parents=True)
        runs.write_about(staging, name)
        write_json(staging / CONFIG, config.to_dict())
        open_control(staging)
        write_status(staging, by_this_process(Status(state="queued")))
        staging.rename(root / run_id)
    except OSError as error:
        raise UserError(
            "The run cannot be written to {root}: {reason}. Make room there.", root=root, reason=error.strerror
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return run_id


def mark_lost_runs(root: Path) -> None:
    """Write to each run that should be live and whose process is gone that it was interrupted."""
    for run in runs.list_runs(root):
        status = read_status(run.folder)
        if status.is_live and not is_attended(status):
            with contextlib.suppress(OSError):
                write_status(run.folder, lost(status, "the server went away"))
