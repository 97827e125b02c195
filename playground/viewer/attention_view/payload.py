"""Grids of all heads, exact maps of one and scores of all, as payloads for the browser."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from playground.viewer.attention_view.labels import attention_view_labels
from playground.viewer.attention_view.view_state import Selected, ViewState
from playground.viewer.shared.payload import encode_payload

if TYPE_CHECKING:
    from playground.lens.capture.site import SiteKind

Packing = Literal["lower", "full"]


@dataclass(frozen=True, kw_only=True)
class AxisToken:
    """A token on an axis of the map; `segment` is 1 for the second text of a sentence pair."""

    text: str
    special: bool = False
    segment: int = 0
    position: int | None = None
    """Where it stands in the text, hidden tokens counted; None is its index on the axis, and no number is shown."""


@dataclass(frozen=True, kw_only=True)
class AxisWord:
    """A word on an axis of the map, and the positions of its tokens in the text."""

    text: str
    positions: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class GridView:
    """All heads of one kind of attention at overview resolution."""

    trace: str
    title: str
    kind: "SiteKind"
    maps: np.ndarray[Any, Any]
    """uint8 or uint16 [layer, head, entry], square-root coded: p = (code / maximum of the type)^2."""
    rows: int
    columns: int
    packing: Packing
    """"lower" keeps row i's first i + 1 entries, rows one after another; "full" keeps rows * columns."""
    query_tokens: Sequence[AxisToken]
    key_tokens: Sequence[AxisToken]
    causal: bool
    pooled: bool = False
    """Whether a cell holds several tokens: cell r those from floor(r*T/rows) to floor((r+1)*T/rows)."""
    score_names: Sequence[str] = ()
    """The head scores that follow (`ScoresView`), in the order in which they are shown."""
    query_count: int | None = None
    """The queries of the text, hidden ones included; None where none are hidden."""
    key_count: int | None = None
    query_words: Sequence[AxisWord] = ()
    """The words that the visible tokens spell, each token in one; empty where every token is a word."""
    key_words: Sequence[AxisWord] = ()
    blocks: Sequence[int] = ()
    """What each layer is called, the number of its block in the model; empty where they are counted from 0."""
    head_numbers: Sequence[int] = ()
    """What each head is called; empty where they are counted from 0."""
    first_excluded: bool = False
    special_hidden: bool = False
    provenance: Sequence[str] = ()
    """Lines below exported figures."""

    @property
    def n_layers(self) -> int:
        return int(self.maps.shape[0])

    @property
    def n_heads(self) -> int:
        """The number of heads in each layer."""
        return int(self.maps.shape[1])


@dataclass(frozen=True, kw_only=True)
class HeadView:
    """One exact map, float32: [query, key], or one packed vector when `packing` is "lower".

    `selected` says which head or aggregate it is; `max_error` how far the output recomputed from it is off, if known.
    """

    selected: Selected
    map: np.ndarray[Any, Any]
    rows: int
    columns: int
    packing: Packing = "full"
    max_error: float | None = None


@dataclass(frozen=True, kw_only=True)
class ScoresView:
    """The scores of all heads of a grid, and what the selected one shows."""

    tables: Mapping[str, np.ndarray[Any, Any]]
    """For each name of the grid [layer, head]; NaN where a score is not defined."""
    selected: Selected
    finding: str = ""
    """What one sees in the selected head, as a sentence above the map."""


Positions = Sequence[Sequence[int]]


@dataclass(frozen=True, kw_only=True)
class AlignedWords:
    """The words that two texts are compared by, and the positions of each word's tokens on either side."""

    queries: Sequence[str]
    keys: Sequence[str]
    left: tuple[Positions, Positions]
    """Of the queries, and of the keys."""
    right: tuple[Positions, Positions]
    notes: Sequence[str] = ()
    """Lines below the difference: how words are compared, and which are left out."""

    def as_dict(self) -> dict[str, Any]:
        """JSON values under the names that the browser uses."""
        sides = {"left": self.left, "right": self.right}
        listed = {
            name: {"queries": [list(word) for word in queries], "keys": [list(word) for word in keys]}
            for name, (queries, keys) in sides.items()
        }
        return {"queries": list(self.queries), "keys": list(self.keys), "notes": list(self.notes), **listed}


