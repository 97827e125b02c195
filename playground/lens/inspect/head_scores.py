"""Head scores: how much each head attends where the known kinds of head do.

Each score is a mean over the queries for which it is defined; NaN where there is none. Previous-token,
duplicate and induction heads are those of Elhage et al. 2021 and Olsson et al. 2022.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground.lens.capture.overview import has_logsumexp, log_weights
from playground.lens.capture.site import Site

LOCAL = 4
CHUNK = 256
NAMES = ("previous", "first", "duplicate", "induction", "local", "entropy", "distance")


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadScores:
    """The scores of all heads of one kind of attention, each float32 [layer, head].

    previous: weight on the token before. first: weight on the first token. duplicate: weight on earlier copies of the
    query's token. induction: weight on the tokens that followed those copies. local: weight within four tokens.
    entropy: of the weights, in nats. distance: mean distance attended, in tokens.
    """

    scores: dict[str, np.ndarray]

    def __getitem__(self, name: str) -> Float[np.ndarray, "layer head"]:
        return self.scores[name]

    def rows(self) -> list[dict[str, float]]:
        """One row per head: layer, head and every score."""
        layers, n_heads = next(iter(self.scores.values())).shape
        return [
            {"layer": layer, "head": head, **{name: float(table[layer, head]) for name, table in self.scores.items()}}
            for layer in range(layers)
            for head in range(n_heads)
        ]


def score_heads(sites: list[Site], ids: list[int] | None) -> HeadScores:
    """The scores of every head; ids None is cross-attention, where positions do not compare."""
    per_site = [score_site(site, ids) for site in sites]
    return HeadScores(scores={name: torch.stack([scores[name] for scores in per_site]).numpy() for name in per_site[0]})


def score_site(site: Site, ids: list[int] | None) -> dict[str, Float[Tensor, "head"]]:
    """One site's scores, summed over blocks of queries so that memory stays bounded."""
    totals: dict[str, Tensor] = {}
    counts: dict[str, int] = {}
    for rows in _blocks(site.queries):
        weights, entropy = _block_weights(site, rows)
        for name, (values, count) in _block_sums(weights, entropy, rows, ids).items():
            totals[name] = totals.get(name, torch.zeros(site.n_heads)) + values
            counts[name] = counts.get(name, 0) + count
    undefined = torch.full((site.n_heads,), float("nan"))
    return {name: totals[name] / counts[name] if counts[name] else undefined for name in totals}


def _blocks(length: int) -> Iterator[slice]:
    for begin in range(0, length, CHUNK):
        yield slice(begin, min(begin + CHUNK, length))


def _block_weights(site: Site, rows: slice) -> tuple[Float[Tensor, "head query seen"], Float[Tensor, "head"]]:
    """The weights of a block of queries on the keys that they see, and the sum of their rows' entropies."""
    if not has_logsumexp(site):
        weights = site.pattern(slice(None), rows)
        return weights, torch.special.entr(weights).sum((-1, -2))
    logs = log_weights(site, rows.start, rows.stop)
    weights = logs.exp()
    # A weight of zero has no entropy; its logarithm only has to be finite for the product to be zero.
    sums = weights.flatten(1)[:, None] @ logs.clamp_(min=-1e4).flatten(1)[..., None]
    return weights, -sums[:, 0, 0]


def _block_sums(
    weights: Float[Tensor, "head query seen"], entropy: Float[Tensor, "head"], rows: slice, ids: list[int] | None
) -> dict[str, tuple[Float[Tensor, "head"], int]]:
    """For each score: the sum over a block's queries, and how many queries it is defined for."""
    query = torch.arange(rows.start, rows.stop)[:, None]
    key = torch.arange(weights.shape[2])[None, :]
    later = (query > 0).expand(weights.shape[1:])
    factors = {"first": ((key == 0) & later, int(later[:, 0].sum()))}
    if ids is not None:
        factors |= _self_attention_factors(query, key, torch.tensor(ids))
    # One matrix product reads the weights once for all scores; a masked sum for each would read them six times.
    # weights [head, query · key] times factors [query · key, score] are all sums [head, score].
    stacked = torch.stack([factor.float().flatten() for factor, _ in factors.values()], dim=1)
    totals = (weights.flatten(1) @ stacked).unbind(1)
    sums = {name: (total, count) for (name, (_, count)), total in zip(factors.items(), totals, strict=True)}
    sums["entropy"] = (entropy, weights.shape[1])
    undefined = (torch.zeros(weights.shape[0]), 0)
    return {name: sums.get(name, undefined) for name in NAMES}


def _self_attention_factors(query: Tensor, key: Tensor, ids: Tensor) -> dict[str, tuple[Tensor, int]]:
    """For each score the factor of every weight [query, key], and for how many queries the score is defined."""
    distance = (key - query).abs()
    same = (ids[query] == ids[key]) & (key < query)
    # Of "a b a", query 2 attends to key 1: the token after the earlier copy at key 0.
    followed = (ids[query] == ids[(key - 1).clamp(min=0)]) & (key > 0) & (key < query)
    masks = {"previous": key == query - 1, "duplicate": same, "induction": followed}
    return {name: (mask, int(mask.any(-1).sum())) for name, mask in masks.items()} | {
        "local": (distance <= LOCAL, len(query)),
        "distance": (distance, len(query)),
    }
