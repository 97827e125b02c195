"""Attention that looks like a trained model's, without one: seeded, cheap, the same in app and test."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from playground.lens.capture.site import SiteKind
from playground.viewer.attention_view.payload import Packing
from ui.components.attention_view import AxisToken, GridView, HeadView, Selected
from ui.components.film_view import FilmView

WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "then", "that"]
WORDS += ["cat", "saw", "another", "dog", "run", "over", "every", "small", "hill"]
HOSTILE = ["<img src=x onerror=alert(1)>", " 你好", " مرحبا", " 👩‍👩‍👧", "\n", "\t", " end", "\u202eright", "", "  two"]


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return float32 softmax over the last axis; minus infinity becomes zero."""
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)


def attention(layers: int, heads: int, rows: int, columns: int, causal: bool, seed: int = 0) -> np.ndarray:
    """Return [layer, head, query, key]: previous-token, first-token, local and scattered heads by turns."""
    random = np.random.default_rng(seed)
    query, key = np.arange(rows)[:, None], np.arange(columns)[None, :]
    shapes = [
        lambda: -3.0 * np.abs(query - key - 1),
        lambda: np.where(key == 0, 6.0, 0.0) + 0.0 * query,
        lambda: -0.3 * np.abs(query - key),
        lambda: np.where((query - key) % 17 == 16, 6.0, 0.0),
        lambda: np.zeros((rows, columns)),
    ]
    maps = np.empty((layers, heads, rows, columns), dtype=np.float32)
    for layer in range(layers):
        for head in range(heads):
            scores = shapes[int(random.integers(len(shapes)))]() + random.normal(0, 1.2, (rows, columns))
            maps[layer, head] = softmax(np.where(key > query, -np.inf, scores) if causal else scores)
    return maps


def by_layer(function: Callable[[np.ndarray], np.ndarray], maps: np.ndarray) -> np.ndarray:
    """Apply a function of [layer, head, query, key]; where one layer is broadcast over all, to that one."""
    if maps.strides[0] == 0:
        return np.repeat(function(maps[:1]), len(maps), axis=0)
    return function(maps)


