"""One forward pass: plain, captured by the lens, and the usual way (eager, with all maps kept).

Each method runs in a process of its own (`python -m benchmarks.forward METHOD MODEL`), the methods in turn over
several rounds, so that a machine that slows down slows all of them down. Seconds are medians. A pass's peak is
what the kernel calls VmHWM, the most memory resident at once: it is set back by writing 5 to
/proc/self/clear_refs after loading and warming up, so it counts the model and the pass, but not the loading.
"""

import argparse
import ctypes
import gc
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.english import english, tokenizer_of
from benchmarks.table import DECODER, ENCODER

ROOT = Path(__file__).resolve().parents[1]
COUNTS = (64, 256, 1024)
PAINTED = (64, 256, 1000)
WARM_UP_TOKENS = 32
EXTRA_REPETITIONS = 3

Seconds = dict[str, float]
Run = Callable[[str], Seconds]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What one process does: a method (plain, capture, eager) on texts of these numbers of tokens."""

    method: str
    model: str
    counts: tuple[int, ...]


def tasks() -> list[Task]:
    """The methods side by side, and the plain passes that the painted pictures are held against."""
    return [
        Task(method="plain", model=DECODER, counts=tuple(sorted({*COUNTS, *PAINTED}))),
        Task(method="capture", model=DECODER, counts=COUNTS),
        Task(method="eager", model=DECODER, counts=COUNTS),
        Task(method="plain", model=ENCODER, counts=(64, 256)),
    ]


def measure_forward(*, rounds: int, repetitions: int, threads: int) -> dict[str, Any]:
    """Run every task once a round, each in a fresh process; medians over the rounds, and ratios of each round."""
    passes: dict[str, list[dict[str, Any]]] = {}
    for number in range(rounds):
        for task in tasks():
            print(f"forward, round {number + 1}: {task.method} {task.model}", file=sys.stderr)
            name = f"{task.method} {task.model}"
            passes.setdefault(name, []).append(run_task(task, repetitions=repetitions, threads=threads))
    plain, methods = passes[f"plain {DECODER}"], ("capture", "eager")
    ratios = {method: _ratios(passes[f"{method} {DECODER}"], plain) for method in methods}
    medians = {name: median_of(runs) for name, runs in passes.items()}
    return {"rounds": rounds, "repetitions": repetitions, "medians": medians, "ratios": ratios, "passes": passes}


def run_task(task: Task, *, repetitions: int, threads: int) -> dict[str, Any]:
    """One task in a process of its own: base_bytes, and by number of tokens the seconds and peak_bytes."""
    command = [sys.executable, "-m", "benchmarks.forward", task.method, task.model]
    command += ["--repetitions", str(repetitions), "--threads", str(threads), "--counts", *map(str, task.counts)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def median_of(runs: Sequence[Any]) -> Any:
    """The median of numbers, or of each entry of dictionaries with the same keys.

    >>> median_of([{"a": 1, "b": {"c": 5}}, {"a": 3, "b": {"c": 7}}, {"a": 2, "b": {"c": 6}}])
    {'a': 2, 'b': {'c': 6}}
    """
    if isinstance(runs[0], dict):
        return {key: median_of([run[key] for run in runs]) for key in runs[0]}
    return statistics.median(runs)


def _ratios(method: list[dict[str, Any]], plain: list[dict[str, Any]]) -> dict[str, Seconds]:
    """How many times the plain pass's time and memory, by number of tokens: the median of each round's ratio."""
    pairs = list(zip(method, plain, strict=True))
    return {
        str(count): {
            name: statistics.median(ours[str(count)][name] / theirs[str(count)][name] for ours, theirs in pairs)
            for name in ("seconds", "peak_bytes")
        }
        for count in COUNTS
    }


# What follows runs in the process of one task.


def plain(model: str, implementation: str = "sdpa", **wanted: bool) -> tuple[Run, None]:
    """A pass of the model as transformers builds it; the ids are ready before the clock starts."""
    import torch

    from playground.lens.capture.tokens import encode
    from playground.models.adapters.transformers import forward_parameters

    module, tokenizer = _transformers_model(model, implementation)
    defaults = {"use_cache": False, "logits_to_keep": 1}
    options = {name: value for name, value in defaults.items() if name in forward_parameters(module)}

    def run(text: str) -> Seconds:
        ids = torch.tensor([[token.id for token in encode(tokenizer, text)]])
        started = perf_counter()
        with torch.inference_mode():
            kept = module(input_ids=ids, **options, **wanted)
        seconds = perf_counter() - started
        del kept
        return {"seconds": seconds}

    return run, None


def eager(model: str) -> tuple[Run, None]:
    """The usual way: eager attention, which returns every layer's maps."""
    return plain(model, "eager", output_attentions=True)


