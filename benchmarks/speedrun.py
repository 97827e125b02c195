"""How soon a model of Shakespeare's characters reaches a validation loss of 1.88: `python -m benchmarks.speedrun FILE`.

FILE is tinyshakespeare (1.1 MB; https://github.com/karpathy/char-rnn, data/tinyshakespeare/input.txt). Three race on
one thread, each with several seeds: nanoGPT's model in a plain loop, with the recipe of its example for a laptop
without a GPU (github.com/karpathy/nanoGPT, README); our trainer with the same recipe; and the record, the preset
"speedrun" of the Train page. The clock stands still while a model is measured. Writes benchmarks/results/speedrun.json
and prints a table. Leave the machine alone meanwhile: it takes about twenty minutes.
"""

import argparse
import dataclasses
import hashlib
import json
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from benchmarks.contenders import NanoGPT
from benchmarks.machine import RESULTS, measured_on
from benchmarks.training import Stopwatch, plain_steps, seconds_of
from playground.jobs.malloc import keep_freed_memory
from playground.tasks.text import TextTask, TextTaskConfig, next_token_losses, prepare_text
from playground.training import TrainConfig, train
from playground.training.presets import PRESETS, config_for
from playground.training.trainer import seeded, start_state

TARGET = 1.88
"""Nats per character: what nanoGPT's README reports after 2,000 steps."""
EVERY = 50
"""Steps between two measurements; they begin at half of a recipe's steps."""
PACKAGES = ("torch", "numpy")


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One recipe in one trainer: how to begin, and what the model that learns is measured on."""

    config: TrainConfig
    steps: Iterator[float]
    """A loss for each step."""
    model: Callable[[Tensor], Tensor]
    rows: Int[Tensor, "row token"]
    skipped: int
    """Predictions at the beginning of each row that do not count: those without a character before them."""

    def validation_loss(self) -> float:
        """Mean surprisal of every held-out character that has one before it in its row, in nats."""
        with torch.no_grad():
            losses = [next_token_losses(self.model, rows).view(len(rows), -1) for rows in torch.split(self.rows, 32)]
        return float(torch.cat(losses)[:, self.skipped :].mean())


def nanogpt_recipe(source: Path) -> TrainConfig:
    """4 layers of width 128, AdamW, cosine; the schedule is stretched to where the loss is reached."""
    return config_for(
        _task(source),
        shape={
            "context": 64,
            "width": 128,
            "layers": 4,
            "n_heads": 4,
            "norm": "layer",
            "feed_forward": "gelu",
            "positions": "learned",
        },
        steps=2300,
        batch=12,
        learning_rate=1e-3,
        final_learning_rate=1e-4,
        warm_up=100,
        betas=(0.9, 0.99),
        weight_decay=0.1,
    )


def record_recipe(source: Path) -> TrainConfig:
    """The Train page's preset, on the file."""
    return dataclasses.replace(PRESETS["speedrun"](), task=_task(source))


def _task(source: Path) -> TextTaskConfig:
    return TextTaskConfig(
        sources=(str(source),), vocabulary="characters", vocabulary_size=128, held_out=0.1, unwrap=False
    )


def in_our_trainer(config: TrainConfig, task: TextTask) -> Contender:
    """Rows of our trainer begin with a start token, and the character behind it has none before it."""
    # The trainer's own evaluation, on the clock, is one row of the last step.
    config = dataclasses.replace(config, evaluate_every=config.steps, evaluate_rows=1)
    state = start_state(config, task)
    rows = _rows(task.held_out_ids, config.model.context)
    return Contender(
        config=config,
        steps=(step.loss for step in train(config, task, state=state)),
        model=state.model,
        rows=torch.cat([torch.full((len(rows), 1), task.start), rows], dim=1),
        skipped=1,
    )


def in_a_plain_loop(config: TrainConfig, task: TextTask) -> Contender:
    """nanoGPT's rows are characters only."""
    torch.manual_seed(config.seed)  # of its batches
    model = seeded(config.seed, lambda: NanoGPT(config.model))
    return Contender(
        config=config,
        steps=plain_steps(config, task, model, Stopwatch()),
        model=model,
        rows=_rows(task.held_out_ids, config.model.context + 1),
        skipped=0,
    )


