"""Measure fine-tuning: `python -m benchmarks.finetune --texts FOLDER` writes results/finetune.json.

FOLDER holds books.zip and udhr.zip. Each task with three seeds, with majority and TF-IDF beside it; a LoRA step of
SmolLM2 beside one of peft in a plain loop, in turns; 60 such steps, and the adapter read by a fresh process.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.machine import RESULTS, measured_on
from playground.tasks.finetune.labels import LabelsConfig, read_labels
from playground.tasks.finetune.passages import PassagesConfig
from playground.training.finetune.finetune_config import FinetuneConfig
from playground.training.finetune.result import final_measures
from playground.training.finetune.trained_parts import TrainedParts
from playground.training.run.folder import run
from playground.training.trainer import start_state, take_step

SMOL = "smollm2-135m"
ROUNDS = 5
LORA_STEPS = 60
TEXT = (
    "The river runs past the mill and under the old stone bridge, and nobody remembers who built either of them. " * 120
)


def configurations(texts: Path) -> dict[str, FinetuneConfig]:
    """What is measured on labels."""
    authors = LabelsConfig(source="authors", sources=(str(texts / "books.zip"),), labels=2000)
    languages = LabelsConfig(source="languages", sources=(str(texts / "udhr.zip"),), passage=80)
    sentiment = LabelsConfig(source="sentiment", labels=2000)
    last = TrainedParts(method="last", layers=2)
    settings: dict[str, Any] = {"evaluate_rows": 500, "frames": 0, "evaluate_every": 10**6, "checkpoint_every": 10**6}
    return {
        "authors, books-encoder, head": FinetuneConfig(
            base="books-encoder",
            task=authors,
            parts=TrainedParts(method="head"),
            steps=300,
            batch=32,
            length=96,
            learning_rate=5e-3,
            **settings,
        ),
        "languages, books-encoder, all": FinetuneConfig(
            base="books-encoder",
            task=languages,
            parts=TrainedParts(method="all"),
            steps=400,
            length=64,
            learning_rate=5e-4,
            **settings,
        ),
        "opinions, MiniLM, last two layers": FinetuneConfig(
            base="all-minilm-l6-v2", task=sentiment, parts=last, steps=300, length=32, learning_rate=5e-4, **settings
        ),
        "200 labels, MiniLM, all": FinetuneConfig(
            base="all-minilm-l6-v2",
            task=replace(sentiment, labels=200),
            parts=TrainedParts(method="all"),
            steps=150,
            length=32,
            learning_rate=3e-4,
            **settings,
        ),
    }


def measure_labels(config: FinetuneConfig, seeds: list[int]) -> dict[str, Any]:
    """Accuracy and seconds of each seed, with the baselines on the same texts."""
    from playground.evaluation.baselines import baselines

    assert isinstance(config.task, LabelsConfig)
    split = read_labels(config.task)
    texts, labels = split.train.texts + split.held_out.texts, split.train.labels + split.held_out.labels
    found = baselines(texts, labels, [row < len(split.train) for row in range(len(texts))])
    right = split.held_out.labels
    runs = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            begun, used = time.perf_counter(), time.process_time()
            for _ in run(replace(config, seed=seed), Path(folder)):
                pass
            seconds = {"seconds": time.perf_counter() - begun, "cpu_seconds": time.process_time() - used}
            runs.append({"seed": seed, **seconds, **final_measures(Path(folder))})
    return {
        "train": len(split.train),
        "held_out": len(right),
        "majority": _share(found.majority, right),
        "tfidf": _share(found.tfidf, right),
        "accuracy": statistics.mean(run["accuracy"] for run in runs),
        "runs": runs,
    }


def _share(predicted: Sequence[str], right: Sequence[str]) -> float:
    return sum(a == b for a, b in zip(predicted, right, strict=True)) / len(right)


def _lora_config() -> FinetuneConfig:
    parts = TrainedParts(method="lora", rank=8, matrices=("query", "value"))
    return FinetuneConfig(base=SMOL, task=PassagesConfig(text=TEXT), parts=parts, length=512, batch=1, weight_decay=0.0)


def measure_lora_run() -> dict[str, Any]:
    """60 LoRA steps of 512 tokens, the peak of memory, and whether a fresh process gets the same bits of it."""
    from playground.models.adapters.peft_adapter import WEIGHTS
    from playground.training.finetune.peft_format import write_adapter

    config = _lora_config()
    begun, used = time.perf_counter(), time.process_time()
    task = config.prepare_task()
    state: Any = start_state(config, task)
    losses = [take_step(config, task, state, rate=1e-3).loss for _ in range(LORA_STEPS)]
    seconds, cpu = time.perf_counter() - begun, time.process_time() - used
    ids = task.probe(48).batch.ids
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        state.model.eval()
        torch.save({"ids": ids, "logits": state.model(ids)}, Path(folder) / "logits.pt")
        write_adapter(Path(folder), state.weights(), base=SMOL, rank=8, alpha=16.0, task_type="CAUSAL_LM")
        arguments = [sys.executable, "-c", FRESH, folder, SMOL, str(torch.get_num_threads())]
        fresh = subprocess.run(arguments, capture_output=True, text=True, check=True)
        size = (Path(folder) / WEIGHTS).stat().st_size
    return {
        "steps": LORA_STEPS,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "first_loss": losses[0],
        "last_loss": losses[-1],
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "adapter_bytes": size,
        "same_bits_in_a_fresh_process": fresh.stdout.strip() == "True",
    }


FRESH = """
import sys
from pathlib import Path
import torch
from playground.models import load
from playground.models.adapters.hub_model import HubModel, HubShape
from playground.training.finetune.peft_format import read_adapter
torch.set_num_threads(int(sys.argv[3]))
base = load(sys.argv[2], device="cpu", dtype="float32")
read_adapter(Path(sys.argv[1]), base.module)
kept = torch.load(Path(sys.argv[1]) / "logits.pt")
model = HubModel(base.module, HubShape(kind=base.kind, context=base.context, classes=0))
model.split_where_exact(kept["ids"])
with torch.no_grad():
    print(torch.equal(model.eval()(kept["ids"]), kept["logits"]))
