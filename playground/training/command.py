"""`python -m playground train`: a run from the command line, resumable, with progress on one line."""

import argparse
import json
import sys
import time
from pathlib import Path

import torch

from playground.tasks.text import TextTaskConfig
from playground.training.config import TrainConfig
from playground.training.run_folder import run
from playground.training.trainer import Step
from playground.transformer import TransformerConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options; the defaults are those of the config records."""
    parser.add_argument("--task", choices=["text"], default="text", help="what to learn")
    parser.add_argument("--source", action="append", default=[], help="a .txt file or a .zip of them (repeatable)")
    parser.add_argument("--out", type=Path, required=True, help="the run folder; a run in it is resumed")
    parser.add_argument("--config", type=Path, help="a config.json to repeat; other options are then ignored")
    parser.add_argument("--threads", type=int, default=1, help="torch threads (default 1)")
    parser.add_argument("--snapshot-every", type=int, default=500)
    parser.add_argument("--keep-lines", action="store_true", help="do not join the lines of a paragraph")
    for name, kind in _TASK_OPTIONS.items():
        parser.add_argument(_flag(name), type=kind, default=getattr(TextTaskConfig, name), dest=f"task_{name}")
    for name, kind in _MODEL_OPTIONS.items():
        parser.add_argument(_flag(name), type=kind, default=getattr(TransformerConfig, name), dest=f"model_{name}")
    for name, kind in _TRAIN_OPTIONS.items():
        parser.add_argument(_flag(name), type=kind, default=getattr(TrainConfig, name), dest=f"train_{name}")


_TASK_OPTIONS = {"vocabulary": str, "vocabulary_size": int, "held_out": float, "repeats": float}
_MODEL_OPTIONS = {
    **dict.fromkeys(("context", "width", "layers", "heads", "key_value_heads", "hidden"), int),
    **dict.fromkeys(("feed_forward", "norm", "positions"), str),
}
_TRAIN_OPTIONS = {
    **dict.fromkeys(("steps", "batch", "warm_up", "seed", "evaluate_every", "evaluate_rows"), int),
    **dict.fromkeys(("learning_rate", "final_learning_rate", "weight_decay", "clip"), float),
    "schedule": str,
}


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def config_from(arguments: argparse.Namespace) -> TrainConfig:
    """The TrainConfig that the options describe."""
    if arguments.config is not None:
        return TrainConfig.from_dict(json.loads(arguments.config.read_text(encoding="utf-8")))
    values = vars(arguments)
    pick = lambda prefix, names: {name: values[f"{prefix}_{name}"] for name in names}  # noqa: E731
    task = TextTaskConfig(
        sources=tuple(arguments.source), unwrap=not arguments.keep_lines, **pick("task", _TASK_OPTIONS)
    )
    model = TransformerConfig(vocabulary=task.vocabulary_size, **pick("model", _MODEL_OPTIONS))
    return TrainConfig(task=task, model=model, **pick("train", _TRAIN_OPTIONS))


def command(arguments: argparse.Namespace) -> None:
    """Train until the steps are done; an interrupted run goes on where its last snapshot stands."""
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
