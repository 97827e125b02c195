"""`train`: train a run from the command line, resumable, with progress on one line."""

import argparse
import dataclasses
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.errors import UserError
from playground.text import _
from playground.units import duration

if TYPE_CHECKING:
    from playground.tasks.task import TaskConfig, TaskKind
    from playground.training.config import TrainConfig
    from playground.training.trainer import Step

FROM_TASK = ("kind", "vocabulary", "classes", "segments")
"""The fields of the model that follow from the task."""
RECORDS = ("task", "model", "train")


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", *, words: list[str]) -> None:
    """Add the command; its options, whose records need torch, only where the command line asks for it."""
    parser = commands.add_parser("train", help=_("train a transformer into a run folder; a run in it is resumed"))
    if words[:1] != ["train"]:
        return
    from playground.tasks.registry import TASKS

    parser.add_argument("--task", choices=list(TASKS), default="text", help=_("the task (default text)"))
    parser.add_argument("--out", type=Path, required=True, help=_("the run folder; a run in it is resumed"))
    parser.add_argument("--config", type=Path, help=_("a config.json to repeat, instead of all other options"))
    parser.add_argument("--threads", type=int, default=1, help=_("torch threads (default 1)"))
    _add_records(parser, TASKS.get(task_among(words, "text"), TASKS["text"]))
    parser.set_defaults(run=train_run)


def _add_records(parser: argparse.ArgumentParser, kind: "TaskKind") -> None:
    """One option per field of the records of task, model and training."""
    from playground.command.options import add_options
    from playground.legacy_names import MODEL_CONFIG, TRAIN_CONFIG
    from playground.training.config import TrainConfig
    from playground.transformer import TransformerConfig

    options: Any = add_options
    options(parser.add_argument_group(_("task {name}").format(name=kind.name)), kind.config, prefix="task")
    if any(field.name == "unwrap" for field in dataclasses.fields(kind.config)):
        keep = _("do not join the lines of a paragraph, not even of wrapped prose")
        parser.add_argument(
            "--keep-lines", action="store_false", dest="task.unwrap", default=argparse.SUPPRESS, help=keep
        )
    model, training = parser.add_argument_group(_("model")), parser.add_argument_group(_("training"))
    options(model, TransformerConfig, prefix="model", without=FROM_TASK, renaming=MODEL_CONFIG)
    options(training, TrainConfig, prefix="train", without=("task", "model"), renaming=TRAIN_CONFIG)


def task_among(words: list[str], otherwise: str) -> str:
    """The word after --task, read before the options are known; the whole command line is parsed later."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "--task":
            return following
        if word.startswith("--task="):
            return word.removeprefix("--task=")
    return otherwise


def refuse_beside_config(options: Sequence[str]) -> None:
    """Raise UserError for options that stand beside --config."""
    if options:
        raise UserError(
            "--config repeats a run as it was; leave out {options}, or edit the file.", options=", ".join(options)
        )


def use_threads(count: int) -> None:
    """Let torch compute in so many threads. Raises UserError for a count below one."""
    import torch

    from playground.jobs.malloc import keep_freed_memory
    from playground.transformer import check_count

    check_count("threads", count)
    torch.set_num_threads(count)
    keep_freed_memory()


def timed_steps(steps: Iterable["Step"], last: int) -> Iterator[tuple["Step", float]]:
    """Each step, and the seconds that are left to the last at the pace so far."""
    start = time.monotonic()
    first: int | None = None
    for step in steps:
        first = step.step - 1 if first is None else first
        yield step, (time.monotonic() - start) / (step.step - first) * (last - step.step)


def train_config_from(arguments: argparse.Namespace) -> "TrainConfig":
    """The TrainConfig that the options describe. Raises UserError if they do not fit together."""
    from playground.command.options import typed_options
    from playground.tasks.classification import ClassificationConfig
    from playground.tasks.masked import MaskedConfig
    from playground.tasks.registry import TASKS
    from playground.tasks.text import TextTaskConfig
    from playground.training.config import TrainConfig
    from playground.training.run.folder import read_train_config
    from playground.transformer import TransformerConfig

    task_options, model_options, train_options = (typed_options(arguments, prefix) for prefix in RECORDS)
    if arguments.config is not None:
        refuse_beside_config([*task_options, *model_options, *train_options])
        return read_train_config(arguments.config)
    task = _task_config(TASKS[arguments.task], task_options)
    needs = task.needs()
    model = {name: getattr(needs, name) for name in FROM_TASK}
    # A text can be cut anywhere: its task only gives a minimum, so the model's own default context holds.
    is_cut = needs.context == 1 or isinstance(task, TextTaskConfig | MaskedConfig | ClassificationConfig)
    context = {} if is_cut else {"context": needs.context}
    return TrainConfig(task=task, model=TransformerConfig(**{**model, **context, **model_options}), **train_options)


def _task_config(kind: "TaskKind", options: dict[str, Any]) -> "TaskConfig":
    missing = [name.replace("_", "-") for name in required_fields(kind) if name not in options]
    if missing:
        raise UserError("The task {name} needs --{missing}.", name=kind.name, missing=" and --".join(missing))
    config: TaskConfig = kind.config(**options)
    return config


def required_fields(kind: "TaskKind") -> list[str]:
    """The fields of a task's config that have no default."""
    fields = dataclasses.fields(kind.config)
    return [field.name for field in fields if field.default is field.default_factory is dataclasses.MISSING]


def train_run(arguments: argparse.Namespace) -> None:
    """Train until all steps are done; an interrupted run resumes from its last checkpoint."""
    from playground.training.run.folder import run

    use_threads(arguments.threads)
    config = train_config_from(arguments)
    check_memory(config)
    for step, seconds in timed_steps(run(config, arguments.out), config.steps):
        print_step(step, config.steps, seconds)


def check_memory(config: "TrainConfig") -> None:
    """Raise UserError if a step on the CPU would take more memory than is free."""
    from playground.models.memory_estimate import available_bytes
    from playground.training.estimate import memory_of
    from playground.training.sizes import parameters_by_part

    needed = memory_of(config, parameters_by_part(config.model)).total
    free = available_bytes()
    if config.device == "cpu" and needed > free:
        raise UserError(
            "A step would take about {needed:,.1f} GB of memory, and {free:,.1f} GB are free; choose a "
            "smaller model, context or batch.",
            needed=needed / 1000000000.0,
            free=free / 1000000000.0,
        )


def print_step(step: "Step", steps: int, seconds_left: float) -> None:
    """On one line of a terminal; an evaluation keeps its line."""
    line = _("step {step}/{steps}  loss {loss:.3f}  {left} left")
    line = line.format(step=step.step, steps=steps, loss=step.loss, left=duration(seconds_left))
    if step.evaluation is not None:
        measures = "  ".join(f"{name} {value:.4f}" for name, value in step.evaluation.items())
        print(f"\r{line}  {measures}", flush=True)
    elif sys.stderr.isatty():
        print(f"\r{line}", end="", file=sys.stderr, flush=True)