"""


def measure_lora_step() -> dict[str, float]:
    """Median seconds of a LoRA step of 512 tokens, ours and peft's in turns."""
    config = _lora_config()
    task = config.prepare_task()
    state = start_state(config, task)
    theirs = _peft_step(task, config)
    times: dict[str, list[float]] = {"ours": [], "peft": []}
    steps: dict[str, Callable[[], object]] = {
        "ours": lambda: take_step(config, task, state, rate=1e-4),
        "peft": theirs,
    }
    for turn in range(ROUNDS + 1):
        for name in sorted(steps, reverse=bool(turn % 2)):
            begun = time.process_time()
            steps[name]()
            if turn:
                times[name].append(time.process_time() - begun)
    medians = {name: statistics.median(values) for name, values in times.items()}
    size = sum(tensor.nbytes for tensor in state.weights().values())
    return {**medians, "ratio": medians["ours"] / medians["peft"], "adapter_bytes": size}


def _peft_step(task: Any, config: FinetuneConfig) -> Callable[[], object]:
    """One step as a tutorial writes it: peft's LoRA, transformers' own loss, AdamW."""
    import numpy as np
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from playground.models import load

    base = AutoModelForCausalLM.from_pretrained(load(SMOL).folder, dtype=torch.float32)
    model = get_peft_model(base, LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"]))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
    generator = np.random.default_rng(0)

    def step() -> None:
        batch = task.batch(generator, rows=config.batch, length=config.length, step=1)
        labels = torch.cat([batch.ids[:, :1], batch.labels[:, :-1]], dim=1)
        optimizer.zero_grad()
        model(input_ids=batch.ids, labels=labels).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def main() -> None:
    """Measure what is asked for and write it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", help="parts of names")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS / "finetune.json")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    results: dict[str, Any] = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
    chosen = {
        name: config
        for name, config in configurations(arguments.texts).items()
        if not arguments.only or any(word in name for word in arguments.only)
    }
    for name, config in chosen.items():
        results[name] = measure_labels(config, arguments.seeds)
        if name.startswith("200 labels"):
            scratch = replace(config, from_scratch=True)
            results[f"{name}, from scratch"] = measure_labels(scratch, arguments.seeds)
        print(name, json.dumps(results[name]), flush=True)
    if not arguments.only or "lora" in arguments.only:
        results["LoRA, SmolLM2, 60 steps of 512 tokens"] = measure_lora_run()  # first: it states the peak of memory
        results["LoRA step, SmolLM2, 512 tokens"] = measure_lora_step()
    machine = measured_on("finetune", threads=arguments.threads, packages=("torch", "transformers", "peft"))
    arguments.out.write_text(json.dumps({**results, "machine": machine}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
