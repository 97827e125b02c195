"""Sweeps: begin one, go on with it, stop it, read it.

    run_sweep(config, folder)        train it here and now, into a folder of its own (the command line)
    start_sweep(config, executor)    train it in the background among an executor's runs (the page); returns its id
    resume_sweep, stop_sweep, delete_sweep, read_sweep, sweep_folder

The last four take the sweep's folder: what was given to run_sweep, or sweep_folder(executor, id). Everything about a
sweep stands in its folder, so any process may read or stop it, and nothing is lost when the server starts anew.
"""

import contextlib
import os
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from playground.errors import UserError
from playground.sweeps.card import note_command
from playground.sweeps.executors import Here, Place, Workers
from playground.sweeps.folder import SWEEP, Sweep, find_sweep, open_sweep
from playground.sweeps.grid import SweepConfig, cells
from playground.sweeps.progress import CellView, Progress, SweepView, read_progress, read_sweep
from playground.sweeps.scheduler import Told, drive
from playground.training.run import runs
from playground.training.run.control import Command, open_control, send
from playground.training.run.lineage import STAGING_PREFIX, new_run_id
from playground.training.run.paths import is_run_id, write_json

if TYPE_CHECKING:
    from playground.jobs.executor import LocalExecutor

__all__ = [
    "CellView",
    "SweepView",
    "delete_sweep",
    "ray_address",
    "read_sweep",
    "resume_sweep",
    "run_sweep",
    "start_sweep",
    "stop_sweep",
    "sweep_folder",
]

MOST_CELLS = 100
"""Of a sweep that the page starts."""
MOST_SWEEPS = 4
"""That the page may have at work at once."""
FROM_THE_PAGE = "python -m playground sweep --config sweep.json --out FOLDER"
THREAD = "sweep-"


def run_sweep(
    config: SweepConfig, folder: Path, *, place: Place | None = None, told: Told | None = None, command: str = ""
) -> Progress:
    """Train the cells of a sweep into the folder until all are done or somebody stops it; returns how it ended.

    A sweep that lies there is gone on with. place is where: by default this process. told hears of the progress about
    once a second. command is what the card says it was made by. Ctrl-C and stop_sweep end it, after snapshots are
    written. Raises UserError where another sweep lies in the folder, or a process is driving it.
    """
    sweep = open_sweep(config, folder)
    note_command(folder, command)
    return drive(sweep, place or Here(), told or (lambda progress: None))


def ray_address() -> str:
    """The Ray cluster that trains the sweeps of the page, from $PLAYGROUND_RAY; empty where none is given."""
    return os.environ.get("PLAYGROUND_RAY", "").strip()


def start_sweep(config: SweepConfig, executor: "LocalExecutor", *, ray: str = "") -> str:
    """Begin a sweep among the executor's runs and return its id; it waits its turn as single runs do.

    Its cells are runs named <id>-<cell>, below the executor's root like all others, and within its limits. They are
    trained by the executor's workers, or on the Ray cluster of an address. Raises UserError, with what to change, for
    a sweep that asks for too much, where too many are at work, and where no cluster answers.
    """
    found = cells(config)
    _check_room(config, executor)
    place = _place(executor, ray)
    sweep_id = new_run_id()
    folder, staging = executor.root / sweep_id, executor.root / f"{STAGING_PREFIX}{sweep_id}"
    try:
        staging.mkdir(parents=True)
        write_json(staging / SWEEP, config.to_dict())
        open_control(staging)
        staging.rename(folder)
    except OSError as error:
        place.close()
        raise UserError(
            "The sweep cannot be written to {root}: {reason}.", root=executor.root, reason=error.strerror or error
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    note_command(folder, FROM_THE_PAGE)
    _drive_behind(Sweep(folder=folder, config=config, cells=found, root=executor.root, prefix=f"{sweep_id}-"), place)
    return sweep_id


def resume_sweep(folder: Path, executor: "LocalExecutor", *, ray: str = "") -> None:
    """Go on with a sweep of start_sweep that was stopped or interrupted.

    Raises UserError where it is at work, where too many are, and where no cluster answers.
    """
    sweep = find_sweep(folder)
    if read_progress(folder).state == "running":
        raise UserError("This sweep is at work already.")
    _check_room(sweep.config, executor)
    _drive_behind(sweep, _place(executor, ray))


def stop_sweep(folder: Path) -> None:
    """Ask for the end of a sweep, from any process; it can be gone on with."""
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
    """The folder of a sweep that start_sweep began. Raises UserError where there is none."""
    folder = executor.root / sweep_id
    if not is_run_id(sweep_id) or folder.is_symlink() or not (folder / SWEEP).is_file():
        raise UserError("There is no such sweep here; it may have been deleted.")
    return folder


def _check_room(config: SweepConfig, executor: "LocalExecutor") -> None:
    """Raise UserError for more than the page may ask for."""
    from playground.jobs.limits import check_limits

    found = cells(config)
    if len(found) > MOST_CELLS:
        raise UserError(
            "The sweep has {n_found} cells, and at most {most_cells} are allowed here; choose fewer sizes, "
            "budgets or seeds, or run it from the command line.",
            n_found=len(found),
            most_cells=MOST_CELLS,
        )
    for cell in found:
        check_limits(cell.config, executor.limits)
    at_work = [thread for thread in threading.enumerate() if thread.name.startswith(THREAD)]
    if len(at_work) >= MOST_SWEEPS:
        raise UserError(
            "{n_at_work} sweeps are at work already; try again when one has finished.", n_at_work=len(at_work)
        )


def _place(executor: "LocalExecutor", ray: str) -> Place:
    """Where the sweeps of the page are trained."""
    if not ray:
        return Workers(executor, slots=executor.slots, owned=False)
    from playground.sweeps.ray_executor import RayPlace

    return RayPlace(ray)


def _drive_behind(sweep: Sweep, place: Place) -> None:
    """Drive a sweep in a thread that only hands out cells and looks; the training is in other processes."""

    def work() -> None:
        # Deleted while it was at work: there is nothing left to tell anybody.
        with contextlib.suppress(OSError, UserError):
            drive(sweep, place, lambda progress: None)

    threading.Thread(target=work, name=f"{THREAD}{sweep.folder.name}", daemon=True).start()
