"""The card of an exported model: data, settings, measures, heads and samples, all measured on its weights."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from playground.attention import handling
from playground.lens.capture.recorder import recorder_for
from playground.lens.capture.site import Site
from playground.lens.inspect.head_scores import HeadScores, score_heads
from playground.tasks.held_out import facts_of, write_facts
from playground.tasks.registry import task_kind_of
from playground.tasks.sources import source_name
from playground.tasks.task import (
    AnswerSample,
    Batch,
    MaskedSample,
    Probe,
    Sample,
    SpectrumSample,
    Task,
    TextSample,
)
from playground.tasks.text import TextTask
from playground.training.config import TrainConfig
from playground.training.run.lineage import Chapter, changed_fields
from playground.transformer import Transformer

N_ROWS = 16
MAX_PASSAGE = 64
"""Tokens of the passage that occurs twice in a row."""


def attention_sites(model: Transformer, batch: Batch) -> list[Site]:
    """The attention calls of one forward pass."""
    recorder = recorder_for(model, None if model.config.kind == "encoder-decoder" else model.config.kind, None)
    with torch.inference_mode(), handling(recorder):
        model.read(batch.ids, batch.target_ids, segments=batch.segments, mask=batch.mask)
    return recorder.sites


def repeat_scores(model: Transformer, task: Task) -> HeadScores:
    """A decoder's head scores on rows in which a passage of random tokens occurs twice (Olsson et al. 2022)."""
    generator = torch.Generator().manual_seed(0)
    length = max(1, min(MAX_PASSAGE, (model.config.context - 1) // 2))
    tokens = task.tokenizer.get_vocab_size()
    passes = []
    for _ in range(N_ROWS):
        passage = torch.randint(1, tokens, (length,), generator=generator)
        ids = torch.cat([torch.tensor([0]), passage, passage])
        passes.append(score_heads(attention_sites(model, Batch(ids=ids[None])), ids.tolist()))
    return _mean_scores(passes)


def _mean_scores(passes: Iterable[HeadScores]) -> HeadScores:
    tables = list(passes)
    return HeadScores(scores={name: np.mean([scores[name] for scores in tables], axis=0) for name in tables[0].scores})


def alignment_shares(model: Transformer, probe: Probe) -> list[list[float]]:
    """The share of gold pairs on which a cross-attention head puts its largest weight, [layer][head].

    If every target position has one gold pair, this is 1 - the alignment error rate (Och and Ney 2003).
    """
    pairs = torch.tensor(probe.alignment)
    cross = [site for site in attention_sites(model, probe.batch) if site.kind == "cross"]
    return [_gold_shares(site.pattern(slice(None), slice(None)), pairs) for site in cross]


def _gold_shares(weights: Tensor, pairs: Tensor) -> list[float]:
    largest = weights[:, pairs[:, 0]].argmax(-1)
    shares: list[float] = (largest == pairs[:, 1]).float().mean(-1).tolist()
    return shares


EVALUATION_ROWS = 256
STRONG_SCORE = 0.3
N_FREQUENCIES = 5


def write_card(
    folder: Path,
    *,
    name: str,
    config: TrainConfig,
    task: Task,
    step: int,
    tokens: int,
    licence: str | None,
    earlier: Sequence[Chapter] = (),
) -> None:
    """Measure the exported weights and write card.md; `earlier` are the chapters that a forked run descends from."""
    model = exported_model(folder, config)
    measures = card_measures(config, task, model)
    if isinstance(task, TextTask):
        write_facts(folder, facts_of(task, measures))
    with torch.inference_mode():
        sections = [
            _summary(name, config, step, model, licence),
            _data(config, task),
            _settings(config, step, tokens),
            _earlier(config, earlier),
            _measured(task, measures),
            _heads(task, model),
            _samples(task.samples(model)),
        ]
    (folder / "card.md").write_text("\n".join(filter(None, sections)), encoding="utf-8")


def exported_model(folder: Path, config: TrainConfig) -> Transformer:
    """The model as `load` will give it: half-precision weights in float32 arithmetic."""
    model = Transformer(config.model)
    weights = {key: tensor.float() for key, tensor in load_file(folder / "model.safetensors").items()}
    model.load_state_dict(weights, strict=False)
    return model.eval().requires_grad_(False)


def _summary(name: str, config: TrainConfig, step: int, model: Transformer, licence: str | None) -> str:
    parameters = sum(parameter.numel() for parameter in model.parameters())
    shape = config.model
    stacks = f"{shape.layers} + {shape.layers}" if shape.kind == "encoder-decoder" else f"{shape.layers}"
    article = "A" if shape.kind == "decoder" else "An"
    return (
        f"# {name}\n\n{article} {shape.kind} of {stacks} layers x {shape.n_heads} heads, width {shape.width}, "
        f"context {shape.context}, vocabulary {shape.vocabulary}: {parameters:,} parameters in float16. "
        f"Trained by this project's own trainer for {step:,} steps.{f' Licence: {licence}.' if licence else ''}\n\n"
        "This file was written by `python -m playground export`; every number in it was measured on the weights "
        "beside it.\n"
    )


def _data(config: TrainConfig, task: Task) -> str:
    kind = task_kind_of(config.task)
    source = _text_source(task) if isinstance(task, TextTask) else ""
    return (
        f"## Data\n\nTask `{kind.name}`. Correct is: {kind.right[0].lower()}{kind.right[1:]} {source}"
        f"({_fields(config.task, without=('text',))})\n"
    )


JOINED = {
    True: "The lines of a paragraph were joined. ",
    "prose": "The lines of wrapped prose were joined. ",
    False: "",
}


def _text_source(task: TextTask) -> str:
    config = task.config
    names = [*(["a text that was typed in"] if config.text.strip() else []), *map(source_name, config.sources)]
    unwrapped = JOINED[config.unwrap]
    repeated = f"In {config.repeats:.0%} of the rows a passage occurs twice. " if config.repeats else ""
    return (
        f"Read from {', '.join(names)}: {len(task.train_ids):,} tokens to train on; the last {config.held_out:.0%} of "
        f"each text held out ({len(task.held_out_ids):,} tokens, {task.held_out_bytes:,} bytes). {unwrapped}The "
        f"vocabulary ({config.vocabulary}) has {task.tokenizer.get_vocab_size():,} tokens, trained on the training "
        f"part. {repeated}{_repeated_blocks(task)}"
    )


def _repeated_blocks(task: TextTask) -> str:
    config = task.config
    first = (
        f"The first {config.copying_first:,} steps trained on {config.copying_rows} rows each of random tokens in "
        "blocks that repeat, counting only the repeats, and on no text. "
    )
    beside = f"Every step on text had {config.copying_beside} such rows beside it. "
    return (first if config.copying_first else "") + (beside if config.copying_beside else "")


def _fields(record: Any, *, without: tuple[str, ...] = ()) -> str:
    """The fields of a config and their values; files without their folders."""
    values = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    if "sources" in values:
        values["sources"] = ", ".join(map(source_name, values["sources"]))
    return "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in values.items() if name not in without)


def _settings(config: TrainConfig, step: int, tokens: int) -> str:
    return (
        f"## Settings\n\n{step:,} steps of {config.batch * config.accumulation} rows of at most "
        f"{config.model.context} tokens, {tokens:,} tokens in all. Optimiser {config.optimizer}, learning rate "
        f"{config.learning_rate:g} to {config.final_learning_rate:g} ({config.schedule} over {config.steps:,} steps), "
        f"warm-up {config.warm_up}, betas {config.betas[0]:g} and {config.betas[1]:g}, weight decay "
        f"{config.weight_decay:g}, gradient clipped at {config.clip:g}, seed {config.seed}, {config.precision}.\n\n"
        f"Model: {_fields(config.model)}.\n"
    )


def _earlier(config: TrainConfig, earlier: Sequence[Chapter]) -> str:
    """The settings that differed before the run was forked, and forked again."""
    lines, first = [], 1
    for chapter in earlier:
        changed = changed_fields(chapter.config, config)
        settings = "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in changed.items())
        lines.append(f"- steps {first:,} to {chapter.last_step:,}: {settings or 'the same'}")
        first = chapter.last_step + 1
    return "\n".join(["Earlier steps had other settings:\n", *lines, ""]) if lines else ""


def card_measures(config: TrainConfig, task: Task, model: Transformer) -> dict[str, float]:
    """On the whole held-out part of a text; on EVALUATION_ROWS of a generated task."""
    rows = len(task.held_out_ids) if isinstance(task, TextTask) else EVALUATION_ROWS
    return task.evaluate(model, rows=rows, length=config.model.context)


def _measured(task: Task, measures: dict[str, float]) -> str:
    lines = [f"| {name} | {value:.4f} |" for name, value in measures.items()]
    on = "the whole held-out text" if isinstance(task, TextTask) else f"at most {EVALUATION_ROWS} held-out rows"
    return "\n".join([f"## Measures\n\nOn {on}; losses in nats.\n", "| measure | value |", "| --- | --- |", *lines, ""])


def _heads(task: Task, model: Transformer) -> str:
    if model.config.kind == "decoder":
        return _repeat_heads(task, model)
    probe = task.probe(model.config.context)
    if model.config.kind == "encoder-decoder" and probe.alignment:
        shares = [
            (share, f"head {layer}.{head}")
            for layer, row in enumerate(alignment_shares(model, probe))
            for head, share in enumerate(row)
        ]
        caption = "The share of the probe's gold pairs on which a head puts its largest weight"
        return f"## Cross-attention heads\n\n{caption}; counted from 0.\n\n- {_strongest(shares)}\n"
    return ""


def _repeat_heads(task: Task, model: Transformer) -> str:
    scores = repeat_scores(model, task).rows()
    lines = ["## Heads\n", f"Scores on {N_ROWS} rows of random tokens that occur twice; counted from 0.\n"]
    for name, title in (("previous", "Previous-token heads"), ("induction", "Induction heads")):
        scored = [(row[name], f"head {row['layer']}.{row['head']}") for row in scores]
        lines.append(f"- {title} (at least {STRONG_SCORE}): {_strongest(scored)}")
    return "\n".join(lines) + "\n"


def _strongest(scored: list[tuple[float, str]]) -> str:
    strong = sorted((head for head in scored if head[0] >= STRONG_SCORE), key=lambda head: -head[0])
    return ", ".join(f"{name} ({score:.2f})" for score, name in strong) or "none"


def _samples(samples: list[Sample]) -> str:
    return "\n\n".join(["## Samples", *map(_sample, samples)]) + "\n"


def _sample(sample: Sample) -> str:
    """One sample in Markdown."""
    if isinstance(sample, TextSample):
        prompt = f"After “{sample.prompt}”:" if sample.prompt else "From nothing:"
        return f"{prompt}\n\n> {_quoted(sample.text)}"
    if isinstance(sample, AnswerSample):
        verdict = "correct" if sample.is_right else f"correct is `{sample.right}`"
        return f"- `{sample.question}` → `{sample.answer}` ({verdict})"
    if isinstance(sample, SpectrumSample):
        return f"- {_spectrum(sample)}"
    return _masked_sample(sample)


def _masked_sample(sample: MaskedSample) -> str:
    lines = [f"> {_quoted(' '.join(sample.tokens))}", ""]
    for word in sample.masked:
        guesses = ", ".join(f"{guess} {share:.0%}" for guess, share in word.guesses)
        lines.append(f"- position {word.position}, correct is {word.right}: {guesses}")
    return "\n".join(lines)


def _spectrum(sample: SpectrumSample) -> str:
    order = sorted(range(len(sample.power)), key=lambda frequency: -sample.power[frequency])[:N_FREQUENCIES]
    strongest = ", ".join(f"{frequency} ({sample.power[frequency]:.0%})" for frequency in order)
    return f"The strongest frequencies of the number embeddings: {strongest}"


def _quoted(text: str) -> str:
    return text.strip().replace("\n", "\n> ")
