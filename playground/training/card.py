"""The card of a trained model: data, settings, tokens seen, held-out loss, its heads and a sample, all measured."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from playground.attention import handling
from playground.lens.capture import recorder_for
from playground.lens.facts import HeadFacts, head_facts
from playground.tasks.text import TextTask
from playground.tasks.writing import sample_text
from playground.training.config import TrainConfig
from playground.transformer import Transformer

PROMPT = "The old man looked at the sea and said"
SAMPLE_TOKENS = 160
FACT_ROWS = 16
STRONG = 0.3


def write_card(folder: Path, *, name: str, config: TrainConfig, task: TextTask, step: int) -> None:
    """Measure the exported weights and write card.md."""
    model = exported_model(folder, config)
    with torch.inference_mode():
        measures = task.evaluate(model, rows=None, length=config.model.context)
        facts = mean_facts(model, task, config)
        sample = sample_text(model, task.tokenizer, prompt=PROMPT, tokens=SAMPLE_TOKENS, seed=config.seed)
    sections = [
        _summary(name, config, step, model),
        _data(config, task),
        _settings(config, step),
        _measures(measures),
        _heads(facts),
        f"## Sample\n\nPrompt: “{PROMPT}”, temperature 0.8, seed {config.seed}.\n\n> {_quoted(sample)}\n",
    ]
    (folder / "card.md").write_text("\n".join(sections), encoding="utf-8")


def exported_model(folder: Path, config: TrainConfig) -> Transformer:
    """The model as it will be loaded: half-precision weights in float32 arithmetic."""
    model = Transformer(config.model)
    weights = {key: tensor.float() for key, tensor in load_file(folder / "model.safetensors").items()}
    model.load_state_dict(weights, strict=False)
    return model.eval().requires_grad_(False)


def mean_facts(model: Transformer, task: TextTask, config: TrainConfig) -> HeadFacts:
    """Head scores on rows in which a passage of random tokens stands twice (Olsson et al. 2022)."""
    generator = torch.Generator().manual_seed(0)
    length = min(64, config.model.context // 2)
    passes = []
    for _ in range(FACT_ROWS):
        passage = torch.randint(1, config.model.vocabulary, (length,), generator=generator)
        ids = torch.cat([torch.tensor([task.start]), passage, passage])
        recorder = recorder_for(model, "decoder", None)
        with handling(recorder):
            model(ids[None])
        passes.append(head_facts(recorder.sites, ids.tolist()))
    return HeadFacts(scores={name: np.mean([f[name] for f in passes], axis=0) for name in passes[0].scores})


def _summary(name: str, config: TrainConfig, step: int, model: Transformer) -> str:
    parameters = sum(parameter.numel() for parameter in model.parameters())
    shape = config.model
    return (
        f"# {name}\n\nA decoder of {shape.layers} layers x {shape.heads} heads, width {shape.width}, "
        f"context {shape.context}, vocabulary {shape.vocabulary}: {parameters:,} parameters in float16. "
        f"Trained by this project's own trainer for {step:,} steps. Licence: Apache-2.0.\n\n"
        "This file was written by `python -m playground export`; every number in it was measured on the weights "
        "beside it.\n"
    )


def _data(config: TrainConfig, task: TextTask) -> str:
    names = ", ".join(Path(source).name for source in config.task.sources)
    return (
        f"## Data\n\n{names}: {len(task.train_ids):,} tokens to train on; the last {config.task.held_out:.0%} of every "
        f"text held out ({len(task.held_out_ids):,} tokens, {task.held_out_bytes:,} bytes). The lines of a paragraph "
        f"were joined. The vocabulary is {config.task.vocabulary} with {config.model.vocabulary:,} tokens, trained on "
        f"the training part. In {config.task.repeats:.0%} of the rows a passage stands twice.\n"
    )


def _settings(config: TrainConfig, step: int) -> str:
    copying = ""
    if config.copying_steps:
        copying = (
            f"The first {config.copying_steps:,} steps trained on {config.copying_rows} rows each of random tokens in "
            "blocks that repeat, counting only the repeats (playground/tasks/copying.py), and no text. "
        )
    return (
        f"## Settings\n\n{step:,} steps of {config.batch} rows x {config.model.context} tokens. {copying}"
        f"{tokens_seen(config, step):,} tokens seen in all. "
        f"AdamW, learning rate {config.learning_rate:g} to {config.final_learning_rate:g} ({config.schedule} "
        f"over {config.steps:,} steps), "
        f"warm-up {config.warm_up}, betas {config.betas[0]:g} and {config.betas[1]:g}, weight decay "
        f"{config.weight_decay:g}, gradient clipped at {config.clip:g}, seed {config.seed}, one CPU thread.\n"
    )


def _measures(measures: dict[str, float]) -> str:
    return (
        f"## Held-out loss\n\n{measures['held_out_loss']:.4f} nats per token, "
        f"{measures['bits_per_byte']:.4f} bits per byte, on the whole held-out text.\n"
    )


def _heads(facts: HeadFacts) -> str:
    lines = ["## Heads\n", f"Scores on {FACT_ROWS} rows of random tokens that stand twice; counted from 0.\n"]
    for name, title in (("previous", "Previous-token heads"), ("induction", "Induction heads")):
        found = [row for row in facts.rows() if row[name] >= STRONG]
        found.sort(key=lambda row: -row[name])
        words = ", ".join(f"layer {row['layer']} head {row['head']} ({row[name]:.2f})" for row in found)
        lines.append(f"- {title} (at least {STRONG}): {words or 'none'}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return text.strip().replace("\n", "\n> ")
