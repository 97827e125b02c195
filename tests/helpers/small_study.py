"""Runs of every study that last a moment."""

import dataclasses
from pathlib import Path

from playground.emergence.studies import STUDIES, Study, StudyRun
from playground.training.config import TrainConfig
from playground.training.run.folder import run

MAKERS = dict(STUDIES)
"""The studies as they are, whatever a test puts in their place."""


def small_config(name: str) -> TrainConfig:
    """The study's own run, cut down to a few steps of a narrow model."""
    config = MAKERS[name]().runs[0].config
    model = dataclasses.replace(config.model, width=8, n_heads=1, hidden=16)
    if name == "grokking":
        task = dataclasses.replace(config.task, modulus=7)  # type: ignore[type-var]
        model = dataclasses.replace(model, vocabulary=task.needs().vocabulary)
        config = dataclasses.replace(config, task=task, batch=task.train_pairs)
    short = {"steps": 4, "warm_up": 1, "evaluate_every": 4, "evaluate_rows": 4, "checkpoint_every": 2}
    return dataclasses.replace(config, model=model, **{"batch": 4, **short})


def small_study(name: str) -> Study:
    """A study of two such runs with different seeds."""
    config = small_config(name)
    runs = tuple(StudyRun(name=f"seed-{seed}", config=dataclasses.replace(config, seed=seed)) for seed in (0, 1))
    return Study(name=name, runs=runs, live="seed-0")  # type: ignore[arg-type]


def trained(name: str, folder: Path) -> Path:
    """Such a run, trained into the folder."""
    for _step in run(small_config(name), folder):
        pass
    return folder
