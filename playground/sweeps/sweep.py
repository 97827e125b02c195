"""Start, resume, stop and delete a sweep.

    run_sweep(config, folder)        train it here and now, into a folder of its own (the command line)
    start_sweep(config, executor)    train it in the background among a job executor's runs (the page); returns its id

The other functions take the sweep's folder: what was given to run_sweep, or sweep_folder(executor, id). Everything
about a sweep stands in its folder, so any process may read or stop it, and a restart of the server loses nothing.
"""

import contextlib
import os
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from playground.errors import UserError
from playground.sweeps.card import note_command
from playground.sweeps.dial import PREDICTION, SeriesPrediction, prediction_to_dict
from playground.sweeps.executors import InProcess, LocalWorkers, SweepExecutor
from playground.sweeps.folder import SWEEP, Sweep, find_sweep, open_sweep
from playground.sweeps.grid import SweepConfig, cells
from playground.sweeps.progress import SweepProgress, read_progress
from playground.sweeps.scheduler import OnSweepProgress, schedule_cells
from playground.training.run import runs
from playground.training.run.control import Command, open_control, send
from playground.training.run.lineage import STAGING_PREFIX, new_run_id
from playground.training.run.paths import ABOUT, is_run_id, write_json

if TYPE_CHECKING:
    from playground.jobs.executor import LocalExecutor

MOST_CELLS_OF_PAGE = 100
MOST_SWEEPS_OF_PAGE = 4
"""Running at once."""
COMMAND_OF_PAGE = "python -m playground sweep --config sweep.json --out FOLDER"
THREAD = "sweep-"


def no_sweep_progress(progress: SweepProgress) -> None:
    """For callers that do not watch."""


def run_sweep(
    config: SweepConfig,
    folder: Path,
    *,
    executor: SweepExecutor | None = None,
    on_progress: OnSweepProgress = no_sweep_progress,
    command: str = "",
) -> SweepProgress:
    """Train the cells of a sweep into the folder, or resume the sweep there; returns how it ended.

    executor: where cells are trained, by default this process. on_progress is called about once a second. command is
    for the card. Ctrl-C and stop_sweep end it, with checkpoints.
    Raises UserError where another sweep lies in the folder, or a process is running it.
    """
    sweep = open_sweep(config, folder)
    note_command(folder, command)
    return schedule_cells(sweep, executor or InProcess(), on_progress)


def ray_address() -> str:
    """The Ray cluster for the page's sweeps, from $PLAYGROUND_RAY; empty where none is given."""
    return os.environ.get("PLAYGROUND_RAY", "").strip()


def start_sweep(
    config: SweepConfig,
    executor: "LocalExecutor",
    *,
    ray: str = "",
    owner: str | None = None,
    prediction: SeriesPrediction | None = None,
) -> str:
    """Start a sweep among the job executor's runs and return its id.

    Its cells are runs named <id>-<cell> below the executor's root, queued like single runs and within its limits; the
    executor's workers train them, or the Ray cluster of an address. A prediction is written before the first step.
    Raises UserError, with what to change, for a sweep
    that asks for too much, where too many are running, and where no cluster answers.
    """
    grid = cells(config)
    _check_limits(config, executor)
    trainer = _sweep_executor(executor, ray)
    sweep_id = new_run_id()
    folder, staging = executor.root / sweep_id, executor.root / f"{STAGING_PREFIX}{sweep_id}"
    try:
        staging.mkdir(parents=True)
        write_json(staging / SWEEP, config.to_dict())
        if owner is not None:
            write_json(staging / ABOUT, {"owner": owner})
        if prediction is not None:
            write_json(staging / PREDICTION, prediction_to_dict(prediction))
        open_control(staging)
        staging.rename(folder)
    except OSError as error:
        trainer.close()
        raise UserError(
            "The sweep cannot be written to {root}: {reason}.", root=executor.root, reason=error.strerror or error
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    note_command(folder, COMMAND_OF_PAGE)
    sweep = Sweep(folder=folder, config=config, cells=grid, root=executor.root, prefix=f"{sweep_id}-")
    _schedule_in_thread(sweep, trainer)
    return sweep_id


def resume_sweep(folder: Path, executor: "LocalExecutor", *, ray: str = "") -> None:
    """Resume a sweep of start_sweep that was stopped or interrupted.

    Raises UserError where it is running, where too many are, and where no cluster answers.
    """
    sweep = find_sweep(folder)
    if read_progress(folder).state == "running":
        raise UserError("This sweep is running already.")
    _check_limits(sweep.config, executor)
    _schedule_in_thread(sweep, _sweep_executor(executor, ray))


def stop_sweep(folder: Path) -> None:
    """Ask a sweep to stop, from any process; it can be resumed."""
    send(folder, Command(action="stop"))


def delete_sweep(folder: Path) -> None:
    """Delete a sweep of start_sweep with all its runs; a worker finds its folder gone and ends.

    Raises UserError where no sweep lies there.
    """
    sweep = find_sweep(folder)
    with contextlib.suppress(UserError):  # its file of commands may be gone
        stop_sweep(folder)
    for cell in sweep.cells:
        if sweep.run_folder(cell).is_dir():
            runs.delete(sweep.root, sweep.run_id(cell))
    shutil.rmtree(folder, ignore_errors=True)


def sweep_folder(executor: "LocalExecutor", sweep_id: str) -> Path:
    """The folder of a sweep of start_sweep. Raises UserError where there is none."""
    folder = executor.root / sweep_id
    if not is_run_id(sweep_id) or folder.is_symlink() or not (folder / SWEEP).is_file():
        raise UserError("There is no such sweep here; it may have been deleted.")
    return folder


def _check_limits(config: SweepConfig, executor: "LocalExecutor") -> None:
    """Raise UserError for more than the page may ask for."""
    from playground.jobs.limits import check_limits

    grid = cells(config)
    if len(grid) > MOST_CELLS_OF_PAGE:
        raise UserError(
            "The sweep has {n_cells} cells, and at most {most_cells} are allowed here; choose fewer sizes, budgets or "
            "seeds, or run it from the command line.",
            n_cells=len(grid),
            most_cells=MOST_CELLS_OF_PAGE,
        )
    for cell in grid:
        check_limits(cell.config, executor.limits)
    running = [thread for thread in threading.enumerate() if thread.name.startswith(THREAD)]
    if len(running) >= MOST_SWEEPS_OF_PAGE:
        raise UserError(
            "{n_running} sweeps are running already; try again when one has finished.", n_running=len(running)
        )


def _sweep_executor(executor: "LocalExecutor", ray: str) -> SweepExecutor:
    if not ray:
        return LocalWorkers(executor, slots=executor.slots, owned=False)
    from playground.sweeps.ray_executor import RayExecutor

    return RayExecutor(ray)


def _schedule_in_thread(sweep: Sweep, executor: SweepExecutor) -> None:
    """Run the scheduler in a thread, which only hands out cells and polls: training is in other processes."""

    def work() -> None:
        # A sweep that is deleted while it runs has nobody left to report to.
        with contextlib.suppress(OSError, UserError):
            schedule_cells(sweep, executor, no_sweep_progress)

    threading.Thread(target=work, name=f"{THREAD}{sweep.folder.name}", daemon=True).start()
