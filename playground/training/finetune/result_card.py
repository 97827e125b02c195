"""The card of a fine-tuned model: base, data by hash, settings, measures; each number from the run itself."""

import dataclasses
import hashlib
from pathlib import Path

from playground.models.adapters.finetuned import read_record
from playground.tasks.finetune.rows import ROWS, read_split
from playground.tasks.sources import source_name
from playground.training.finetune.finetune_config import FinetuneConfig
from playground.training.run.metrics import read_metrics
from playground.training.run.paths import checkpoint_folders

TEXT_FIELDS = ("text", "sources")


def write_result_card(run: Path, out: Path, *, config: FinetuneConfig, step: int) -> None:
    """Write card.md beside an exported model."""
    sections = [_summary(run, config, step), _data(run, config), _settings(config, step), _measured(run)]
    (out / "card.md").write_text("\n".join(sections), encoding="utf-8")


def _summary(run: Path, config: FinetuneConfig, step: int) -> str:
    record = read_record(checkpoint_folders(run)[-1], run.name)
    labels = f" Labels: {', '.join(record.labels)}." if record.labels else ""
    return (
        f"# {config.base}, fine-tuned\n\n{config.base}{f' at {config.revision}' if config.revision else ''} (weights "
        f"sha256 {record.sha256}), fine-tuned for {step:,} steps on the task `{config.task_name}`.{labels}\n\n"
        "This file was written by `python -m playground`; every number in it was measured by the run.\n"
    )


def _data(run: Path, config: FinetuneConfig) -> str:
    split = read_split(run)
    digest = hashlib.sha256((run / ROWS).read_bytes()).hexdigest()
    values = {field.name: getattr(config.task, field.name) for field in dataclasses.fields(config.task)}
    settings = "; ".join(f"{k.replace('_', ' ')}: {v}" for k, v in values.items() if k not in TEXT_FIELDS)
    sources = ", ".join(map(source_name, config.task.sources)) or "built in, or typed in"
    return (
        f"## Data\n\n{len(split.train):,} texts to train on, {len(split.held_out):,} held out; no held-out text stands "
        f"in the training part. Sources: {sources}. The texts have the sha256 {digest}. ({settings})\n"
    )


def _settings(config: FinetuneConfig, step: int) -> str:
    parts = "; ".join(f"{k}: {v}" for k, v in dataclasses.asdict(config.parts).items())
    start = "Random weights in the base's architecture. " if config.from_scratch else ""
    return (
        f"## Settings\n\n{start}Trained: {parts}. {step:,} of {config.steps:,} steps of "
        f"{config.batch * config.accumulation} rows of at most {config.length} tokens. Optimiser {config.optimizer}, "
        f"learning rate {config.learning_rate:g} to {config.final_learning_rate:g} ({config.schedule}), warm-up "
        f"{config.warm_up}, layer-wise decay {config.layer_decay:g}, weight decay {config.weight_decay:g}, seed "
        f"{config.seed}, {config.precision}.\n"
    )


def _measured(run: Path) -> str:
    metrics, _ = read_metrics(run)
    names = list(metrics.evaluations)
    if not names:
        return "## Measures\n\nNothing was measured yet.\n"
    head = f"| step | {' | '.join(names)} |\n|{' --- |' * (len(names) + 1)}"
    rows = [
        f"| {int(step)} | {' | '.join(f'{metrics.evaluations[name][index]:.4f}' for name in names)} |"
        for index, step in enumerate(metrics.evaluation_steps)
    ]
    return "\n".join(["## Measures\n\nOn held-out texts; losses in nats.\n", head, *rows, ""])
