"""The probe's attention while a model learns: one frame now and then, small enough to keep and to scrub through."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from playground.attention import handling
from playground.lens.capture.recorder import recorder_for
from playground.lens.capture.site import Site
from playground.lens.capture.tokens import label
from playground.lens.inspect.head_scores import head_facts
from playground.tasks.task import IGNORED, Probe, Task
from playground.training.run.paths import FILM, STAGING, step_name, write_json
from playground.transformer import Transformer


def film_steps(steps: int, frames: int) -> tuple[int, ...]:
    """The steps at which a frame is taken: half evenly in the logarithm, half evenly, the first and last among them.

    >>> film_steps(100, 6)
    (0, 1, 10, 50, 100)
    """
    if frames == 0:
        return ()
    even = np.linspace(0, steps, max(2, frames - frames // 2))
    early = np.geomspace(1, max(1, steps), max(1, frames // 2))
    return tuple(sorted({int(step) for step in (*even.round(), *early.round())}))


def write_probe(folder: Path, task: Task, probe: Probe) -> None:
    """Write film/probe.json: the labels of what is read, and the gold alignment."""
    (folder / FILM).mkdir(exist_ok=True)
    ids, targets = probe.batch.ids[0].tolist(), probe.batch.target_ids
    values = {
        "ids": ids,
        "tokens": [token.text for token in label(task.tokenizer, ids)],
        "target_tokens": None,
        "labels": _labels(task, probe),
        "alignment": [list(pair) for pair in probe.alignment],
    }
    if targets is not None:
        values["target_tokens"] = [token.text for token in label(task.tokenizer, targets[0].tolist())]
    write_json(folder / FILM / "probe.json", values)


def _labels(task: Task, probe: Probe) -> list[str | None] | None:
    """What is right at each position, None where nothing counts."""
    if probe.batch.labels is None:
        return None
    ids = probe.batch.labels[0].tolist()
    found = {id: label(task.tokenizer, [id])[0].text for id in set(ids) if id != IGNORED}
    return [found.get(id) for id in ids]


@torch.no_grad()
def take_frame(model: Transformer, probe: Probe) -> dict[str, np.ndarray]:
    """The probe's attention: `maps.<kind>` and `score.<kind>.<name>` for each kind of attention there is.

    maps are uint8 [layer, head, query, key], the square root of the weight times 255; scores are float32 [layer, head].
    """
    batch = probe.batch
    kind = None if model.config.kind == "encoder-decoder" else model.config.kind
    recorder = recorder_for(model, kind, None)
    with handling(recorder):
        model.read(batch.ids, batch.target_ids, segments=batch.segments, mask=batch.mask)
    source = batch.ids[0].tolist()
    target = source if batch.target_ids is None else batch.target_ids[0].tolist()
    ids = {"encoder": source, "decoder": target, "cross": None}
    found: dict[str, np.ndarray] = {}
    for name in ids:
        sites = [site for site in recorder.sites if site.kind == name]
        if sites:
            found |= _of_kind(name, sites, ids[name])
    return found


def _of_kind(kind: str, sites: list[Site], ids: list[int] | None) -> dict[str, np.ndarray]:
    maps = torch.stack([site.pattern(slice(None), slice(None)) for site in sites])
    scores = head_facts(sites, ids).scores
    named = {f"score.{kind}.{name}": table.astype(np.float32) for name, table in scores.items()}
    return {f"maps.{kind}": encoded(maps), **named}


def encoded(weights: Float[Tensor, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """Weights as bytes, by the square root: small weights keep more of their differences."""
    return np.asarray((weights.clamp(0, 1).sqrt() * 255).round().to(torch.uint8).numpy())


def write_frame(folder: Path, step: int, frame: dict[str, Any]) -> None:
    """Write film/<step>.npz, whole or not at all."""
    path = folder / FILM / f"{step_name(step)}.npz"
    staging = path.with_suffix(STAGING)
    try:
        with staging.open("wb") as file:
            np.savez_compressed(file, **frame)
        os.replace(staging, path)
    except OSError:
        staging.unlink(missing_ok=True)
        raise
