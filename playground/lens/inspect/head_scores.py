"""Head scores: how much each head attends where the known kinds of head do.

Each score is a mean over the queries for which it is defined; NaN where there is none. Previous-token,
duplicate and induction heads are those of Elhage et al. 2021 and Olsson et al. 2022.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from playground.lens.capture.overview import has_logsumexp, log_weights
from playground.lens.capture.site import Site

LOCAL = 4
BLOCK_BYTES = 2 << 20
"""A block of weights stays in a core's cache while all scores read it: several times as fast as from memory."""
SPARSE = 8
"""A score that reads less than one weight in so many gathers them; others multiply every weight by 0 or 1."""
SAMPLED = 24
"""Queries by which the head to show first is chosen."""
NAMES = ("previous", "first", "duplicate", "induction", "local", "entropy", "distance")
STRIKING = ("induction", "previous", "entropy")
"""The scores by which the head to show first is chosen: the first of them that some head has."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadScores:
    """The scores of all heads of one kind of attention, each float32 [layer, head].

    previous: weight on the token before. first: weight on the first token. duplicate: weight on earlier copies of the
    query's token. induction: weight on the tokens that followed those copies. local: weight within four tokens.
    entropy: of the weights, in nats. distance: mean distance attended, in tokens.
    """

    scores: dict[str, np.ndarray]
    layers: tuple[int, ...] = ()
    """What the rows are called, by their blocks in the model; empty where they are counted from 0."""

    def __getitem__(self, name: str) -> Float[np.ndarray, "layer head"]:
        return self.scores[name]

    def rows(self) -> list[dict[str, float]]:
        """One row per head: layer, head and every score."""
        rows, n_heads = next(iter(self.scores.values())).shape
        return [
            {"layer": layer, "head": head, **{name: float(table[row, head]) for name, table in self.scores.items()}}
            for row, layer in enumerate(self.layers or range(rows))
            for head in range(n_heads)
        ]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Reading:
    """Which weights of a block [query, key], read row after row, one score adds up."""

    picked: Tensor
    """Where they stand, or as floats the factor of every weight."""
    count: int
    """The queries for which the score is defined."""

    def total(self, weights: Float[Tensor, "head entry"]) -> Float[Tensor, "head"]:
        """The sum for each head."""
        if self.picked.is_floating_point():
            return _dots(weights, self.picked)
        return weights[:, self.picked].sum(1)


_Readings = Mapping[str, _Reading]
_Known = dict[tuple[int, int, int], _Readings]


def score_heads(sites: list[Site], ids: list[int] | None) -> HeadScores:
    """The scores of every head; ids None is cross-attention, where positions do not compare."""
    known: _Known = {}
    per_site = [score_site(site, ids, known) for site in sites]
    return HeadScores(
        scores={name: torch.stack([scores[name] for scores in per_site]).numpy() for name in per_site[0]},
        layers=tuple(site.layer for site in sites),
    )


def score_site(site: Site, ids: list[int] | None, known: _Known | None = None) -> dict[str, Float[Tensor, "head"]]:
    """One site's scores, summed over blocks of queries.

    known: what is read of each block, which is the same for all sites of a pass; filled as they go by.
    """
    known = {} if known is None else known
    sums = []
    for rows in _blocks(site):
        weights, entropy = _block_weights(site, rows)
        block = (rows.start, rows.stop, weights.shape[2])
        if block not in known:
            known[block] = _readings(torch.arange(rows.start, rows.stop), weights.shape[2], ids)
        sums.append(_block_sums(weights, entropy, known[block]))
    return _means(site.n_heads, sums)


def striking_head(sites: list[Site], ids: list[int] | None) -> tuple[int, int]:
    """The layer and head to show first: the strongest induction head, else previous-token head, else the broadest.

    Quick: it reads at most `SAMPLED` queries, evenly spaced.
    """
    rows = slice(None, None, -(-sites[0].queries // SAMPLED))
    readings = _readings(torch.arange(sites[0].queries)[rows], sites[0].keys, ids)
    tables = [_sampled_scores(site, rows, readings) for site in sites]
    for name in STRIKING:
        table = np.nan_to_num(torch.stack([scores[name] for scores in tables]).numpy(), nan=-1.0)
        if table.max() > 0:
            row, head = divmod(int(table.argmax()), table.shape[1])
            return sites[row].layer, head
    return sites[0].layer, 0


def _sampled_scores(site: Site, rows: slice, readings: _Readings) -> dict[str, Float[Tensor, "head"]]:
    """The scores of a site over some of its queries."""
    weights = site.pattern(slice(None), rows)
    entropy = torch.special.entr(weights).sum((-1, -2))
    return _means(site.n_heads, [_block_sums(weights, entropy, readings)])


def _blocks(site: Site) -> Iterator[slice]:
    rows = max(8, BLOCK_BYTES // max(1, 4 * site.n_heads * site.keys))
    for begin in range(0, site.queries, rows):
        yield slice(begin, min(begin + rows, site.queries))


def _block_weights(site: Site, rows: slice) -> tuple[Float[Tensor, "head query seen"], Float[Tensor, "head"]]:
    """The weights of a block of queries on the keys that they see, and the sum of their rows' entropies."""
    if not has_logsumexp(site):
        weights = site.pattern(slice(None), rows)
        return weights, torch.special.entr(weights).sum((-1, -2))
    logs = log_weights(site, rows.start, rows.stop)
    weights = logs.exp()
    # A weight of zero has no entropy; its logarithm only has to be finite for the product to be zero.
    return weights, -_dots(weights.flatten(1), logs.clamp_(min=-1e4).flatten(1))