def entries(rows: int, columns: int, packing: Packing) -> int:
    """The number of entries of one map.

    >>> entries(3, 3, "lower"), entries(2, 5, "full")
    (6, 10)
    """
    return rows * (rows + 1) // 2 if packing == "lower" else rows * columns


def encode_grid(grid: GridView, **header: Any) -> bytes:
    """Encode a grid; extra keywords join its header.

    Raises ValueError when the array does not have the shape or type that the grid declares.
    """
    expected = entries(grid.rows, grid.columns, grid.packing)
    if grid.maps.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"Give the maps as uint8 or uint16, not {grid.maps.dtype}.")
    if grid.maps.ndim != 3 or grid.maps.shape[2] != expected:
        raise ValueError(f"Give the maps as [layers, heads, {expected}], not {grid.maps.shape}.")
    return encode_payload(_grid_header(grid) | header, {"maps": grid.maps})


def grid_payload(grid: GridView, *, view: str, state: ViewState, labels: Mapping[str, str] | None = None) -> bytes:
    """Encode a grid that starts in this state, outside the app."""
    labels = {**attention_view_labels(), **(labels or {})}
    return encode_grid(grid, view=view, initial=state.as_dict(), revision=0, labels=labels, marks=False)


def encode_head(trace: str, head: HeadView, *, view: str) -> bytes:
    """Encode one exact map, addressed to the attention view whose key is `view`.

    Raises ValueError when its size contradicts its rows, columns and packing.
    """
    expected = entries(head.rows, head.columns, head.packing)
    if head.map.size != expected:
        raise ValueError(f"Give the map with {expected} numbers, not {head.map.size}.")
    header = {
        "kind": "head",
        "trace": trace,
        "view": view,
        "layer": head.selected.layer,
        "head": head.selected.head,
        "combine": head.selected.combine,
        "rows": head.rows,
        "columns": head.columns,
        "packing": head.packing,
        "maxError": _json_number(head.max_error),
    }
    return encode_payload(header, {"map": np.asarray(head.map, dtype="<f4").ravel()})


def encode_scores(trace: str, scores: ScoresView, *, view: str) -> bytes:
    """Encode all heads' scores, addressed to the attention view whose key is `view`."""
    tables = np.stack([np.asarray(table, dtype="<f4") for table in scores.tables.values()])
    header = {
        "kind": "scores",
        "trace": trace,
        "view": view,
        "names": list(scores.tables),
        "layers": tables.shape[1],
        "heads": tables.shape[2],
        **asdict(scores.selected),
        "finding": scores.finding,
    }
    return encode_payload(header, {"scores": tables})


def _grid_header(grid: GridView) -> dict[str, Any]:
    plain = ("trace", "title", "causal", "rows", "columns", "packing", "pooled")
    return {name: getattr(grid, name) for name in plain} | {
        "kind": "grid",
        "layers": grid.n_layers,
        "heads": grid.n_heads,
        "blocks": list(grid.blocks) or list(range(grid.n_layers)),
        "headNumbers": list(grid.head_numbers) or list(range(grid.n_heads)),
        "site": grid.kind,
        "firstExcluded": grid.first_excluded,
        "specialHidden": grid.special_hidden,
        "queryTokens": _token_rows(grid.query_tokens),
        "keyTokens": None if grid.key_tokens == grid.query_tokens else _token_rows(grid.key_tokens),
        "queryWords": [[word.text, list(word.positions)] for word in grid.query_words],
        "keyWords": [[word.text, list(word.positions)] for word in grid.key_words],
        "queryCount": len(grid.query_tokens) if grid.query_count is None else grid.query_count,
        "keyCount": len(grid.key_tokens) if grid.key_count is None else grid.key_count,
        "scoreNames": list(grid.score_names),
        "provenance": list(grid.provenance),
    }


def _token_rows(tokens: Sequence[AxisToken]) -> list[list[Any]]:
    """Text, special, segment and, where it is known, position of each token."""
    return [
        [token.text, int(token.special), token.segment, *([] if token.position is None else [token.position])]
        for token in tokens
    ]


def _json_number(value: Any) -> float | None:
    """Six significant digits, for JSON; None where the value is missing or not finite."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{float(value):.6g}")
