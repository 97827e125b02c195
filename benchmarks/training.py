"""Time a training step beside its peers, in one go: `python -m benchmarks.training`.

At four sizes our trainer against a peer of the same shape in a plain torch loop: nanoGPT's and nanochat's models, as
written in benchmarks/contenders.py, transformers' LlamaForCausalLM (sdpa attention) and torch.nn.TransformerEncoder
(norm first, causal). Both sides draw their rows from one text, clip, and step with the same fused AdamW; ours is
`playground.training.train` as the page runs it, the plain loop is that of nanoGPT. Contenders take turns, a few steps
each, so that whatever else the machine does falls on both; a ratio is the median over the turns. Of each side's time
the shares of drawing a batch and of the optimiser stand apart; the rest is the model, there and back, and clipping.
Writes benchmarks/results/training.json and prints a table. Leave the machine alone meanwhile: it takes some minutes.
"""

import argparse
import itertools
import json
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.contenders import PEERS, SIZES, Size
from benchmarks.machine import RESULTS, earlier, measured_on
from playground.jobs.malloc import keep_freed_memory
from playground.tasks.text import TextTask, TextTaskConfig
from playground.tasks.vocabulary import train_vocabulary
from playground.training import TrainConfig, train
from playground.training.optimizers import learning_rate, make_optimizer
from playground.training.sizes import product_flops
from playground.training.trainer import start_state

PACKAGES = ("torch", "transformers", "numpy")
CHARACTERS = [chr(0x4E00 + index) for index in range(512)]


def text_of(size: Size) -> TextTask:
    """A text of random characters, as many kinds as the vocabulary has, less the start and unknown tokens."""
    letters = CHARACTERS[: size.vocabulary - 2]
    config = TextTaskConfig(sources=("random",), vocabulary="characters", vocabulary_size=size.vocabulary)
    ids = np.random.default_rng(0).integers(2, size.vocabulary, 100_000).astype(np.uint16)
    return TextTask(
        config=config,
        tokenizer=train_vocabulary("characters", ["".join(letters)], size.vocabulary),
        train_ids=ids[:-5000],
        held_out_ids=ids[-5000:],
        held_out_bytes=5000,
    )


class Stopwatch:
    """Seconds spent in each part of a contender's steps."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the block's seconds to a part."""
        began = time.perf_counter()
        yield
        self.seconds[name] += time.perf_counter() - began  # type: ignore[assignment]  # a Counter of seconds

    def watch(self, optimizer: torch.optim.Optimizer) -> None:
        """Count the optimiser's steps."""
        began: list[float] = []
        optimizer.register_step_pre_hook(lambda *_: began.append(time.perf_counter()))
        optimizer.register_step_post_hook(lambda *_: self._stop(began))

    def _stop(self, began: list[float]) -> None:
        self.seconds["optimizer"] += time.perf_counter() - began.pop()  # type: ignore[assignment]


class WatchedTask:
    """A task that counts how long its batches take."""

    def __init__(self, task: TextTask, stopwatch: Stopwatch) -> None:
        self._task, self._stopwatch = task, stopwatch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)

    def batch(self, *arguments: Any, **options: Any) -> Any:
        """The task's batch."""
        with self._stopwatch.part("data"):
            return self._task.batch(*arguments, **options)


def our_steps(config: TrainConfig, task: TextTask, stopwatch: Stopwatch) -> Iterator[float]:
    """Our trainer, one loss per step."""
    watched: Any = WatchedTask(task, stopwatch)
    state = start_state(config, watched)
    stopwatch.watch(state.optimizer)
    return (step.loss for step in train(config, watched, state=state))


def plain_steps(config: TrainConfig, task: TextTask, model: Any, stopwatch: Stopwatch) -> Iterator[float]:
    """The plain loop with our schedule, one loss per step."""
    optimizer = make_optimizer(config, model)
    stopwatch.watch(optimizer)
    text = torch.from_numpy(task.train_ids.astype(np.int64))
    length = config.model.context
    for step in itertools.count(1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config, step)
        with stopwatch.part("data"):
            begins = torch.randint(len(text) - length, (config.batch,))
            ids = torch.stack([text[begin : begin + length] for begin in begins])
            labels = torch.stack([text[begin + 1 : begin + 1 + length] for begin in begins])
        optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(model(ids).flatten(0, 1), labels.flatten())
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), config.clip)
        optimizer.step()
        yield loss.item()


def measure_pair(size: Size, peer: str, *, turns: int, warm_up: int) -> dict[str, Any]:
    """Our trainer and one peer at one size: seconds per step, tokens per second, and the ratio between them."""
    shape, build = PEERS[peer]
    steps = 2 * warm_up + turns * size.steps + 1
    config = TrainConfig(
        task=text_of(size).config, model=shape(size), steps=steps, batch=size.rows, warm_up=0, evaluate_every=steps
    )
    task, model, watches = text_of(size), build(config.model), {"ours": Stopwatch(), peer: Stopwatch()}
    contenders = {
        "ours": our_steps(config, task, watches["ours"]),
        peer: plain_steps(config, task, model, watches[peer]),
    }
    for name, steps_of in contenders.items():
        seconds_of(steps_of, warm_up)
        watches[name].seconds.clear()
    seconds = _take_turns(contenders, turns, size.steps)
    assert _matrices(model) == _matrices(start_state(config).model), "the two have not the same shape"
    return {
        "parameters": sum(parameter.numel() for parameter in start_state(config).model.parameters()),
        "tokens": size.rows * size.context,
        "operations": 3 * size.rows * sum(product_flops(config.model, size.context).values()),
        "seconds": {name: statistics.median(times) for name, times in seconds.items()},
        "ratio": statistics.median(theirs / ours for ours, theirs in zip(seconds["ours"], seconds[peer], strict=True)),
        "shares": {name: _shares(watches[name], sum(times) * size.steps) for name, times in seconds.items()},
        "turns": seconds,
    }


