"""Train all runs of a study, measure every snapshot and write its table; what is there already is not made again."""

import os
import platform
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from playground.emergence.checkpoints import measure_run, open_run
from playground.emergence.records import Checkpoint, read_table, write_table
from playground.emergence.shipped import MADE, table_path
from playground.emergence.studies import Cell, Study
from playground.training.run.folder import read_config, run
from playground.training.run.paths import CONFIG, read_json, write_json, write_whole
from playground.training.run.status import read_status

RUNS = "runs"
PACKAGES = ("torch", "numpy")

Tell = Callable[[str], None]


def make_study(study: Study, folder: Path, tell: Tell) -> list[Checkpoint]:
    """Train, measure and write `<study>.csv`; interrupted, it goes on from the last snapshot of the last run."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [row for cell in study.cells for row in _cell_rows(cell, folder / RUNS / study.name / cell.name, tell)]
    write_whole(table_path(study.name, folder), write_table(rows))
    _note(study, folder)
    return rows


def _cell_rows(cell: Cell, folder: Path, tell: Tell) -> list[Checkpoint]:
    """The rows of one run; kept beside it, so that they are measured once."""
    kept = folder / "measures.csv"
    if kept.is_file() and _is_trained(cell, folder):
        return list(read_table(kept.read_text(encoding="utf-8")))
    for step in _trained(cell, folder):
        if step % cell.config.evaluate_every == 0:
            tell(f"{cell.name}: step {step:,} of {cell.config.steps:,}")
    rows = list(measure_run(open_run(folder, cell.name)))
    write_whole(kept, write_table(rows))
    last = "  ".join(f"{name} {value:.4f}" for name, value in rows[-1].measures.items())
    tell(f"{cell.name}: {rows[-1].parameters:,} parameters  {last}")
    return rows


def _trained(cell: Cell, folder: Path) -> Iterator[int]:
    """The steps that are still to be trained. Raises UserError where the folder holds a run of other settings."""
    if not _is_trained(cell, folder):
        yield from (step.step for step in run(cell.config, folder))


def _is_trained(cell: Cell, folder: Path) -> bool:
    return read_status(folder).state == "finished" and read_config(folder / CONFIG) == cell.config


def _note(study: Study, folder: Path) -> None:
    """Write how the table was made beside it; the minutes are those of training, in all sittings."""
    seconds = sum(read_status(folder / RUNS / study.name / cell.name).seconds for cell in study.cells)
    made = read_json(folder / MADE)
    made[study.name] = {
        "command": f"python -m playground emergence --study {study.name} --out FOLDER",
        "made on": time.strftime("%Y-%m-%d", time.gmtime()),
        "minutes of training": round(seconds / 60, 1),
        "runs": len(study.cells),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "seeds": ", ".join(sorted({str(cell.config.seed) for cell in study.cells})),
    }
    write_json(folder / MADE, made)
    write_whole(folder / "card.md", card(made))


def card(made: dict[str, dict[str, object]]) -> str:
    """What lies in the folder, and how each table was made."""
    lines = [
        "# The same checkpoints under different measures",
        "",
        "Each table holds one row for each snapshot of each run: run, parameters, width, seed, step, and the measures ",
        "that playground/emergence takes of it on held-out data. The runs' settings stand in ",
        "playground/emergence/studies.py; `python -m playground emergence --out FOLDER` makes all tables anew.",
    ]
    for study, facts in made.items():
        lines += ["", f"## {study}.csv", "", *(f"- {name}: {value}" for name, value in facts.items())]
    return "\n".join(line.rstrip() for line in lines) + "\n"