def pooled(maps: np.ndarray, cells: int) -> np.ndarray:
    """Return the maximum over cells x cells blocks; cell r covers tokens floor(r*T/cells) up to the next."""
    count = maps.shape[-1]
    starts = [index * count // cells for index in range(cells)]
    return np.maximum.reduceat(np.maximum.reduceat(maps, starts, axis=-2), starts, axis=-1)


def packed(maps: np.ndarray) -> np.ndarray:
    """Return the lower triangles, rows one after another."""
    rows, columns = np.tril_indices(maps.shape[-1])
    return maps[..., rows, columns]


def coded(maps: np.ndarray) -> np.ndarray:
    """Return weights as square-root codes in uint8."""
    return np.round(np.sqrt(maps) * 255).astype(np.uint8)


def tokens(count: int, pair: bool = False) -> list[AxisToken]:
    """Return words with leading spaces; as a pair, two texts between special tokens."""
    words = [WORDS[(index * 7 + index // 5) % len(WORDS)] for index in range(count)]
    plain = [AxisToken(text=(" " if index else "") + word) for index, word in enumerate(words)]
    if not pair:
        return plain
    half = count // 2
    first = [AxisToken(text="[CLS]", special=True), *plain[1:half], AxisToken(text="[SEP]", special=True)]
    second = [AxisToken(text=token.text, segment=1) for token in plain[half + 1 : -1]]
    return [*first, *second, AxisToken(text="[SEP]", special=True, segment=1)]


SCORES = ("previous", "first", "duplicate", "induction", "local", "entropy", "distance")


def head_scores(maps: np.ndarray) -> dict[str, np.ndarray]:
    """Return simple head scores, [layer, head] each."""
    if maps.size and maps.strides[0] == 0:  # one layer, broadcast over all
        return {name: np.repeat(table, len(maps), axis=0) for name, table in head_scores(maps[:1].copy()).items()}
    rows, columns = maps.shape[-2:]
    if not maps.size:
        return {}
    query, key = np.arange(rows)[:, None], np.arange(columns)[None, :]
    entropy = -(maps * np.log(np.maximum(maps, 1e-12))).sum(-1).mean(-1)
    return {
        "previous": (maps * (query - key == 1)).sum((-1, -2)) / max(rows - 1, 1),
        "first": maps[..., 0].mean(-1),
        "duplicate": np.full(maps.shape[:2], np.nan),
        "induction": (maps * ((query - key) % 17 == 16)).sum((-1, -2)) / rows,
        "local": (maps * (np.abs(query - key) <= 3)).sum((-1, -2)) / rows,
        "entropy": entropy,
        "distance": (maps * np.abs(query - key)).sum(-1).mean(-1),
    }


def grid(
    trace: str,
    maps: np.ndarray,
    names: list[AxisToken],
    *,
    keys: list[AxisToken] | None = None,
    causal: bool = False,
    cells: int | None = None,
    **more: object,
) -> GridView:
    """Return the overview of these maps, pooled to `cells` when given."""
    small = by_layer(partial(pooled, cells=cells), maps) if cells else maps
    packing: Packing = "lower" if causal else "full"
    flat = packed(small) if causal else small.reshape(*small.shape[:2], -1)
    return GridView(
        trace=trace,
        title="Synthetic 1.0",
        kind="cross" if keys else "decoder" if causal else "encoder",
        maps=coded(flat),
        rows=small.shape[-2],
        columns=small.shape[-1],
        packing=packing,
        query_tokens=names,
        key_tokens=keys or names,
        causal=causal,
        pooled=cells is not None,
        score_names=SCORES if maps.size else (),
        provenance=["Synthetic 1.0, float32, seed 0", "transformer-playground tests"],
        **more,  # type: ignore[arg-type]
    )


def head_view(maps: np.ndarray, selected: Selected, causal: bool) -> HeadView:
    """Return the exact map of a head or an aggregate."""
    layer = maps[selected.layer]
    exact = {
        "head": lambda: layer[selected.head],
        "layer mean": lambda: layer.mean(0),
        "layer max": lambda: layer.max(0),
        "all mean": lambda: maps.mean((0, 1)),
        "all max": lambda: maps.max((0, 1)),
    }[selected.combine]()
    return HeadView(
        selected=selected,
        map=packed(exact) if causal else exact,
        rows=exact.shape[0],
        columns=exact.shape[1],
        packing="lower" if causal else "full",
        max_error=2.9e-8,
    )


def score_tables(frames: int, layers: int, heads: int, seed: int = 3) -> dict[str, np.ndarray]:
    """Return head scores over training, [frame, layer, head] each: one head of a kind rises at its own time."""
    random = np.random.default_rng(seed)
    time = np.linspace(0, 1, frames)[:, None, None]
    tables = {}
    for name in ("induction", "previous", "first"):
        start, top = random.uniform(0.2, 0.7, (layers, heads)), random.uniform(0.05, 0.95, (layers, heads)) ** 2
        tables[name] = (0.03 + top / (1 + np.exp(-(time - start) * 18))).astype(np.float32)
    return tables


def film_maps(case: str, frames: int) -> dict[SiteKind, np.ndarray]:
    """Return a film's maps as uint8 codes: heads that begin even and grow to what they will be."""
    shapes: dict[SiteKind, tuple[int, int, int, int, bool]] = {"decoder": (2, 4, 16, 16, True)}
    if case == "translation":
        shapes = {
            "encoder": (2, 4, 9, 9, False),
            "decoder": (2, 4, 7, 7, True),
            "cross": (2, 4, 7, 9, False),
        }
    elif case == "hostile":
        shapes = {"decoder": (1, 2, len(HOSTILE), len(HOSTILE), True)}
    elif case == "long":
        shapes = {"decoder": (2, 8, 128, 128, True)}
    films: dict[SiteKind, np.ndarray] = {}
    for kind, (layers, heads, rows, columns, causal) in shapes.items():
        final = attention(layers, heads, rows, columns, causal, seed=len(kind))
        even = (final > 0) / np.maximum((final > 0).sum(-1, keepdims=True), 1)
        time = np.minimum(1, np.arange(frames) / 40)[:, None, None, None, None]
        films[kind] = coded((1 - time) * even + time * final)
    return films


def film(case: str, frames: int, run: str = "run") -> FilmView:
    """Return a film of a frame each ten steps."""
    maps = film_maps(case, frames)
    scores = {
        kind: {name: table[:frames] for name, table in score_tables(max(frames, 60), *codes.shape[1:3]).items()}
        for kind, codes in maps.items()
    }
    rows, columns = maps["cross"].shape[3:] if "cross" in maps else maps["decoder"].shape[3:]
    source = HOSTILE if case == "hostile" else [token.text for token in tokens(columns)]
    target = ["<|start|>", " le", " chat", " dort", " sur", " un", " tapis"] if "cross" in maps else []
    return FilmView(
        run=run,
        title="Synthetic run",
        tokens=source,
        target_tokens=target[:rows],
        alignment=[(index, index + 1) for index in range(rows - 1)] if target else [],
        steps=[10 * index for index in range(frames)],
        last_step=600,
        live=True,
        maps=maps,
        scores=scores,
        provenance=["Synthetic run, seed 0"],
    )


def samples(count: int) -> list[dict[str, Any]]:
    """Return the samples of `count` evaluations, each 100 steps after the other, in the words of samples.jsonl."""
    hostile = "<img src=x onerror=alert(1)>"
    lines = []
    for index in range(1, count + 1):
        guesses = [["␣dog", 0.62], ["cat", 0.2 + index / 100], [hostile, 0.05]]
        masked = [
            {"position": 2, "right": "cat", "guesses": guesses},
            {"position": 5, "right": "mat", "guesses": [["mat", 0.91], ["hat", 0.04]]},
        ]
        written = f" a small house by the river, and on day {index}\nshe met {hostile} there."
        samples: list[dict[str, Any]] = [
            {"kind": "text", "prompt": "Once upon a time Anna had", "text": written},
            {"kind": "answer", "question": "reverse 1 2 3", "answer": "3 2 1", "right": "3 2 1", "is_right": True},
            {"kind": "answer", "question": hostile, "answer": "4 4", "right": "5 4", "is_right": False},
            {"kind": "masked", "tokens": ["<|start|>", "the", "cat", "on", "a", "mat", "<|end|>"], "masked": masked},
            {"kind": "spectrum", "power": [0.5, 0.5]},
        ]
        lines.append({"step": 100 * index, "samples": samples})
    return lines