def _dots(left: Float[Tensor, "head entry"], right: Tensor) -> Float[Tensor, "head"]:
    """Each head's dot product with its own row, or with the one row of all: torch's matrix products of such thin
    shapes take ten times as long."""
    return torch.stack([torch.dot(a, b) for a, b in zip(left, right.expand_as(left), strict=True)])


_Sums = dict[str, tuple[Tensor, int]]


def _block_sums(
    weights: Float[Tensor, "head query seen"], entropy: Float[Tensor, "head"], readings: _Readings
) -> _Sums:
    """For each score: the sum over a block's queries, and how many queries it is defined for."""
    flat = weights.flatten(1)
    sums = {name: (reading.total(flat), reading.count) for name, reading in readings.items()}
    return sums | {"entropy": (entropy, weights.shape[1])}


def _means(n_heads: int, blocks: list[_Sums]) -> dict[str, Float[Tensor, "head"]]:
    """The mean of each score over all queries that it is defined for."""
    undefined = torch.full((n_heads,), float("nan"))
    means = {}
    for name in NAMES:
        parts = [block[name] for block in blocks if name in block]
        count = sum(count for _, count in parts)
        means[name] = torch.stack([total for total, _ in parts]).sum(0) / count if count else undefined
    return means


def _readings(queries: Tensor, seen: int, ids: list[int] | None) -> _Readings:
    """What each score reads of the weights of some queries, given by position, on the first `seen` keys."""
    query, key = queries[:, None], torch.arange(seen)[None, :]
    later = (query > 0).expand(-1, seen)
    readings = {"first": _reading((key == 0) & later, int(later[:, 0].sum()))}
    if ids is None:
        return readings
    known = torch.tensor(ids)
    distance = (key - query).abs()
    same = (known[query] == known[key]) & (key < query)
    # Of "a b a", query 2 attends to key 1: the token after the earlier copy at key 0.
    followed = (known[query] == known[(key - 1).clamp(min=0)]) & (key > 0) & (key < query)
    masks = {"previous": key == query - 1, "duplicate": same, "induction": followed}
    return (
        readings
        | {name: _reading(mask, int(mask.any(-1).sum())) for name, mask in masks.items()}
        | {
            "local": _reading(distance <= LOCAL, len(queries)),
            "distance": _Reading(picked=distance.float().flatten(), count=len(queries)),
        }
    )


def _reading(mask: Bool[Tensor, "query key"], count: int) -> _Reading:
    """The weights where the mask is true."""
    flat = mask.flatten()
    at = flat.nonzero()[:, 0]
    return _Reading(picked=at if len(at) * SPARSE < len(flat) else flat.float(), count=count)
