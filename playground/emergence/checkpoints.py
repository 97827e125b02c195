"""Load the checkpoints of a run and take every metric of its study."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from playground.emergence.answer_metrics import answer_metrics, held_out_answers
from playground.emergence.grokking import grokking_metrics, key_frequencies_of
from playground.emergence.induction import induction_metrics
from playground.emergence.studies import study_for
from playground.emergence.tables import MeasuredCheckpoint
from playground.errors import UserError
from playground.tasks.induction import InductionTask
from playground.tasks.modular import ModularTask
from playground.tasks.registry import task_kind_of
from playground.tasks.task import Task
from playground.training.config import TrainConfig
from playground.training.run.folder import read_train_config
from playground.training.run.paths import checkpoint_folders
from playground.transformer import Transformer

ROWS = 512
"""Number of held-out questions: exact match has a resolution of 1/512."""
INDUCTION_ROWS = 64

MeasureModel = Callable[[Transformer], dict[str, float]]


@dataclass(frozen=True, kw_only=True, eq=False)
class RunToMeasure:
    """A run whose checkpoints can be measured."""

    name: str
    """What its checkpoints are called in tables."""
    folder: Path
    config: TrainConfig
    task: Task

    def steps(self) -> tuple[int, ...]:
        """Steps that have a checkpoint, ascending."""
        return tuple(int(path.name) for path in checkpoint_folders(self.folder))


def open_run(folder: Path, name: str = "") -> RunToMeasure:
    """Read a run's config and restore its task. Raises UserError for a task that no study measures."""
    config = read_train_config(folder / "config.json")
    study_for(config.task)
    task = task_kind_of(config.task).restore(config.task, folder)
    return RunToMeasure(name=name or folder.name, folder=folder, config=config, task=task)


def load_model(run: RunToMeasure, step: int) -> Transformer:
    """The model at a step, in evaluation mode. Raises UserError for a missing or damaged checkpoint."""
    path = next((path for path in checkpoint_folders(run.folder) if int(path.name) == step), None)
    try:
        if path is None:
            raise FileNotFoundError(str(step))
        model = Transformer(run.config.model)
        # Tied weights: the output head is the embedding and is saved once.
        missing, unexpected = model.load_state_dict(load_file(path / "model.safetensors"), strict=False)
        if unexpected or (missing and not run.config.model.tied):
            raise ValueError("other weights")
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        raise UserError(
            "The checkpoint of step {step} of {name} is missing or damaged.", step=step, name=run.name
        ) from error
    return model.eval().requires_grad_(False)


def measurer(run: RunToMeasure) -> MeasureModel:
    """A function from a model of this run to its metrics. Grokking: key frequencies of the newest checkpoint."""
    task = run.task
    if isinstance(task, ModularTask):
        keys = key_frequencies_of(task, load_model(run, run.steps()[-1]))
        return lambda model: grokking_metrics(task, model, keys)
    if isinstance(task, InductionTask):
        return lambda model: induction_metrics(task, model, INDUCTION_ROWS)
    batch = held_out_answers(task, ROWS)
    return lambda model: answer_metrics(task, model, batch)


def measure_step(run: RunToMeasure, step: int, measure: MeasureModel) -> MeasuredCheckpoint:
    """Load and measure the checkpoint of one step."""
    model = load_model(run, step)
    return MeasuredCheckpoint(
        run=run.name,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        width=run.config.model.width,
        seed=run.config.seed,
        step=step,
        metrics=measure(model),
    )


def measure_run(run: RunToMeasure) -> Iterator[MeasuredCheckpoint]:
    """Measure all checkpoints of a finished run in the order of their steps. Raises UserError where it has none."""
    steps = run.steps()
    if not steps:
        raise UserError("The run {name} has no checkpoint yet.", name=run.name)
    measure = measurer(run)
    for step in steps:
        yield measure_step(run, step, measure)
