"""The snapshots of a run, measured one by one, under everything that its study measures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from playground.emergence.answers import answer_measures, held_out_answers
from playground.emergence.grokking import grokking_measures, key_frequencies_of
from playground.emergence.induction import induction_measures
from playground.emergence.records import Checkpoint
from playground.emergence.studies import study_for
from playground.errors import UserError
from playground.tasks.induction import InductionTask
from playground.tasks.modular import ModularTask
from playground.tasks.registry import kind_of
from playground.tasks.task import Task
from playground.training.config import TrainConfig
from playground.training.run.folder import read_config
from playground.training.run.paths import snapshots
from playground.transformer import Transformer

ROWS = 512
"""Held-out questions: exact match is known to one in so many."""
INDUCTION_ROWS = 64

MeasureModel = Callable[[Transformer], dict[str, float]]


@dataclass(frozen=True, kw_only=True, eq=False)
class RunToMeasure:
    """A run's folder, its settings and its task, and what its checkpoints are called."""

    name: str
    folder: Path
    config: TrainConfig
    task: Task

    def steps(self) -> tuple[int, ...]:
        """The steps that a snapshot is there for."""
        return tuple(int(path.name) for path in snapshots(self.folder))


def open_run(folder: Path, name: str = "") -> RunToMeasure:
    """Read a run's settings and restore its task. Raises UserError where it cannot be measured."""
    config = read_config(folder / "config.json")
    study_for(config.task)
    task = kind_of(config.task).restore(config.task, folder)
    return RunToMeasure(name=name or folder.name, folder=folder, config=config, task=task)


def load_model(run: RunToMeasure, step: int) -> Transformer:
    """The model after a step. Raises UserError for a snapshot that is gone or damaged."""
    path = next((path for path in snapshots(run.folder) if int(path.name) == step), None)
    try:
        if path is None:
            raise FileNotFoundError(str(step))
        model = Transformer(run.config.model)
        # The head may be the embedding under another name, and is then saved once.
        missing, unexpected = model.load_state_dict(load_file(path / "model.safetensors"), strict=False)
        if unexpected or (missing and not run.config.model.tied):
            raise ValueError("other weights")
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        raise UserError(
            "The snapshot of step {step} of {name} is gone or damaged.", step=step, name=run.name
        ) from error
    return model.eval().requires_grad_(False)


def measurer(run: RunToMeasure) -> MeasureModel:
    """What measures a model of this run. Of grokking, the key frequencies are those of the newest snapshot."""
    task = run.task
    if isinstance(task, ModularTask):
        keys = key_frequencies_of(task, load_model(run, run.steps()[-1]))
        return lambda model: grokking_measures(task, model, keys)
    if isinstance(task, InductionTask):
        return lambda model: induction_measures(task, model, INDUCTION_ROWS)
    batch = held_out_answers(task, ROWS)
    return lambda model: answer_measures(task, model, batch)


def measure_step(run: RunToMeasure, step: int, measure: MeasureModel) -> Checkpoint:
    """One checkpoint's row."""
    model = load_model(run, step)
    return Checkpoint(
        run=run.name,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        width=run.config.model.width,
        seed=run.config.seed,
        step=step,
        measures=measure(model),
    )


def measure_run(run: RunToMeasure) -> Iterator[Checkpoint]:
    """All checkpoints of a run that has ended, in the order of their steps. Raises UserError where it has none."""
    steps = run.steps()
    if not steps:
        raise UserError("The run {name} has no snapshot yet.", name=run.name)
    measure = measurer(run)
    for step in steps:
        yield measure_step(run, step, measure)
