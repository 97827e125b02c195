"""What a picture shows of a trace: which tokens, with or without the attention sink, one head or many.

Excluding the first token divides every weight by what it leaves, A[i, j] / (1 - A[i, 0]), and leaves its column empty;
hiding special tokens drops their rows and columns and changes no number.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.attended import Attended
from playground.lens.capture.overview import cell_bounds, overview, pool_columns
from playground.lens.capture.site import Site, SiteKind, of_each
from playground.lens.capture.tokens import Token

Combine = Literal["head", "layer mean", "layer max", "all mean", "all max"]
CELLS = 48
BUDGET = 900_000


@dataclass(frozen=True, kw_only=True)
class ViewOptions:
    """What is shown of a trace."""

    kind: SiteKind
    hide_special: bool = False
    exclude_first: bool = False
    """Whether the first token, the attention sink, is left out and the other weights are renormalised."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CodedMaps:
    """All heads at overview resolution, square-root coded: weight = (code / largest code)^2.

    maps is uint16 or uint8 [layer, head, entry]; with packing "lower" row i holds its first i + 1 entries.
    """

    maps: np.ndarray
    rows: int
    columns: int
    packing: Literal["lower", "full"]
    pooled: bool


@dataclass(frozen=True, kw_only=True)
class Axis:
    """The tokens along one side of the picture, and where they stand in the text."""

    tokens: tuple[Token, ...]
    positions: tuple[int, ...]


def axes(trace: Attended, options: ViewOptions) -> tuple[Axis, Axis]:
    """The visible query and key tokens."""
    return (
        _axis(trace.query_tokens(options.kind), options.hide_special),
        _axis(trace.key_tokens(options.kind), options.hide_special),
    )


def _axis(tokens: tuple[Token, ...], hide_special: bool) -> Axis:
    shown = [i for i, token in enumerate(tokens) if not (hide_special and token.special)]
    return Axis(tokens=tuple(tokens[i] for i in shown), positions=tuple(shown))


def head_map(
    trace: Attended, options: ViewOptions, *, layer: int, head: int, combine: Combine = "head"
) -> Float[np.ndarray, "query key"]:
    """One exact map, or the mean or maximum over a layer's heads or over all heads, float32."""
    sites = trace.layers(options.kind) if combine.startswith("all") else [trace.site(layer, options.kind)]
    heads = slice(head, head + 1) if combine == "head" else slice(None)
    if combine == "head" and not 0 <= head < sites[0].n_heads:
        raise UserError(
            "Layer {layer} has no head {head}; choose 0 to {n_heads}.",
            layer=layer,
            head=head,
            n_heads=sites[0].n_heads - 1,
        )
    shown = axes(trace, options)
    with torch.inference_mode():
        maps = [_reduced(visible_maps(site, options, shown, heads), combine) for site in sites]
        stacked = torch.stack(maps)
        return (stacked.amax(0) if combine.endswith("max") else stacked.mean(0)).numpy()


def _reduced(maps: Float[Tensor, "head query key"], combine: Combine) -> Float[Tensor, "query key"]:
    return maps.amax(0) if combine.endswith("max") else maps.mean(0)


def coded_maps(trace: Attended, options: ViewOptions, budget: int = BUDGET) -> CodedMaps:
    """All heads in at most `budget` bytes: every weight in 16 bits, or in 8, or max-pooled cells in 8."""
    queries, keys = axes(trace, options)
    sites = trace.layers(options.kind)
    lower = all(site.is_causal for site in sites) and queries == keys
    total = sum(site.n_heads for site in sites) * _entries(len(queries.tokens), len(keys.tokens), lower)
    with torch.inference_mode():
        if total * 2 <= budget:
            return _coded_exact(sites, options, (queries, keys), lower, np.uint16)
        if total <= budget:
            return _coded_exact(sites, options, (queries, keys), lower, np.uint8)
        return _coded_pooled(sites, options, (queries, keys), lower, budget)


def _entries(rows: int, columns: int, lower: bool) -> int:
    return rows * (rows + 1) // 2 if lower else rows * columns


def _coded_exact(
    sites: list[Site], options: ViewOptions, shown: tuple[Axis, Axis], lower: bool, dtype: type
) -> CodedMaps:
    maps = of_each(sites, partial(visible_maps, options=options, shown=shown, heads=slice(None)))
    return _code(maps, lower, dtype, pooled=False)


def _coded_pooled(
    sites: list[Site], options: ViewOptions, shown: tuple[Axis, Axis], lower: bool, budget: int
) -> CodedMaps:
    heads = sum(site.n_heads for site in sites)
    cells = CELLS
    while cells > 1 and heads * _entries(cells, cells, lower) > budget:
        cells -= 1
    plain = not options.exclude_first and not options.hide_special
    maps = overview(sites, cells) if plain else _pooled_visible(sites, options, shown, cells)
    return _code(maps, lower, np.uint8, pooled=True)


def _pooled_visible(
    sites: list[Site], options: ViewOptions, shown: tuple[Axis, Axis], cells: int
) -> Float[Tensor, "layer head row column"]:
    """Pooled from the exact maps, where tokens are hidden or the first token is excluded."""
    bounds = cell_bounds(len(shown[0].tokens), min(cells, len(shown[0].tokens)))

    def pooled(site: Site) -> Float[Tensor, "head row column"]:
        maps = visible_maps(site, options, shown, slice(None))
        strips = torch.stack([maps[:, begin:end].amax(1) for begin, end in itertools.pairwise(bounds)], dim=1)
        return pool_columns(strips, min(cells, maps.shape[-1]))

    return of_each(sites, pooled)


def visible_maps(
    site: Site, options: ViewOptions, shown: tuple[Axis, Axis], heads: slice, queries: Sequence[int] | None = None
) -> Float[Tensor, "head query key"]:
    """The exact maps of some heads as the picture shows them, at some of the queries that it shows or at all."""
    positions = shown[0].positions
    maps = site.pattern(heads, list(positions) if queries is None else [positions[query] for query in queries])
    if options.exclude_first:
        maps = without_first_key(maps)
    return maps[:, :, list(shown[1].positions)] if options.hide_special else maps


def without_first_key(maps: Float[Tensor, "head query key"]) -> Float[Tensor, "head query key"]:
    """The weights without the first key, renormalised; a row with nothing left is empty.

    >>> without_first_key(torch.tensor([[[0.8, 0.1, 0.1]]]))
    tensor([[[0.0000, 0.5000, 0.5000]]])
    """
    rest = maps.clone()
    rest[..., 0] = 0.0
    left = rest.sum(-1, keepdim=True)
    return torch.where(left > 0, rest / left, 0.0)


def _code(maps: Float[Tensor, "layer head row column"], lower: bool, dtype: type, *, pooled: bool) -> CodedMaps:
    rows, columns = maps.shape[-2:]
    codes = (maps.clamp(0, 1).sqrt() * np.iinfo(dtype).max).round().to(torch.int32)
    if lower:
        row, column = torch.tril_indices(rows, columns)
        codes = codes[..., row, column]
    return CodedMaps(
        maps=codes.flatten(2).numpy().astype(dtype) if not lower else codes.numpy().astype(dtype),
        rows=rows,
        columns=columns,
        packing="lower" if lower else "full",
        pooled=pooled,
    )
