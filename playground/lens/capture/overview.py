"""All heads at thumbnail size, without forming the maps.

A weight is exp(score - logsumexp) and exp is monotone, so a block's largest weight is the exponential of its
largest difference: pool the differences and exponentiate 48 x 48 numbers a head instead of every entry. Only
keys up to a block of rows' last query are multiplied where attention is causal.
"""

import itertools

import torch
from jaxtyping import Float
from torch import Tensor

from playground.attention import additive_mask
from playground.lens.capture.site import Site, select


def overview(sites: list[Site], cells: int) -> Float[Tensor, "layer head row column"]:
    """Every head max-pooled to at most cells x cells; cell r holds tokens floor(r*T/rows) to floor((r+1)*T/rows)."""
    return torch.stack([pooled_site(site, cells) for site in sites])


def pooled_site(site: Site, cells: int) -> Float[Tensor, "head row column"]:
    """One site's heads, max-pooled."""
    rows, columns = min(cells, site.queries), min(cells, site.keys)
    bounds = cell_bounds(site.queries, rows)
    fast = has_logsumexp(site)
    block = _log_block if fast else _exact_block
    strips = torch.stack([block(site, begin, end) for begin, end in itertools.pairwise(bounds)], dim=1)
    pooled = pool_columns(strips, columns)
    return pooled.exp() if fast else pooled


def cell_bounds(length: int, cells: int) -> list[int]:
    """Where each cell begins, and the end.

    >>> cell_bounds(7, 3)
    [0, 2, 4, 7]
    """
    return [cell * length // cells for cell in range(cells + 1)]


def pool_columns(strips: Float[Tensor, "head row key"], columns: int) -> Float[Tensor, "head row column"]:
    """The largest number of each cell of columns."""
    bounds = torch.tensor(cell_bounds(strips.shape[-1], columns), device=strips.device)
    width = int((bounds[1:] - bounds[:-1]).max())
    within = torch.minimum(bounds[:-1, None] + torch.arange(width, device=strips.device), bounds[1:, None] - 1)
    return strips[..., within].amax(-1)


def _exact_block(site: Site, begin: int, end: int) -> Float[Tensor, "head key"]:
    """The largest weight of each key over a block of queries, from the exact pattern."""
    return site.pattern(slice(None), slice(begin, end)).amax(1)


def _log_block(site: Site, begin: int, end: int) -> Float[Tensor, "head key"]:
    """The largest log weight of each key over a block of queries."""
    pooled = log_weights(site, begin, end).amax(1)
    unseen = pooled.new_full((pooled.shape[0], site.keys - pooled.shape[1]), float("-inf"))
    return torch.cat([pooled, unseen], dim=-1)


def has_logsumexp(site: Site) -> bool:
    """Whether `log_weights` can answer for this site."""
    return site.logsumexp is not None and site.call is not None


def log_weights(site: Site, begin: int, end: int) -> Float[Tensor, "head query seen"]:
    """The logarithm of the weights of queries begin … end - 1; minus infinity where a query may not look.

    Only the keys that any of them may see by causality are there: the first `end`, else all.
    """
    assert site.call is not None
    seen = end if site.call.is_causal else site.keys
    differences = _score_differences(site, begin, end, seen)
    if site.call.is_causal:
        future = torch.ones(end - begin, end - begin, dtype=torch.bool, device=differences.device).triu(1)
        differences[..., begin:end].masked_fill_(future, float("-inf"))
    return differences


def _score_differences(site: Site, begin: int, end: int, seen: int) -> Float[Tensor, "head query seen"]:
    """score - logsumexp, with bias and mask but without causality."""
    assert site.call is not None
    assert site.logsumexp is not None
    call = site.call
    rows = end - begin
    grouped_rows = call.queries_per_key_value_head * rows
    query = call.query[0, :, begin:end].float().reshape(-1, grouped_rows, call.query.shape[-1])
    key = call.key[0, :, :seen].float().transpose(-1, -2)
    shift = -site.logsumexp[:, begin:end].reshape(-1, grouped_rows, 1)
    differences = torch.baddbmm(shift, query, key, alpha=call.scaling).view(call.n_heads, rows, seen)
    if call.mask is None and call.bias is None:
        return differences
    mask = additive_mask(select(call, slice(None), slice(begin, end)))
    return differences if mask is None else differences + mask[0, ..., :seen]
