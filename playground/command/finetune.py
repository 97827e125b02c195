"""`finetune`: let a model learn on from the command line, resumable, with progress on one line or as JSON."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.command.train import print_step, refuse_beside_config, task_among, timed_steps, use_threads
from playground.errors import UserError
from playground.text import _
from playground.units import duration

if TYPE_CHECKING:
    from playground.training.finetune import FinetuneConfig

RECORDS = ("task", "parts", "train")


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", *, words: list[str]) -> None:
    """Add the command; its options, whose records need torch, only where the command line asks for it."""
    parser = commands.add_parser("finetune", help=_("let a model learn on, in a run folder; a run in it is resumed"))
    if words[:1] != ["finetune"]:
        return
    from playground.tasks.finetune.registry import FINETUNE_TASKS

    parser.add_argument("base", nargs="?", default="", help=_("the model that learns on: any name that load takes"))
    parser.add_argument("--task", choices=list(FINETUNE_TASKS), default="labels", help=_("the task (default labels)"))
    parser.add_argument("--out", type=Path, required=True, help=_("the run folder; a run in it is resumed"))
    parser.add_argument("--config", type=Path, help=_("a config.json to repeat, instead of all other options"))
    parser.add_argument("--threads", type=int, default=1, help=_("torch threads (default 1)"))
    parser.add_argument("--json", action="store_true", help=_("one JSON object for each step"))
    parser.add_argument("--adapter", type=Path, help=_("afterwards write LoRA to this folder, for peft"))
    parser.add_argument("--merged", type=Path, help=_("afterwards write the whole model to this folder"))
    parser.add_argument("--dry-run", action="store_true", help=_("only say what it would cost"))
    _add_records(parser, task_among(words, "labels"))
    parser.set_defaults(run=finetune_run)


def _add_records(parser: argparse.ArgumentParser, task: str) -> None:
    """One option per field of the records of task, trained parts and training."""
    from playground.command.options import add_options
    from playground.tasks.finetune.registry import FINETUNE_TASKS
    from playground.training.finetune.finetune_config import FinetuneConfig
    from playground.training.finetune.trained_parts import TrainedParts

    options: Any = add_options
    kind = FINETUNE_TASKS.get(task, FINETUNE_TASKS["labels"])
    options(parser.add_argument_group(_("task {name}").format(name=kind.name)), kind.config, prefix="task")
    options(parser.add_argument_group(_("what is trained")), TrainedParts, prefix="parts")
    group = parser.add_argument_group(_("training"))
    options(group, FinetuneConfig, prefix="train", without=("task", "parts", "base"))


def finetune_config_from(arguments: argparse.Namespace) -> "FinetuneConfig":
    """The FinetuneConfig that the options describe. Raises UserError if they do not fit together."""
    from playground.command.options import typed_options
    from playground.tasks.finetune.registry import FINETUNE_TASKS
    from playground.training.finetune.finetune_config import FinetuneConfig
    from playground.training.finetune.trained_parts import TrainedParts
    from playground.training.run.folder import read_run_config

    task, parts, train = (typed_options(arguments, prefix) for prefix in RECORDS)
    if arguments.config is not None:
        refuse_beside_config([*task, *parts, *train, *([arguments.base] if arguments.base else [])])
        config = read_run_config(arguments.config)
        if not isinstance(config, FinetuneConfig):
            raise UserError("{path} is the configuration of a training; use the command train.", path=arguments.config)
        return config
    if not arguments.base:
        raise UserError("Name the model that is to learn on.")
    return FinetuneConfig(
        base=arguments.base, task=FINETUNE_TASKS[arguments.task].config(**task), parts=TrainedParts(**parts), **train
    )


def finetune_run(arguments: argparse.Namespace) -> None:
    """Fine-tune until all steps are done; an interrupted run resumes from its last checkpoint."""
    from playground.models.memory_estimate import available_bytes
    from playground.training.finetune.cost import check_finetuning
    from playground.training.finetune.result import export_adapter, export_merged
    from playground.training.run.folder import run

    use_threads(arguments.threads)
    config = finetune_config_from(arguments)
    check_finetuning(config, available=available_bytes())
    _print_cost(config, as_json=arguments.json)
    if arguments.dry_run:
        return
    for step, left in timed_steps(run(config, arguments.out), config.steps):
        if step.step == 1:
            _print_start(arguments.out, as_json=arguments.json)
        if arguments.json:
            print(json.dumps(asdict(step)), flush=True)
        else:
            print_step(step, config.steps, left)
    for name, export in (("adapter", export_adapter), ("merged", export_merged)):
        folder = getattr(arguments, name)
        if folder is not None:
            path = str(export(arguments.out, folder))
            print(json.dumps({name: path}) if arguments.json else path)


def _print_start(folder: Path, *, as_json: bool) -> None:
    """What the base measures."""
    from playground.training.run.metrics import start_measures

    measures = start_measures(folder) or {}
    if as_json:
        print(json.dumps({"step": 0, "evaluation": measures}), flush=True)
    else:
        print(_("before the first step"), *(f"{name} {value:.4f}" for name, value in measures.items()), sep="  ")


def _print_cost(config: "FinetuneConfig", *, as_json: bool) -> None:
    from playground.training.finetune.cost import estimate_finetuning

    cost = estimate_finetuning(config)
    if as_json:
        counts = {"trainable": cost.trainable, "total": cost.total, "bytes": cost.memory.total}
        notes = [str(note) for note in (*cost.source_notes, *cost.notes)]
        rest = {"seconds": cost.seconds, "modules": list(cost.modules), "notes": notes}
        print(json.dumps({"estimate": {**counts, **rest}}), flush=True)
        return
    line = _("{trainable:,} of {total:,} parameters are trained; about {megabytes:,.0f} MB and {time}")
    print(
        line.format(
            trainable=cost.trainable,
            total=cost.total,
            megabytes=cost.memory.total / 1e6,
            time=duration(cost.seconds),
        )
    )
    for note in (*cost.source_notes, *cost.notes):
        print(note)
