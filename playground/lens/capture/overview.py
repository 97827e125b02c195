"""Thumbnails of all heads, max-pooled without forming the maps.

A weight is exp(score - logsumexp), and exp is monotone: the largest weight of a block is the exponential of its largest
difference. So pool the differences, and exponentiate 48 x 48 of them per head instead of every entry. Under causal
attention a block of queries is multiplied only with the keys up to its last query.
"""

import itertools
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from playground.attention import additive_mask, below_each_other
from playground.lens.capture.site import Site, of_each, select

BLOCK_QUERIES = 64
"""Strips that together span no more are computed at once: of short texts each would be too little work for a call."""


def overview(sites: list[Site], cells: int) -> Float[Tensor, "layer head row column"]:
    """Every head, max-pooled to at most cells x cells; cell r of R covers tokens floor(r*T/R) to floor((r+1)*T/R)."""
    return of_each(sites, partial(pooled_site, cells=cells))


def pooled_site(site: Site, cells: int) -> Float[Tensor, "head row column"]:
    """One site's heads, max-pooled to at most cells x cells."""
    rows, columns = min(cells, site.queries), min(cells, site.keys)
    bounds = cell_bounds(site.queries, rows)
    return pooled_strips(site, list(itertools.pairwise(bounds)), columns)


def pooled_strips(site: Site, strips: Sequence[tuple[int, int]], columns: int) -> Float[Tensor, "head row column"]:
    """The largest weight of each column's cell over each strip of queries, from its first to before its last."""
    fast = has_logsumexp(site)
    block = _log_block if fast else _exact_block
    pooled = pool_columns(torch.cat([block(site, together) for together in _neighbours(strips)], dim=1), columns)
    return pooled.exp() if fast else pooled


def _neighbours(strips: Sequence[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """The strips in blocks of at most `BLOCK_QUERIES` queries from the first to the last; a longer strip is one.

    >>> list(_neighbours([(0, 30), (30, 60), (60, 90)]))
    [[(0, 30), (30, 60)], [(60, 90)]]
    """
    block = [strips[0]]
    for strip in strips[1:]:
        if strip[1] - block[0][0] > BLOCK_QUERIES:
            yield block
            block = []
        block.append(strip)
    yield block


def cell_bounds(length: int, cells: int) -> list[int]:
    """The first token of each cell, and the end.

    >>> cell_bounds(7, 3)
    [0, 2, 4, 7]
    """
    return [cell * length // cells for cell in range(cells + 1)]


def pool_columns(strips: Float[Tensor, "head row key"], columns: int) -> Float[Tensor, "head row column"]:
    """The maximum over each cell of columns."""
    # 7 keys in 3 cells of at most 3: columns [[0, 1, 1], [2, 3, 3], [4, 5, 6]]; repeating a cell's last key keeps its
    # maximum.
    bounds = torch.tensor(cell_bounds(strips.shape[-1], columns), device=strips.device)
    width = int((bounds[1:] - bounds[:-1]).max())
    within = torch.minimum(bounds[:-1, None] + torch.arange(width, device=strips.device), bounds[1:, None] - 1)
    return strips[..., within].amax(-1)


def _exact_block(site: Site, strips: list[tuple[int, int]]) -> Float[Tensor, "head row key"]:
    """The largest weight of each key over each strip of a block of queries, from the exact pattern."""
    return _maxima(site.pattern(slice(None), slice(strips[0][0], strips[-1][1])), strips)


def _log_block(site: Site, strips: list[tuple[int, int]]) -> Float[Tensor, "head row key"]:
    """The largest log weight of each key over each strip of a block of queries."""
    maxima = _maxima(log_weights(site, strips[0][0], strips[-1][1]), strips)
    # A causal block has only the keys before its end; no query of it sees the others.
    return functional.pad(maxima, (0, site.keys - maxima.shape[2]), value=float("-inf"))


def _maxima(weights: Float[Tensor, "head query key"], strips: list[tuple[int, int]]) -> Float[Tensor, "head row key"]:
    """The maximum of each strip; the weights begin with the first strip's first query."""
    first = strips[0][0]
    return torch.stack([weights[:, begin - first : end - first].amax(1) for begin, end in strips], dim=1)


def has_logsumexp(site: Site) -> bool:
    """Whether `log_weights` can compute this site."""
    return site.logsumexp is not None and site.call is not None


def log_weights(site: Site, begin: int, end: int) -> Float[Tensor, "head query seen"]:
    """Logarithms of the weights of queries begin … end - 1; minus infinity at hidden keys.

    Covers the keys that causality lets any of them see: the first `end`, otherwise all.
    """
    assert site.call is not None
    seen = end if site.call.is_causal else site.keys
    differences = _score_differences(site, begin, end, seen)
    if site.call.is_causal:
        # Queries 4 … 7 all see keys 0 … 3: only the last four columns have a hidden triangle.
        future = _future(end - begin, differences.device)
        differences[..., begin:end].masked_fill_(future, float("-inf"))
    return differences


@lru_cache(maxsize=8)
def _future(size: int, device: torch.device) -> Tensor:
    """True above the diagonal of a square: made once for the many blocks of one size."""
    return torch.ones(size, size, dtype=torch.bool, device=device).triu(1)


def _score_differences(site: Site, begin: int, end: int, seen: int) -> Float[Tensor, "head query seen"]:
    """score - logsumexp, with bias and mask but without causality."""
    assert site.call is not None
    assert site.logsumexp is not None
    call = site.call
    query = below_each_other(call.query[:, :, begin:end].float(), call.key.shape[1])[0]
    key = call.key[0, :, :seen].float().transpose(-1, -2)
    shift = -below_each_other(site.logsumexp[None, :, begin:end, None], call.key.shape[1])[0]
    differences = torch.baddbmm(shift, query, key, alpha=call.scaling).view(call.n_heads, end - begin, seen)
    if call.mask is None and call.bias is None:
        return differences
    mask = additive_mask(select(call, slice(None), slice(begin, end)))
    return differences if mask is None else differences + mask[0, ..., :seen]
