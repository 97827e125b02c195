"""Attention maps of a probe text over a training, and their payload for the browser."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.charts.palette import SCORES, SERIES
from playground.viewer.shared.payload import encode_payload

if TYPE_CHECKING:
    from playground.lens.capture.site import SiteKind

BYTES = 1_000_000
LEAST_FRAMES = 24
"""Cells are pooled until this many frames fit into the budget; with fewer it is no film."""
POOLED_SIZES = (96, 64, 48, 32, 24, 16)


@dataclass(frozen=True, kw_only=True)
class FilmMark:
    """An event on the curves of a score."""

    step: int
    kind: "SiteKind"
    score: str
    threshold: float
    text: str
    """What happened, on one line."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FilmView:
    """All heads on the probe text at some steps of a training."""

    run: str
    """Under the same name the browser keeps its frames, so a run that is rewound or forked needs another."""
    tokens: Sequence[str]
    """The whole text, or the source where there is a target."""
    steps: Sequence[int]
    maps: Mapping["SiteKind", np.ndarray[Any, Any]]
    """uint8 [frame, layer, head, query, key], square-root coded: p = (code / 255)^2."""
    scores: Mapping["SiteKind", Mapping[str, np.ndarray[Any, Any]]]
    """[frame, layer, head] for each kind and name; NaN where a score is not defined."""
    target_tokens: Sequence[str] = ()
    alignment: Sequence[tuple[int, int]] = ()
    """Gold pairs: query row of the target, key column of the source."""
    marks: Sequence[FilmMark] = ()
    live: bool = False
    last_step: int | None = None
    """The step at which the training will end, if known."""
    title: str = ""
    provenance: Sequence[str] = ()

    def __post_init__(self) -> None:
        for kind, maps in self.maps.items():
            rows, columns = len(self.tokens_of(kind)[0]), len(self.tokens_of(kind)[1])
            if maps.dtype != np.uint8 or maps.ndim != 5:
                raise ValueError(f"Give {kind} maps as uint8 [frame, layer, head, query, key], not {maps.shape}.")
            if (len(maps), *maps.shape[3:]) != (len(self.steps), rows, columns):
                raise ValueError(f"The {kind} maps {maps.shape} do not fit {len(self.steps)} steps, {rows}, {columns}.")
            for name, table in self.scores.get(kind, {}).items():
                if table.shape != maps.shape[:3]:
                    raise ValueError(f"Give the score {name} as {maps.shape[:3]}, not {table.shape}.")

    def tokens_of(self, kind: "SiteKind") -> tuple[Sequence[str], Sequence[str]]:
        """Query tokens and key tokens of a kind of attention."""
        decoded = self.target_tokens or self.tokens
        if kind == "encoder":
            return self.tokens, self.tokens
        return decoded, (self.tokens if kind == "cross" else decoded)


def encode_film(film: FilmView, *, since: int | None = None, budget: int = BYTES, **header: Any) -> bytes:
    """Encode the frames after step `since`, or all for None, in about `budget` bytes; more keywords join the header.

    Too many frames are thinned evenly, with the first and the last kept. Cells of long texts are pooled by their
    maximum, to a size that is the same for all messages.
    """
    cells = pooled_cells(film, budget)
    new_frames = [index for index, step in enumerate(film.steps) if since is None or step > since]
    frames = chosen_frames(new_frames, frame_bytes(film, cells), budget)
    arrays = {}
    for kind, maps in film.maps.items():
        arrays[f"maps_{kind}"] = _packed(maps[frames], kind, cells)
        tables = [np.asarray(table)[frames] for table in film.scores.get(kind, {}).values()]
        stacked = np.stack(tables, axis=1) if tables else np.zeros((len(frames), 0, *maps.shape[1:3]))
        arrays[f"scores_{kind}"] = stacked.astype("<f4")
    plain = {
        "run": film.run,
        "title": film.title,
        "live": film.live,
        "since": since,
        "steps": [int(film.steps[index]) for index in frames],
        "newest": int(film.steps[-1]) if len(film.steps) else None,
        "lastStep": film.last_step,
        "marks": [vars(mark) for mark in film.marks],
        "alignment": [list(pair) for pair in film.alignment],
        "provenance": list(film.provenance),
        "sites": {kind: _site(film, kind, cells) for kind in film.maps},
        "colours": {name: [colour.light, colour.dark] for name, colour in SCORES.items()},
        "otherColours": [[colour.light, colour.dark] for colour in SERIES],
    }
    return encode_payload(plain | header, arrays)


