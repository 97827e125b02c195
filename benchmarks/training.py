"""Time a training step beside its peers, in one go: `python -m benchmarks.training`.

At four sizes, and for two shapes, our trainer against the same model in a plain torch loop: the shape of Llama
against transformers' LlamaForCausalLM (sdpa attention), and the shape of GPT-2 against torch.nn.TransformerEncoder
(norm first, causal). Both sides draw their rows from one text, clip, and step with the same fused AdamW; ours is
`playground.training.train` as the page runs it, the plain loop is that of nanoGPT. Contenders take turns, a few steps
each, so that whatever else the machine does falls on both; a ratio is the median over the turns. Writes
benchmarks/results/training.json and prints a table. Leave the machine alone meanwhile: it takes some minutes.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.machine import RESULTS, measured_on
from playground.jobs.malloc import keep_freed_memory
from playground.tasks.text import TextTask, TextTaskConfig
from playground.tasks.vocabulary import train_vocabulary
from playground.training import TrainConfig, train
from playground.training.optimizers import make_optimizer
from playground.training.sizes import product_flops
from playground.training.trainer import start_state
from playground.transformer import TransformerConfig

PACKAGES = ("torch", "transformers", "numpy")
CHARACTERS = [chr(0x4E00 + index) for index in range(512)]


@dataclass(frozen=True, kw_only=True)
class Size:
    """A size by its name; rows of one context make a batch of one to two thousand tokens."""

    name: str
    vocabulary: int
    context: int
    rows: int
    width: int
    layers: int
    heads: int
    hidden: int
    steps: int
    """How many steps are one turn."""


SIZES = (
    Size(name="10k", vocabulary=64, context=64, rows=16, width=32, layers=1, heads=2, hidden=48, steps=30),
    Size(name="100k", vocabulary=128, context=64, rows=16, width=64, layers=2, heads=4, hidden=172, steps=10),
    Size(name="800k", vocabulary=256, context=64, rows=16, width=128, layers=4, heads=4, hidden=344, steps=3),
    Size(name="3M", vocabulary=512, context=128, rows=16, width=256, layers=4, heads=4, hidden=688, steps=1),
)


def llama_shape(size: Size) -> TransformerConfig:
    """RMS norm, rotary positions, SwiGLU, no biases."""
    return TransformerConfig(
        vocabulary=size.vocabulary,
        context=size.context,
        width=size.width,
        layers=size.layers,
        n_heads=size.heads,
        hidden=size.hidden,
    )


def gpt2_shape(size: Size) -> TransformerConfig:
    """Layer norm, learned positions, GELU, biases; the hidden layer is wider, so that the parameters stay as many."""
    return replace(
        llama_shape(size),
        hidden=size.hidden * 3 // 2,
        norm="layer",
        positions="learned",
        feed_forward="gelu",
        bias=True,
    )


def llama_peer(shape: TransformerConfig) -> Callable[[Tensor], Tensor]:
    """The same shape from a transformers config; ids to logits."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.hidden_width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.n_heads,
        num_key_value_heads=shape.n_key_value_heads,
        max_position_embeddings=shape.context,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        attn_implementation="sdpa",
    )
    return _Logits(LlamaForCausalLM(config).train())


