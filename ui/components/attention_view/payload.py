"""The bytes that travel to the browser: u32 length of a JSON header, the header, then aligned arrays."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ui.components.attention_view.view_state import Selected
from ui.components.shared.payload import encode_payload

Kind = Literal["encoder", "decoder", "cross"]
Packing = Literal["lower", "full"]


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token as a reader sees it; `segment` is 1 for the second text of a sentence pair."""

    text: str
    special: bool = False
    segment: int = 0


@dataclass(frozen=True, kw_only=True)
class GridView:
    """All heads of one site at overview resolution.

    `maps` is uint8 or uint16 [layer, head, entry], square-root coded: p = (code / maximum of the type)^2.
    Packing "lower" keeps row i's first i + 1 entries, rows one after another; "full" keeps rows * columns.
    A pooled map's cell r stands for the tokens from floor(r*T/rows) to floor((r+1)*T/rows).
    `facts` holds, for each name, one number for every [layer][head]; None or NaN where it is not defined.
    `provenance` lines are printed under exported figures.
    """

    trace: str
    title: str
    kind: Kind
    maps: np.ndarray[Any, Any]
    rows: int
    columns: int
    packing: Packing
    query_tokens: Sequence[Token]
    key_tokens: Sequence[Token]
    causal: bool
    pooled: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    sink_set_aside: bool = False
    special_hidden: bool = False
    provenance: Sequence[str] = ()

    @property
    def layers(self) -> int:
        """The number of layers."""
        return int(self.maps.shape[0])

    @property
    def heads(self) -> int:
        """The number of heads in each layer."""
        return int(self.maps.shape[1])


@dataclass(frozen=True, kw_only=True)
class HeadView:
    """One exact map, float32: [query, key], or one packed vector when `packing` is "lower".

    `selected` says which head or aggregate it is; `facts` are named numbers about it, such as exactness.
    """

    selected: Selected
    map: np.ndarray[Any, Any]
    rows: int
    columns: int
    packing: Packing = "full"
    facts: Mapping[str, float | None] = field(default_factory=dict)


def entries(rows: int, columns: int, packing: Packing) -> int:
    """Return how many numbers one map holds.

    >>> entries(3, 3, "lower"), entries(2, 5, "full")
    (6, 10)
    """
    return rows * (rows + 1) // 2 if packing == "lower" else rows * columns


def encode_grid(grid: GridView, **header: Any) -> bytes:
    """Return the grid as bytes; extra keywords join its header.

    Raises ValueError when the array does not have the shape or type that the grid declares.
    """
    expected = entries(grid.rows, grid.columns, grid.packing)
    if grid.maps.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"Give the maps as uint8 or uint16, not {grid.maps.dtype}.")
    if grid.maps.ndim != 3 or grid.maps.shape[2] != expected:
        raise ValueError(f"Give the maps as [layers, heads, {expected}], not {grid.maps.shape}.")
    return encode_payload(_grid_header(grid) | header, {"maps": grid.maps})


def encode_head(trace: str, head: HeadView, *, view: str) -> bytes:
    """Return one exact map as bytes, addressed to the attention view whose key is `view`.

    Raises ValueError when the map has not as many numbers as its rows, columns and packing say.
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
        "facts": {name: _number(value) for name, value in head.facts.items()},
    }
    return encode_payload(header, {"map": np.asarray(head.map, dtype="<f4").ravel()})


def _grid_header(grid: GridView) -> dict[str, Any]:
    plain = ("trace", "title", "causal", "rows", "columns", "packing", "pooled", "layers", "heads")
    return {name: getattr(grid, name) for name in plain} | {
        "kind": "grid",
        "site": grid.kind,
        "sinkSetAside": grid.sink_set_aside,
        "specialHidden": grid.special_hidden,
        "queryTokens": _tokens(grid.query_tokens),
        "keyTokens": None if grid.key_tokens == grid.query_tokens else _tokens(grid.key_tokens),
        "facts": {name: _numbers(table) for name, table in grid.facts.items()},
        "provenance": list(grid.provenance),
    }


def _tokens(tokens: Sequence[Token]) -> list[list[Any]]:
    return [[token.text, int(token.special), token.segment] for token in tokens]


def _numbers(table: Any) -> list[list[float | None]]:
    return [[_number(value) for value in row] for row in table]


def _number(value: Any) -> float | None:
    """Return a number that JSON can hold, six digits of it; None for what is not finite."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{float(value):.6g}")