def capture(model: str) -> tuple[Run, Run]:
    """Our trace, which tokenizes too, and its overview; and apart from them what is asked of a trace later."""
    from playground import load, trace

    loaded = load(model, device="cpu", dtype="float32")

    def run(text: str) -> Seconds:
        started = perf_counter()
        traced = trace(loaded, text)
        captured = perf_counter()
        traced.overview()
        ended = perf_counter()
        return {
            "trace_seconds": captured - started,
            "overview_seconds": ended - captured,
            "seconds": ended - started,
        }

    def ask(text: str) -> Seconds:
        traced = trace(loaded, text)
        questions: dict[str, Callable[[], object]] = {
            "one_head_seconds": lambda: traced.attention(len(traced.sites) // 2, 0),
            "head_scores_seconds": traced.head_scores,
            "check_seconds": traced.check,
        }
        return {name: _median_seconds(question) for name, question in questions.items()}

    return run, ask


def eager_maps(model: str, count: int) -> tuple[list[str], list[Any], float]:
    """The tokens of a text, the maps [1, head, query, key] of every layer as eager returns them, and the seconds."""
    import torch

    from playground.lens.capture.tokens import encode

    module, tokenizer = _transformers_model(model, "eager")
    tokens = encode(tokenizer, english(tokenizer, count))
    ids = torch.tensor([[token.id for token in tokens]])
    with torch.inference_mode():
        module(input_ids=ids[:, :WARM_UP_TOKENS])
        started = perf_counter()
        maps = module(input_ids=ids, output_attentions=True).attentions
        seconds = perf_counter() - started
    return [token.text for token in tokens], list(maps), seconds


METHODS: dict[str, Callable[[str], tuple[Run, Run | None]]] = {"plain": plain, "capture": capture, "eager": eager}


def perform(task: Task, repetitions: int) -> dict[str, Any]:
    """Load, warm up, and take each number of tokens: first one pass for its memory, then those for their time."""
    from playground.models.download_progress import never_cancelled, no_download_progress
    from playground.models.loading import find_folder

    folder = find_folder(task.model, None, no_download_progress, never_cancelled)
    tokenizer = tokenizer_of(str(folder))
    run, ask = METHODS[task.method](task.model)
    for _ in range(2):
        run(english(tokenizer, min(WARM_UP_TOKENS, *task.counts)))
    forget_peak()
    result: dict[str, Any] = {"base_bytes": memory_bytes("VmRSS")}
    for count in sorted(task.counts):
        text = english(tokenizer, count)
        forget_peak()
        run(text)
        peak = memory_bytes("VmHWM")
        measured = median_of([run(text) for _ in range(repetitions)])
        result[str(count)] = {**measured, **(ask(text) if ask else {}), "peak_bytes": peak}
    return result


def forget_peak() -> None:
    """Give freed memory back to the kernel, and let the peak start again from what is left."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def memory_bytes(name: str) -> int:
    """A line of /proc/self/status that is given in kB, such as VmRSS or VmHWM."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def _transformers_model(model: str, implementation: str) -> tuple[Any, Any]:
    import torch
    import transformers

    from playground.models.download_progress import never_cancelled, no_download_progress
    from playground.models.loading import find_folder

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    folder = find_folder(model, None, no_download_progress, never_cancelled)
    architecture = json.loads((folder / "config.json").read_text())["architectures"][0]
    automatic = transformers.AutoModel
    if architecture.endswith(("ForCausalLM", "LMHeadModel")):
        automatic = transformers.AutoModelForCausalLM
    module = automatic.from_pretrained(folder, dtype=torch.float32, attn_implementation=implementation)
    return module.eval(), tokenizer_of(str(folder))


def _median_seconds(question: Callable[[], object]) -> float:
    seconds = []
    for _ in range(EXTRA_REPETITIONS):
        started = perf_counter()
        question()
        seconds.append(perf_counter() - started)
    return statistics.median(seconds)


def main() -> None:
    """Perform one task and print what came out as one line of JSON."""
    parser = argparse.ArgumentParser(description="Measure one way of running one forward pass.")
    parser.add_argument("method", choices=sorted(METHODS))
    parser.add_argument("model", help="a catalogue name or a local folder")
    parser.add_argument("--counts", type=int, nargs="+", default=list(COUNTS))
    parser.add_argument("--repetitions", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    import torch

    torch.set_num_threads(arguments.threads)
    task = Task(method=arguments.method, model=arguments.model, counts=tuple(arguments.counts))
    print(json.dumps(perform(task, arguments.repetitions)))


if __name__ == "__main__":
    main()
