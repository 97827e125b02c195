"""Measure taking a model apart: every single head of SmolLM2 ablated on 32 tokens, `python -m benchmarks.lens`.

Three ways, in turn over several rounds: one full pass for each head (naive), batched with the lower layers' work
reused (ours). Each gives the change of loss, the KL divergence and the change of one logit for all 270 heads; the
largest difference between the ways is written beside the seconds. Writes benchmarks/results/lens.json.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.english import english, tokenizer_of
from benchmarks.machine import RESULTS, measured_on
from benchmarks.table import DECODER

TOKENS = 32
PACKAGES = ("torch", "transformers")


def measure(*, rounds: int, threads: int) -> dict[str, Any]:
    """The seconds of each way in each round, their ratio, and how far their results are apart."""
    import torch

    from playground import load
    from playground.lens.intervene.ablation import Experiment, ablate_heads, prepare

    torch.set_num_threads(threads)
    model = load(DECODER, device="cpu", dtype="float32")
    text = english(tokenizer_of(str(model.folder)), TOKENS)
    experiment: Experiment = prepare(model, text)
    ways: dict[str, Callable[[], Any]] = {
        "naive": lambda: naive(experiment),
        "ours": lambda: _tables(ablate_heads(experiment)),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    results: dict[str, Any] = {}
    for number in range(rounds):
        for name, way in ways.items():
            started = perf_counter()
            results[name] = way()
            seconds[name].append(perf_counter() - started)
            print(f"round {number + 1}: {name} {seconds[name][-1]:.1f} s", file=sys.stderr)
    ratios = [slow / fast for slow, fast in zip(seconds["naive"], seconds["ours"], strict=True)]
    return {
        "made": measured_on("lens", threads=threads, packages=PACKAGES),
        "model": DECODER,
        "tokens": len(experiment.clean.encoded.tokens),
        "heads": int(results["ours"]["loss"].size),
        "seconds": seconds,
        "ratio": statistics.median(ratios),
        "ratios": ratios,
        "largest_difference": {
            name: float(abs(results["naive"][name] - results["ours"][name]).max()) for name in results["ours"]
        },
        "largest": {name: float(abs(results["naive"][name]).max()) for name in results["ours"]},
    }


def naive(experiment: Any) -> dict[str, Any]:
    """One full pass for each head, with the head set to zero at the seam, written down without our lens."""
    import numpy as np
    import torch
    from torch.nn import functional

    from playground import attention
    from playground.attention import AttentionCall, handling

    model, clean = experiment.model, experiment.clean.logits
    ids = torch.tensor(experiment.clean.encoded.ids)
    position, token = experiment.watched.position, experiment.watched.token
    log_clean = clean.log_softmax(-1)
    modules = [block.attention.module for block in experiment.clean.parts.stack if block.attention is not None]
    found: dict[str, list[list[float]]] = {"loss": [], "divergence": [], "logit": []}
    clean_loss = float(functional.cross_entropy(clean[:-1], ids[1:]))
    for module in modules:
        rows: dict[str, list[float]] = {name: [] for name in found}
        for head in range(model.n_heads):

            def handler(call: AttentionCall, module: Any = module, head: int = head) -> torch.Tensor:
                z = attention.z(call)
                if call.module is module:
                    z[:, head] = 0
                return z

            with torch.inference_mode(), handling(handler):
                logits = model.module(input_ids=ids[None], use_cache=False).logits[0]
            rows["loss"].append(float(functional.cross_entropy(logits[:-1], ids[1:])) - clean_loss)
            changed = logits.log_softmax(-1)
            divergence = functional.kl_div(changed, log_clean, log_target=True, reduction="sum") / len(ids)
            rows["divergence"].append(float(divergence))
            rows["logit"].append(float(logits[position, token] - clean[position, token]))
        for name in found:
            found[name].append(rows[name])
    return {name: np.array(table) for name, table in found.items()}


def _tables(found: Any) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ("loss", "divergence", "logit")}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description="Measure ablating every head of SmolLM2, batched and one by one.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2, help="torch's threads")
    parser.add_argument("--out", type=Path, default=RESULTS / "lens.json", help="where the JSON goes")
    arguments = parser.parse_args()
    results = measure(rounds=arguments.rounds, threads=arguments.threads)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps({name: results[name] for name in ("ratio", "ratios", "largest_difference", "largest")}, indent=1))


if __name__ == "__main__":
    main()
