"""A sweep as a folder: its configuration, and a run folder for each cell.

    sweep.json        the SweepConfig
    runs/<cell>/      an ordinary run folder for each cell
    progress.json     how the sweep is doing
    control.jsonl     commands to it: stop
    points.csv        a line for each finished cell
    curves.csv        held-out losses during training

A collected sweep has a card.md instead of runs.

A sweep that the page started lies among the page's runs: its folder is named by a long random id, and its cells are
ordinary runs beside it, named <id>-<cell>, which the page opens like any other.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playground.errors import UserError
from playground.sweeps.grid import Cell, SweepConfig, cells
from playground.training.run.control import open_control
from playground.training.run.lineage import STAGING_PREFIX, copy_task, fork
from playground.training.run.paths import CONFIG, PREPARED, checkpoint_folders, read_json, write_json
from playground.training.run.runs import write_about
from playground.training.run.status import State, Status, observed_status

SWEEP = "sweep.json"
RUNS = "runs"


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A sweep that has a folder."""

    folder: Path
    config: SweepConfig
    cells: tuple[Cell, ...]
    root: Path
    """The folder of its runs."""
    prefix: str = ""
    """What its runs' names begin with."""

    def run_id(self, cell: Cell) -> str:
        """The name of a cell's run folder below the root."""
        return f"{self.prefix}{cell.name}"

    def run_folder(self, cell: Cell) -> Path:
        """A cell's run folder."""
        return self.root / self.run_id(cell)

    def status(self, cell: Cell) -> Status:
        """How a cell's run is doing; unknown before it was started."""
        return observed_status(self.run_folder(cell))

    def state(self, cell: Cell) -> State:
        """The state of a cell's run."""
        return self.status(cell).state

    def finished(self) -> Iterator[Cell]:
        """The cells whose runs have finished, in training order."""
        return (cell for cell in self.cells if self.state(cell) == "finished")


def open_sweep(config: SweepConfig, folder: Path) -> Sweep:
    """Open the sweep of a folder, or make it there. Raises UserError where another one lies there."""
    grid = cells(config)
    values = read_json(folder / SWEEP)
    if values and SweepConfig.from_dict(values) != config:
        raise UserError("{folder} holds a sweep of another configuration; choose a new folder.", folder=folder)
    if not values and folder.is_dir() and any(folder.iterdir()):
        raise UserError("{folder} is not empty and holds no sweep; choose a new folder.", folder=folder)
    try:
        (folder / RUNS).mkdir(parents=True, exist_ok=True)
        open_control(folder)
        if not values:
            write_json(folder / SWEEP, config.to_dict())
    except OSError as error:
        raise UserError(
            "The sweep cannot be written to {folder}: {reason}.", folder=folder, reason=error.strerror or error
        ) from error
    return Sweep(folder=folder, config=config, cells=grid, root=folder / RUNS)


def find_sweep(folder: Path) -> Sweep:
    """The sweep that lies in a folder. Raises UserError where there is none."""
    values = read_json(folder / SWEEP)
    if not values:
        raise UserError("{folder} holds no sweep that can be read.", folder=folder)
    config = SweepConfig.from_dict(values)
    if (folder / RUNS).is_dir():
        return Sweep(folder=folder, config=config, cells=cells(config), root=folder / RUNS)
    return Sweep(folder=folder, config=config, cells=cells(config), root=folder.parent, prefix=f"{folder.name}-")


def prepare_cell(sweep: Sweep, cell: Cell) -> None:
    """Make a cell's run folder unless it is there: as a fork where its trunk has the checkpoint, else empty.

    Raises UserError where the folder cannot be written.
    """
    folder = sweep.run_folder(cell)
    if (folder / CONFIG).exists():
        return
    if cell.trunk is not None and has_fork(sweep, cell):
        assert cell.fork is not None
        fork(sweep.root, f"{sweep.prefix}{cell.trunk}", cell.fork, cell.config, name=cell.name, new=sweep.run_id(cell))
        return
    staging = sweep.root / f"{STAGING_PREFIX}{folder.name}"
    try:
        staging.mkdir(exist_ok=True)
        write_about(staging, cell.name)
        write_json(staging / CONFIG, cell.config.to_dict())
        open_control(staging)
        _copy_prepared(sweep, staging)
        staging.rename(folder)
    except OSError as error:
        raise UserError(
            "The cell {name} cannot be written to {root}: {reason}.",
            name=cell.name,
            root=sweep.root,
            reason=error.strerror,
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _copy_prepared(sweep: Sweep, target: Path) -> None:
    """Copy the prepared task of another cell, if there is one: a text is read and its vocabulary trained once."""
    for cell in sweep.cells:
        source = sweep.run_folder(cell)
        if (source / PREPARED).exists():
            copy_task(source, target)
            return


def has_fork(sweep: Sweep, cell: Cell) -> bool:
    """Whether a branch's trunk has the checkpoint that it begins from."""
    trunk = sweep.root / f"{sweep.prefix}{cell.trunk}"
    return any(int(path.name) == cell.fork for path in checkpoint_folders(trunk))