def chosen_frames(frames: Sequence[int], size: int, budget: int) -> list[int]:
    """Thin the frames evenly to the budget, with the first and the last kept.

    >>> chosen_frames(range(9), size=10, budget=50)
    [0, 2, 4, 6, 8]
    """
    room = max(2, budget // max(size, 1))
    if len(frames) <= room:
        return list(frames)
    return [frames[round(index)] for index in np.linspace(0, len(frames) - 1, room)]


def pooled_cells(film: FilmView, budget: int) -> int | None:
    """The number of cells per side to which maps are pooled so that LEAST_FRAMES fit; None for no pooling.

    It depends on the shapes alone, not on the number of frames so far.
    """
    for cells in (None, *POOLED_SIZES):
        if frame_bytes(film, cells) * LEAST_FRAMES <= budget:
            return cells
    return POOLED_SIZES[-1]


def frame_bytes(film: FilmView, cells: int | None) -> int:
    """The size of one frame with all its kinds and scores."""
    total = 0
    for kind, maps in film.maps.items():
        rows, columns = _size(film, kind, cells)
        heads = maps.shape[1] * maps.shape[2]
        entries = rows * (rows + 1) // 2 if _is_lower(film, kind) else rows * columns
        total += heads * (entries + 4 * len(film.scores.get(kind, {})))
    return total


def _size(film: FilmView, kind: "SiteKind", cells: int | None) -> tuple[int, int]:
    queries, keys = film.tokens_of(kind)
    return min(len(queries), cells or len(queries)), min(len(keys), cells or len(keys))


def _is_lower(film: FilmView, kind: "SiteKind") -> bool:
    return kind == "decoder"


def _site(film: FilmView, kind: "SiteKind", cells: int | None) -> dict[str, Any]:
    rows, columns = _size(film, kind, cells)
    queries, keys = film.tokens_of(kind)
    maps = film.maps[kind]
    return {
        "rows": rows,
        "columns": columns,
        "packing": "lower" if _is_lower(film, kind) else "full",
        "causal": _is_lower(film, kind),
        "layers": maps.shape[1],
        "heads": maps.shape[2],
        "scores": list(film.scores.get(kind, {})),
        "queryTokens": [_token(text) for text in queries],
        "keyTokens": [_token(text) for text in keys],
    }


def _token(text: str) -> list[Any]:
    """Text, whether it is special, and segment, as in the attention view's payload."""
    return [text, int(text.startswith("<|") and text.endswith("|>")), 0]


def _packed(maps: np.ndarray[Any, Any], kind: "SiteKind", cells: int | None) -> np.ndarray[Any, Any]:
    if cells is not None:
        maps = _pooled(_pooled(maps, 3, cells), 4, cells)
    if kind == "decoder":
        rows, columns = np.tril_indices(maps.shape[-1])
        return maps[..., rows, columns]
    return maps


def _pooled(maps: np.ndarray[Any, Any], axis: int, cells: int) -> np.ndarray[Any, Any]:
    """Maxima over blocks of an axis; cell r covers tokens floor(r T / cells) up to the next."""
    count = maps.shape[axis]
    if count <= cells:
        return maps
    pooled: np.ndarray[Any, Any] = np.maximum.reduceat(maps, [r * count // cells for r in range(cells)], axis=axis)
    return pooled
