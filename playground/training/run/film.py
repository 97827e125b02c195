"""The film: the probe's attention while a model learns, one small frame now and then. Reading it needs no torch."""

import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.folders import step_name
from playground.training.run.paths import FILM, STAGING, frame_files, read_json, write_json

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8
    from torch import Tensor

    from playground.lens.capture.site import Site
    from playground.tasks.task import Probe, Task
    from playground.transformer import Transformer


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """The probe's attention after a step."""

    step: int
    maps: dict[str, np.ndarray]
    """By kind of attention, uint8 [layer, head, query, key]: (code / 255)^2 is the weight."""
    scores: dict[str, dict[str, np.ndarray]]
    """Head scores by kind and name, float32 [layer, head]."""


@dataclass(frozen=True, kw_only=True)
class FilmProbe:
    """The labels of the text that is filmed."""

    tokens: tuple[str, ...]
    target_tokens: tuple[str, ...] | None
    """The tokens that a decoder of an encoder-decoder reads."""
    labels: tuple[str | None, ...] | None
    """The correct token at each position, None where nothing counts."""
    alignment: tuple[tuple[int, int], ...]
    """Gold pairs (target position, source position)."""


def film_steps(steps: int, frames: int) -> tuple[int, ...]:
    """The steps of the frames: half of them evenly spaced, half evenly in the logarithm, with the first and the last.

    >>> film_steps(100, 6)
    (0, 1, 10, 50, 100)
    """
    if frames == 0:
        return ()
    even = np.linspace(0, steps, max(2, frames - frames // 2))
    early = np.geomspace(1, max(1, steps), max(1, frames // 2))
    return tuple(sorted({int(step) for step in (*even.round(), *early.round())}))


def write_probe(folder: Path, task: "Task", probe: "Probe") -> None:
    """Write film/probe.json: the labels of the probe's tokens, and the gold alignment."""
    from playground.lens.capture.tokens import label

    (folder / FILM).mkdir(exist_ok=True)
    ids, targets = probe.batch.ids[0].tolist(), probe.batch.target_ids
    values = {
        "ids": ids,
        "tokens": [token.text for token in label(task.tokenizer, ids, "source")],
        "target_tokens": None,
        "labels": _correct_tokens(task, probe),
        "alignment": [list(pair) for pair in probe.alignment],
    }
    if targets is not None:
        values["target_tokens"] = [token.text for token in label(task.tokenizer, targets[0].tolist())]
    write_json(folder / FILM / "probe.json", values)


def _correct_tokens(task: "Task", probe: "Probe") -> list[str | None] | None:
    """The correct token at each position, None where nothing counts."""
    from playground.lens.capture.tokens import label
    from playground.tasks.task import IGNORED

    if probe.batch.labels is None:
        return None
    ids = probe.batch.labels[0].tolist()
    labels = {id: label(task.tokenizer, [id])[0].text for id in set(ids) if id != IGNORED}
    return [labels.get(id) for id in ids]


def take_frame(model: "Transformer", probe: "Probe") -> dict[str, np.ndarray]:
    """The probe's attention: `maps.<kind>` and `score.<kind>.<name>` for each kind of attention there is.

    maps are uint8 [layer, head, query, key], the square root of the weight times 255; scores are float32 [layer, head].
    """
    import torch

    from playground.attention import handling
    from playground.lens.capture.recorder import recorder_for

    batch = probe.batch
    kind = None if model.config.kind == "encoder-decoder" else model.config.kind
    recorder = recorder_for(model, kind, None)
    with torch.no_grad(), handling(recorder):
        model.read(batch.ids, batch.target_ids, segments=batch.segments, mask=batch.mask)
    source = batch.ids[0].tolist()
    target = source if batch.target_ids is None else batch.target_ids[0].tolist()
    ids = {"encoder": source, "decoder": target, "cross": None}
    frame: dict[str, np.ndarray] = {}
    for name in ids:
        sites = [site for site in recorder.sites if site.kind == name]
        if sites:
            frame |= _arrays_of_kind(name, sites, ids[name])
    return frame


def _arrays_of_kind(kind: str, sites: "list[Site]", ids: list[int] | None) -> dict[str, np.ndarray]:
    import torch

    from playground.lens.inspect.head_scores import score_heads

    maps = torch.stack([site.pattern(slice(None), slice(None)) for site in sites])
    scores = score_heads(sites, ids).scores
    named = {f"score.{kind}.{name}": table.astype(np.float32) for name, table in scores.items()}
    return {f"maps.{kind}": encode_weights(maps), **named}


def alignment_scores(maps: np.ndarray, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """The mean weight on the gold sources over the gold targets, float32 [..., layer, head]; NaN without pairs.

    maps: uint8 [..., layer, head, query, key], as in a Frame. The gold alignment as in Och and Ney (2003), here
    weighed by the attention instead of counted.
    """
    rows, columns = maps.shape[-2:]
    known = [(target, source) for target, source in pairs if target < rows and source < columns]
    if not known:
        return np.full(maps.shape[:-2], np.nan, dtype=np.float32)
    targets, sources = np.array(known).T
    weights = (maps[..., targets, sources].astype(np.float32) / 255) ** 2
    scores: np.ndarray = weights.sum(-1) / len(set(targets.tolist()))
    return scores.astype(np.float32)


def encode_weights(weights: "Float[Tensor, '*shape']") -> "UInt8[np.ndarray, '*shape']":
    """Weights as bytes, by their square root: small weights keep more of their differences."""
    import torch

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


def frame_steps(folder: Path) -> tuple[int, ...]:
    """The steps that have a frame."""
    return tuple(int(path.stem) for path in frame_files(folder))


def read_frames(folder: Path, after_step: int = -1) -> list[Frame]:
    """The frames of later steps, in order; damaged ones are skipped."""
    frames = [read_frame(folder, step) for step in frame_steps(folder) if step > after_step]
    return [frame for frame in frames if frame is not None]


def read_frame(folder: Path, step: int) -> Frame | None:
    """The frame of a step; None if there is none that can be read."""
    maps: dict[str, np.ndarray] = {}
    scores: dict[str, dict[str, np.ndarray]] = {}
    try:
        with np.load(folder / FILM / f"{step_name(step)}.npz", allow_pickle=False) as arrays:
            for key in arrays.files:
                what, _, rest = key.partition(".")
                kind, _, name = rest.partition(".")
                if what == "maps":
                    maps[kind] = arrays[key]
                elif what == "score":
                    scores.setdefault(kind, {})[name] = arrays[key]
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None
    return Frame(step=step, maps=maps, scores=scores)


def read_probe(folder: Path) -> FilmProbe | None:
    """The labels of the film; None before the first frame."""
    values = read_json(folder / FILM / "probe.json")
    try:
        targets, labels = values["target_tokens"], values["labels"]
        return FilmProbe(
            tokens=tuple(values["tokens"]),
            target_tokens=None if targets is None else tuple(targets),
            labels=None if labels is None else tuple(labels),
            alignment=tuple((int(target), int(source)) for target, source in values["alignment"]),
        )
    except (KeyError, TypeError, ValueError):
        return None
