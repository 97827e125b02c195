"""Train all runs of a study, measure every checkpoint and write its table; resumable."""

import os
import platform
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from playground.emergence.checkpoints import measure_run, open_run
from playground.emergence.studies import Study, StudyRun
from playground.emergence.tables import (
    PROVENANCE_FILE,
    MeasuredCheckpoint,
    read_checkpoints,
    table_path,
    write_checkpoints,
)
from playground.text import _
from playground.training.run.folder import read_train_config, run
from playground.training.run.paths import CONFIG, read_json, write_json, write_whole
from playground.training.run.status import read_status

RUNS = "runs"
PACKAGES = ("torch", "numpy")

OnMessage = Callable[[str], None]


def build_study(study: Study, folder: Path, on_message: OnMessage) -> list[MeasuredCheckpoint]:
    """Train, measure and write `<study>.csv`; resumes from the last checkpoint of an interrupted run."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoints = [
        checkpoint
        for study_run in study.runs
        for checkpoint in _measured_run(study_run, folder / RUNS / study.name / study_run.name, on_message)
    ]
    write_whole(table_path(study.name, folder), write_checkpoints(checkpoints))
    _write_provenance(study, folder)
    return checkpoints


def _measured_run(study_run: StudyRun, folder: Path, on_message: OnMessage) -> list[MeasuredCheckpoint]:
    """The measured checkpoints of one run, cached in its folder."""
    cached = folder / "measures.csv"
    if cached.is_file() and _is_trained(study_run, folder):
        return list(read_checkpoints(cached.read_text(encoding="utf-8")))
    name, steps = study_run.name, study_run.config.steps
    for step in _train(study_run, folder):
        if step % study_run.config.evaluate_every == 0:
            on_message(_("{name}: step {step:,} of {steps:,}").format(name=name, step=step, steps=steps))
    checkpoints = list(measure_run(open_run(folder, name)))
    write_whole(cached, write_checkpoints(checkpoints))
    values = "  ".join(f"{metric} {value:.4f}" for metric, value in checkpoints[-1].metrics.items())
    summary = _("{name}: {parameters:,} parameters  {values}")
    on_message(summary.format(name=name, parameters=checkpoints[-1].parameters, values=values))
    return checkpoints


def _train(study_run: StudyRun, folder: Path) -> Iterator[int]:
    """Train what is left, yielding each step. Raises UserError where the folder holds a run with another config."""
    if not _is_trained(study_run, folder):
        yield from (step.step for step in run(study_run.config, folder))


def _is_trained(study_run: StudyRun, folder: Path) -> bool:
    return read_status(folder).state == "finished" and read_train_config(folder / CONFIG) == study_run.config


def _write_provenance(study: Study, folder: Path) -> None:
    """Write beside the table how it was made; the minutes are those of training, summed over all sessions."""
    seconds = sum(read_status(folder / RUNS / study.name / study_run.name).seconds for study_run in study.runs)
    provenance = read_json(folder / PROVENANCE_FILE)
    provenance[study.name] = {
        "command": f"python -m playground emergence --study {study.name} --out FOLDER",
        "made on": time.strftime("%Y-%m-%d", time.gmtime()),
        "minutes of training": round(seconds / 60, 1),
        "runs": len(study.runs),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "seeds": ", ".join(sorted({str(study_run.config.seed) for study_run in study.runs})),
    }
    write_json(folder / PROVENANCE_FILE, provenance)
    write_whole(folder / "card.md", study_card(provenance))


def study_card(provenance: dict[str, dict[str, object]]) -> str:
    """The folder's card: what its tables hold, and how each was made."""
    lines = [
        _("# The same checkpoints under different metrics"),
        "",
        _(
            "Each table holds one row per checkpoint of each run: run, parameters, width, seed, step, and its metrics "
            "on held-out data (`playground/emergence/metrics.py`). The runs are defined in "
            "`playground/emergence/studies.py`; `python -m playground emergence --out FOLDER` builds all tables."
        ),
    ]
    for study, details in provenance.items():
        lines += ["", f"## {study}.csv", "", *(f"- {name}: {value}" for name, value in details.items())]
    return "\n".join(lines) + "\n"