def _rows(ids: np.ndarray, length: int) -> Int[Tensor, "row token"]:
    count = len(ids) // length
    return torch.from_numpy(ids[: count * length].reshape(count, length).astype(np.int64))


CONTENDERS: dict[str, tuple[Callable[[Path], TrainConfig], Callable[[TrainConfig, TextTask], Contender]]] = {
    "nanoGPT": (nanogpt_recipe, in_a_plain_loop),
    "nanoGPT's recipe, our trainer": (nanogpt_recipe, in_our_trainer),
    "speedrun, our trainer": (record_recipe, in_our_trainer),
}


def race(contender: Contender, *, target: float = TARGET, every: int = EVERY) -> dict[str, Any]:
    """Train until the loss is reached or the recipe's steps are done: seconds, steps, and the losses on the way."""
    seconds, done, losses = 0.0, 0, []
    while done < contender.config.steps:
        count = min(every, contender.config.steps - done)
        seconds += seconds_of(contender.steps, count)
        done += count
        if 2 * done < contender.config.steps:
            continue
        loss = contender.validation_loss()
        losses.append([done, round(seconds, 2), round(loss, 4)])
        if loss <= target:
            break
    return {"reached": losses[-1][2] <= target, "seconds": seconds, "steps": done, "losses": losses}


def measure(source: Path, *, seeds: int) -> dict[str, Any]:
    """Every contender's races, seed by seed; who begins changes with the seed."""
    races: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
    task = prepare_text(_task(source))
    for seed in range(seeds):
        names = list(CONTENDERS)
        for name in names[seed % len(names) :] + names[: seed % len(names)]:
            recipe, begin = CONTENDERS[name]
            found = race(begin(dataclasses.replace(recipe(source), seed=seed), task))
            print(name, seed, f"{found['seconds']:.1f} s", found["losses"][-1], flush=True)
            races[name].append({"seed": seed, **found})
    return {
        "data": {"name": source.name, "sha256": hashlib.sha256(source.read_bytes()).hexdigest()},
        "target": TARGET,
        "contenders": {name: {"recipe": _said(name, source), "races": races[name]} for name in CONTENDERS},
    }


def _said(name: str, source: Path) -> dict[str, Any]:
    """A contender's settings; the file's place on this machine is nobody's business."""
    recipe, _begin = CONTENDERS[name]
    found = recipe(source).to_dict()
    return {**found, "task": {**found["task"], "sources": [source.name]}}


def markdown(results: dict[str, Any]) -> str:
    """The table as the README holds it, and below it what it was measured on."""
    rows = [["Who", "Steps", f"Seconds to {results['target']:g}", "Times as fast"], ["---"] * 4]
    first = None
    for name, contender in results["contenders"].items():
        races = contender["races"]
        if not all(found["reached"] for found in races):
            rows.append([name, f"{races[0]['steps']:,}", "not reached", ""])
            continue
        seconds = statistics.median(found["seconds"] for found in races)
        first = seconds if first is None else first
        steps = statistics.median(found["steps"] for found in races)
        rows.append([name, f"{steps:,.0f}", f"{seconds:.0f}", f"{first / seconds:.2f}"])
    made, seeds = results["made"], max(len(contender["races"]) for contender in results["contenders"].values())
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    what = f"Medians over {seeds} seeds" if seeds > 1 else "One seed"
    return (
        f"{table}\n\n{what} of `{made['command']}` on {made['date'][:10]}: {made['cpu']}, {made['cores']} cores, "
        f"one torch thread; {versions}."
    )


def main() -> None:
    """Measure, write, and print the table."""
    parser = argparse.ArgumentParser(description="How soon a model of Shakespeare's characters reaches 1.88 nats.")
    parser.add_argument("source", type=Path, help="tinyshakespeare as a .txt file")
    parser.add_argument("--out", type=Path, default=RESULTS / "speedrun.json", help="where the JSON goes")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    head = measured_on("speedrun", threads=1, packages=PACKAGES)
    head["command"] = f"python -m benchmarks.speedrun {arguments.source.name}"
    results = {"made": head, **measure(arguments.source, seeds=arguments.seeds)}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(markdown(results))


if __name__ == "__main__":
    main()