def _shares(stopwatch: Stopwatch, seconds: float) -> dict[str, float]:
    """Of a contender's seconds, the share of each part; what is left is the model's."""
    parts = {name: stopwatch.seconds[name] / seconds for name in ("data", "optimizer")}
    return {**parts, "model": 1 - sum(parts.values())}


def _take_turns(contenders: dict[str, Iterator[float]], turns: int, steps: int) -> dict[str, list[float]]:
    """Seconds per step of each contender's turns; who begins alternates."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(turns):
        names = list(contenders) if turn % 2 == 0 else list(contenders)[::-1]
        for name in names:
            seconds[name].append(seconds_of(contenders[name], steps) / steps)
    return seconds


def seconds_of(steps: Iterator[float], count: int) -> float:
    """How long the next steps take together."""
    began = time.perf_counter()
    for _ in range(count):
        next(steps)
    return time.perf_counter() - began


def _matrices(model: Any) -> int:
    """Numbers in all matrices: nanochat's norms have no weights, its feed-forward layers no biases."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.ndim > 1)


def product_peak(*, rounds: int = 7) -> float:
    """Operations per second of this machine's best large float32 matrix product, same threads."""
    best = 0.0
    for side in (512, 1024, 2048):
        a, b = torch.randn(side, side), torch.randn(side, side)
        for _ in range(rounds):
            began = time.perf_counter()
            torch.mm(a, b)
            best = max(best, 2 * side**3 / (time.perf_counter() - began))
    return best


def measure(*, turns: int, warm_up: int) -> dict[str, Any]:
    """Every size against every peer, and the peak that they are held against."""
    peak = product_peak()
    sizes = {
        size.name: {peer: measure_pair(size, peer, turns=turns, warm_up=warm_up) for peer in PEERS} for size in SIZES
    }
    return {"peak": max(peak, product_peak()), "sizes": sizes}


def table(results: dict[str, Any], before: dict[str, Any]) -> str:
    """A line for each size and peer: tokens per second of both, the ratio here and before, shares of the peak."""
    headings = [
        *("Parameters", "Against", "Ours, tokens/s", "Theirs, tokens/s", "Times as fast"),
        f"On {before['made']['cpu']}, {before['made']['date'][:10]}",
        *("Ours, share of peak", "Theirs"),
    ]
    rows = [headings, ["---"] * len(headings)]
    for size, pairs in results["sizes"].items():
        for peer, pair in pairs.items():
            ours, theirs = pair["seconds"]["ours"], pair["seconds"][peer]
            shares = [pair["operations"] / seconds / results["peak"] for seconds in (ours, theirs)]
            rates = [f"{pair['tokens'] / seconds:,.0f}" for seconds in (ours, theirs)]
            there = before["sizes"].get(size, {}).get(peer)
            ratios = [f"{pair['ratio']:.2f}", f"{there['ratio']:.2f}" if there else ""]
            rows.append([f"{pair['parameters']:,}", peer, *rates, *ratios, *(f"{share:.0%}" for share in shares)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def shares_table(results: dict[str, Any]) -> str:
    """A line for each size and contender: the shares of data, model and optimiser in a step."""
    lines = ["| Parameters | Who | Data | Model | Optimiser |", "| --- | --- | --- | --- | --- |"]
    for pairs in results["sizes"].values():
        for pair in pairs.values():
            for name, shares in pair["shares"].items():
                cells = [f"{shares[part]:.1%}" for part in ("data", "model", "optimizer")]
                lines.append(f"| {pair['parameters']:,} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def markdown(results: dict[str, Any], before: dict[str, Any]) -> str:
    """The table as the README holds it, and below it what it was measured on."""
    made = results["made"]
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    threads = "one torch thread" if made["threads"] == 1 else f"{made['threads']} torch threads"
    return (
        f"{table(results, before)}\n\nMedians of `{made['command']}` on {made['date'][:10]}: {made['cpu']}, "
        f"{made['cores']} cores, no GPU, {threads}; {versions}. The peak is the best large matrix product of the same "
        f"machine, {results['peak'] / 1e9:.0f} GFLOP/s."
    )


def main() -> None:
    """Measure, write, and print the table."""
    parser = argparse.ArgumentParser(description="Time a training step beside its peers.")
    parser.add_argument("--quick", action="store_true", help="a few turns only, to see that it works")
    parser.add_argument("--out", type=Path, default=RESULTS / "training.json", help="where the JSON goes")
    parser.add_argument("--threads", type=int, default=1, help="torch's threads, one as a run has them")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    keep_freed_memory()
    torch.manual_seed(0)
    turns, warm_up = (3, 1) if arguments.quick else (31, 5)
    head = {**measured_on("training", threads=arguments.threads, packages=PACKAGES), "quick": arguments.quick}
    results = {"made": head, **measure(turns=turns, warm_up=warm_up)}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(table(results, earlier("training")), shares_table(results), sep="\n\n")


if __name__ == "__main__":
    main()
