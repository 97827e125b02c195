"""Create run folders, and write the statuses of runs whose worker is gone."""

import contextlib
import dataclasses
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from playground.errors import UserError
from playground.text import N_
from playground.training.run import runs
from playground.training.run.control import open_control
from playground.training.run.lineage import STAGING_PREFIX, new_run_id
from playground.training.run.metrics import last_recorded_step
from playground.training.run.paths import CONFIG, checkpoint_steps, write_json
from playground.training.run.status import (
    Message,
    Status,
    by_this_process,
    is_attended,
    lost,
    read_status,
    write_status,
)

if TYPE_CHECKING:
    from playground.training.config import RunSettings

KILL = 9
"""SIGKILL, with which the system ends a process when memory runs out."""


def exit_reason(code: int) -> Message:
    """Why a worker exited, as the end of a sentence."""
    if code == 0:
        return Message(template=N_("its worker exited"))
    if -code == KILL:
        template = N_("its worker was killed by signal {signal} (the system does that when memory runs out)")
    else:
        template = N_("its worker was ended from outside by signal {signal}")
    return Message(template=template, values={"signal": -code})


def status_after_exit(folder: Path, code: int, error_line: str, reason: str | Message) -> Status:
    """The status of a run whose worker exited without writing one: failed by itself, or interrupted for a reason."""
    status = read_status(folder)
    status = dataclasses.replace(status, step=max(status.step, last_recorded_step(folder)))
    if code > 0:
        message = Message(template=N_("The worker exited with code {code}."), values={"code": code})
        if error_line:
            message = Message(template="{error}", values={"error": error_line})
        return status.with_message(message, state="failed")
    # The last checkpoint may be newer than the status.
    last = max(checkpoint_steps(folder), default=status.checkpoint)
    return lost(dataclasses.replace(status, checkpoint=last, step=max(status.step, last or 0)), reason)


def make_folder(root: Path, config: "RunSettings", name: str, *, owner: str | None = None) -> str:
    """Create a new run's folder atomically; returns the run's id. Raises UserError if the disk refuses."""
    run_id = new_run_id()
    staging = root / f"{STAGING_PREFIX}{run_id}"
    try:
        staging.mkdir(parents=True)
        runs.write_about(staging, name, owner=owner)
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
    """Mark the runs as interrupted whose status is live but whose process is gone."""
    for run in runs.list_runs(root):
        status = read_status(run.folder)
        if status.is_live and not is_attended(status):
            with contextlib.suppress(OSError):
                write_status(run.folder, lost(status, N_("the server went away")))