class _Logits(nn.Module):
    """A model of transformers as ids to logits."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, ids: Tensor) -> Tensor:
        logits: Tensor = self.inner(input_ids=ids, use_cache=False).logits
        return logits


class EncoderPeer(nn.Module):
    """The same shape from torch.nn.TransformerEncoder, with a causal mask; ids to logits."""

    def __init__(self, shape: TransformerConfig) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            shape.width, shape.n_heads, shape.hidden_width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.position = nn.Embedding(shape.context, shape.width)
        self.encoder = nn.TransformerEncoder(layer, shape.layers, nn.LayerNorm(shape.width), enable_nested_tensor=False)
        self.head = nn.Linear(shape.width, shape.vocabulary, bias=False)
        self.head.weight = self.embedding.weight
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(shape.context), persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        embedded = self.embedding(ids) + self.position.weight[: ids.shape[1]]
        logits: Tensor = self.head(self.encoder(embedded, mask=self.mask, is_causal=True))
        return logits


PAIRS: dict[str, tuple[Callable[[Size], TransformerConfig], Callable[[TransformerConfig], Callable[..., Tensor]]]] = {
    "transformers": (llama_shape, llama_peer),
    "torch.nn.TransformerEncoder": (gpt2_shape, EncoderPeer),
}


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


def our_steps(config: TrainConfig, task: TextTask) -> Iterator[float]:
    """Our trainer, one loss per step."""
    return (step.loss for step in train(config, task))


def plain_steps(config: TrainConfig, task: TextTask, model: Any) -> Iterator[float]:
    """The plain loop, one loss per step."""
    optimizer = make_optimizer(config, model)
    text = torch.from_numpy(task.train_ids.astype(np.int64))
    length = config.model.context
    while True:
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
    shape, build = PAIRS[peer]
    steps = 2 * warm_up + turns * size.steps + 1
    config = TrainConfig(
        task=text_of(size).config, model=shape(size), steps=steps, batch=size.rows, warm_up=0, evaluate_every=steps
    )
    task, model = text_of(size), build(config.model)
    contenders = {"ours": our_steps(config, task), peer: plain_steps(config, task, model)}
    for steps_of in contenders.values():
        _seconds(steps_of, warm_up)
    seconds = _take_turns(contenders, turns, size.steps)
    parameters = _parameters(model)
    assert parameters == _parameters(start_state(config).model), "the two have not the same shape"
    return {
        "parameters": parameters,
        "tokens": size.rows * size.context,
        "operations": 3 * size.rows * sum(product_flops(config.model, size.context).values()),
        "seconds": {name: statistics.median(times) for name, times in seconds.items()},
        "ratio": statistics.median(theirs / ours for ours, theirs in zip(seconds["ours"], seconds[peer], strict=True)),
        "turns": seconds,
    }


def _take_turns(contenders: dict[str, Iterator[float]], turns: int, steps: int) -> dict[str, list[float]]:
    """Seconds per step of each contender's turns; who begins alternates."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(turns):
        names = list(contenders) if turn % 2 == 0 else list(contenders)[::-1]
        for name in names:
            seconds[name].append(_seconds(contenders[name], steps) / steps)
    return seconds


def _seconds(steps: Iterator[float], count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        next(steps)
    return time.perf_counter() - began


def _parameters(model: Any) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


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
        size.name: {peer: measure_pair(size, peer, turns=turns, warm_up=warm_up) for peer in PAIRS} for size in SIZES
    }
    return {"peak": max(peak, product_peak()), "sizes": sizes}


def table(results: dict[str, Any]) -> str:
    """A line for each size and peer: tokens per second of both, the ratio, and the share of the peak."""
    lines = [
        "| Parameters | Against | Ours, tokens/s | Theirs, tokens/s | Times as fast | Ours, share of peak | Theirs |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for pairs in results["sizes"].values():
        for peer, pair in pairs.items():
            ours, theirs = pair["seconds"]["ours"], pair["seconds"][peer]
            shares = [pair["operations"] / seconds / results["peak"] for seconds in (ours, theirs)]
            rates = [f"{pair['tokens'] / seconds:,.0f}" for seconds in (ours, theirs)]
            cells = [f"{pair['parameters']:,}", peer, *rates, f"{pair['ratio']:.2f}", *(f"{s:.0%}" for s in shares)]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def markdown(results: dict[str, Any]) -> str:
    """The table as the README holds it, and below it what it was measured on."""
    conditions = results["made"]
    versions = ", ".join(f"{name} {version}" for name, version in conditions["versions"].items())
    threads = "one torch thread" if conditions["threads"] == 1 else f"{conditions['threads']} torch threads"
    return (
        f"{table(results)}\n\nMedians of `{conditions['command']}` on {conditions['date'][:10]}: {conditions['cpu']}, "
        f"{conditions['cores']} cores, no GPU, {threads}; {versions}. The peak is the best "
        f"large matrix product of the same machine, {results['peak'] / 1e9:.0f} GFLOP/s."
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
    print(table(results))


if __name__ == "__main__":
    main()
