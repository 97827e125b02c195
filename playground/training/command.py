"""`python -m playground train`: a run from the command line, resumable, with progress on one line."""

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import torch

from playground.tasks.text import TextTaskConfig
from playground.tasks.vocabulary import VocabularyKind
from playground.training.config import ScheduleName, TrainConfig
from playground.training.run_folder import read_config, run
from playground.training.trainer import Step
from playground.transformer import FeedForward, Norm, Positions, TransformerConfig, check_count


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options; the defaults are those of the config records."""
    parser.add_argument("--task", choices=["text"], default="text", help="what to learn")
    parser.add_argument("--source", action="append", default=[], help="a .txt file or a .zip of them (repeatable)")
    parser.add_argument("--out", type=Path, required=True, help="the run folder; a run in it is resumed")
    parser.add_argument("--config", type=Path, help="a config.json to repeat; other options are then ignored")
    parser.add_argument("--threads", type=int, default=1, help="torch threads (default 1)")
    parser.add_argument("--snapshot-every", type=int, default=500)
    parser.add_argument("--keep-lines", action="store_true", help="do not join the lines of a paragraph")
    for prefix, (record, options) in _RECORDS.items():
        for name, kind in options.items():
            accepted: dict[str, Any] = {"type": kind} if isinstance(kind, type) else {"choices": get_args(kind)}
            parser.add_argument(_flag(name), default=getattr(record, name), dest=f"{prefix}_{name}", **accepted)


_TASK_OPTIONS = {"vocabulary": VocabularyKind, "vocabulary_size": int, "held_out": float, "repeats": float}
_MODEL_OPTIONS = {
    **dict.fromkeys(("context", "width", "layers", "heads", "key_value_heads", "hidden"), int),
    "feed_forward": FeedForward,
    "norm": Norm,
    "positions": Positions,
}
_TRAIN_OPTIONS = {
    **dict.fromkeys(
        ("steps", "batch", "warm_up", "seed", "evaluate_every", "evaluate_rows", "copying_steps", "copying_rows"), int
    ),
    **dict.fromkeys(("learning_rate", "final_learning_rate", "weight_decay", "clip"), float),
    "schedule": ScheduleName,
}
_RECORDS: dict[str, tuple[type, dict[str, Any]]] = {
    "task": (TextTaskConfig, _TASK_OPTIONS),
    "model": (TransformerConfig, _MODEL_OPTIONS),
    "train": (TrainConfig, _TRAIN_OPTIONS),
}


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def config_from(arguments: argparse.Namespace) -> TrainConfig:
    """The TrainConfig that the options describe."""
    if arguments.config is not None:
        return read_config(arguments.config)
    task = TextTaskConfig(
        sources=tuple(arguments.source),
        unwrap=not arguments.keep_lines,
        **_picked(arguments, "task", _TASK_OPTIONS),
    )
    model = TransformerConfig(vocabulary=task.vocabulary_size, **_picked(arguments, "model", _MODEL_OPTIONS))
    return TrainConfig(task=task, model=model, **_picked(arguments, "train", _TRAIN_OPTIONS))


def _picked(arguments: argparse.Namespace, prefix: str, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(arguments, f"{prefix}_{name}") for name in names}


def command(arguments: argparse.Namespace) -> None:
    """Train until the steps are done; an interrupted run goes on where its last snapshot stands."""
    check_count("threads", arguments.threads)
    torch.set_num_threads(arguments.threads)
    config = config_from(arguments)
    began = time.monotonic()
    first: int | None = None
    for step in run(config, arguments.out, snapshot_every=arguments.snapshot_every):
        first = step.step - 1 if first is None else first
        seconds = (time.monotonic() - began) / (step.step - first) * (config.steps - step.step)
        _report(step, config.steps, seconds)


def _report(step: Step, steps: int, seconds_left: float) -> None:
    line = f"step {step.step}/{steps}  loss {step.loss:.3f}  {seconds_left / 60:.0f} min left"
    if step.evaluation is not None:
        measures = "  ".join(f"{name} {value:.4f}" for name, value in step.evaluation.items())
        print(f"\r{line}  {measures}", flush=True)
    elif sys.stderr.isatty():
        print(f"\r{line}", end="", file=sys.stderr, flush=True)
