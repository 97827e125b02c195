"""Blocks of a site's rows from its logsumexp: a weight is exp(score - logsumexp), so no softmax is needed.

Groups of query heads share one matrix product, and where attention is causal only keys up to a block's last
query are multiplied.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from playground.attention import additive_mask
from playground.lens.site import Site, select


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
    query = call.query[0, :, begin:end].float().reshape(-1, call.groups * rows, call.query.shape[-1])
    key = call.key[0, :, :seen].float().transpose(-1, -2)
    shift = -site.logsumexp[:, begin:end].reshape(-1, call.groups * rows, 1)
    differences = torch.baddbmm(shift, query, key, alpha=call.scaling).view(call.heads, rows, seen)
    if call.mask is None and call.bias is None:
        return differences
    mask = additive_mask(select(call, slice(None), slice(begin, end)))
    return differences if mask is None else differences + mask[0, ..., :seen]
