"""Find heads by pattern: rank all heads by the attention on marked keys, against a chance level from shuffling.

A pattern marks keys for each query. A head's score is the mean attention weight on marked keys, over queries that have
one. Chance is measured, not assumed: each row's weights are shuffled among its visible keys, so that a head which
attends to one key stays as sharp, but elsewhere. The best of many heads is high by chance, so that the level which a
head must exceed is a quantile of the maximum over all heads (Westfall and Young 1993, the max statistic).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.site import Site, SiteKind
from playground.lens.finding import Finding
from playground.progress import OnProgress, no_progress
from playground.text import N_

Pattern = Literal["previous", "first", "same token", "induction", "separator"]
CrossPattern = Literal["first", "same token", "same place", "separator"]
SHUFFLES = 200
"""Enough that 10 of them lie above the 95th percentile."""
CHANCE_QUANTILE = 0.95
"""A best head above this quantile of shuffled maxima is above chance at the 5% level, over all heads."""
ROUNDING = 1e-6
"""Even attention scores exactly chance, up to this."""
SEPARATORS = frozenset({".", ",", ";", ":", "!", "?", "\n"})


@dataclass(frozen=True, kw_only=True)
class RankedHead:
    """A head's score, and its scores after shuffling."""

    kind: SiteKind
    layer: int
    head: int
    score: float
    shuffled_mean: float
    shuffled_high: float
    """95th percentile of the head's shuffles: never above the chance level of all heads."""
    z_score: float
    """Standard deviations of the shuffled scores between their mean and the score."""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """All heads by falling score."""

    heads: tuple[RankedHead, ...]
    chance_level: float
    """95th percentile over shuffles of the best score of all heads."""
    queries: int
    """How many queries have a marked key."""
    shuffles: int

    @property
    def above_chance(self) -> tuple[RankedHead, ...]:
        """The heads that exceed the chance level."""
        return tuple(head for head in self.heads if head.score > self.chance_level + ROUNDING)


def pattern_mask(
    pattern: Pattern, ids: Sequence[int], labels: Sequence[str], special: Sequence[bool]
) -> Bool[Tensor, "query key"]:
    """The marked keys of each query.

    previous: the token before. first: the first token (not for itself). same token: earlier copies of the query's
    token. induction: the tokens after those copies. separator: special tokens and punctuation, other than the query.

    >>> pattern_mask("induction", [5, 6, 5], ["a", "b", "a"], [False] * 3).int().tolist()
    [[0, 0, 0], [0, 0, 0], [0, 1, 0]]
    """
    length = len(ids)
    query, key = torch.arange(length)[:, None], torch.arange(length)[None, :]
    tokens = torch.tensor(list(ids))
    masks = {
        "previous": key == query - 1,
        "first": (key == 0) & (query > 0),
        "same token": (tokens[query] == tokens[key]) & (key < query),
        "induction": (tokens[query] == tokens[(key - 1).clamp(min=0)]) & (key > 0) & (key < query),
        "separator": _separators(labels, special)[None, :] & (key != query),
    }
    return masks[pattern]


def cross_pattern_mask(
    pattern: CrossPattern, queries: Sequence[int], keys: Sequence[int], labels: Sequence[str], special: Sequence[bool]
) -> Bool[Tensor, "query key"]:
    """The marked source keys of each target query; labels and special are the keys'.

    first: the first token. same token: equal ids on both sides. same place: the same position in both. separator:
    special tokens and punctuation.
    """
    query, key = torch.arange(len(queries))[:, None], torch.arange(len(keys))[None, :]
    tokens = torch.tensor(list(queries))[:, None] == torch.tensor(list(keys))[None, :]
    masks = {
        "first": (key == 0).expand(len(queries), -1),
        "same token": tokens,
        "same place": key == query,
        "separator": _separators(labels, special).expand(len(queries), -1),
    }
    return masks[pattern]


def _separators(labels: Sequence[str], special: Sequence[bool]) -> Bool[Tensor, "key"]:
    return torch.tensor(
        [is_special or label.strip(" ▁Ġ") in SEPARATORS for is_special, label in zip(special, labels, strict=True)]
    )


def rank_heads(
    sites: Sequence[Site],
    mask: Bool[Tensor, "query key"],
    *,
    shuffles: int = SHUFFLES,
    seed: int = 0,
    on_progress: OnProgress = no_progress,
) -> Ranking:
    """Rank all heads of some sites by a mask of marked keys.

    Raises UserError for a mask of another size, one that marks no visible key, and no sites.
    """
    _refuse_other_size(sites, mask)
    generator = torch.Generator().manual_seed(seed)
    visible = torch.ones_like(mask).tril() if all(site.is_causal for site in sites) else torch.ones_like(mask)
    marked = mask & visible
    queries = marked.any(-1)
    if not queries.any():
        raise UserError("No query of this text has a key that the pattern marks; choose another text or pattern.")
    cells = marked[queries].nonzero()
    sources = _shuffled_sources(visible[queries], cells, shuffles, generator)
    heads: list[RankedHead] = []
    best = np.zeros(shuffles)
    for index, site in enumerate(sites):
        with torch.inference_mode():
            weights = site.pattern(slice(None), slice(None))[:, queries]
            scores = _marked_weight(weights, cells)
            shuffled = torch.stack([_marked_weight(weights, source) for source in sources])
        heads += _ranked(site, scores, shuffled)
        best = np.maximum(best, shuffled.amax(-1).numpy())
        on_progress(index + 1, len(sites))
    heads.sort(key=lambda head: -head.score)
    return Ranking(
        heads=tuple(heads),
        chance_level=float(np.quantile(best, CHANCE_QUANTILE)),
        queries=int(queries.sum()),
        shuffles=shuffles,
    )


def _refuse_other_size(sites: Sequence[Site], mask: Bool[Tensor, "query key"]) -> None:
    if not sites:
        raise UserError("There is no attention to search through.")
    if any((site.queries, site.keys) != tuple(mask.shape) for site in sites):
        raise UserError(
            "The mask is {n_queries} by {n_keys}, and the maps are of another size; paint anew.",
            n_queries=mask.shape[0],
            n_keys=mask.shape[1],
        )


def best_head_finding(ranking: Ranking) -> Finding:
    """Whether the best head exceeds the chance level, and how many do."""
    best = ranking.heads[0]
    values: dict[str, object] = {
        "head": f"{best.layer}.{best.head}",
        "score": best.score,
        "chance": ranking.chance_level,
        "above": len(ranking.above_chance),
        "all": len(ranking.heads),
    }
    if best in ranking.above_chance:
        template = N_(
            "Best: head {head} with {score:.3f}, above the chance level {chance:.3f}. Heads above it: {above} of {all}."
        )
    else:
        template = N_("No head exceeds the chance level {chance:.3f}: the best, {head}, reaches {score:.3f}.")
    return Finding(template=template, values=values)


def _marked_weight(weights: Float[Tensor, "head query key"], cells: Int[Tensor, "cell 2"]) -> Float[Tensor, "head"]:
    """Mean over queries of the weight in some cells (query, key)."""
    return weights[:, cells[:, 0], cells[:, 1]].sum(-1) / weights.shape[1]


def _shuffled_sources(
    visible: Bool[Tensor, "query key"], cells: Int[Tensor, "cell 2"], count: int, generator: torch.Generator
) -> list[Int[Tensor, "cell 2"]]:
    """For each shuffle, the cell whose weight lands in each marked cell.

    A causal row that sees keys 0 1 2 of 4 gets an order such as 2 0 1 3: its weights move among visible keys only, and
    a marked key 0 gets the weight of key 2.
    """
    rows, columns = cells[:, 0], cells[:, 1]
    sources = []
    for _ in range(count):
        noise = torch.rand(visible.shape, generator=generator)
        # Noise is below 1, so that 2 sorts invisible keys, whose weights are 0, behind all visible ones.
        order = noise.masked_fill(~visible, 2.0).argsort(-1)
        sources.append(torch.stack([rows, order[rows, columns]], dim=-1))
    return sources


def _ranked(site: Site, scores: Tensor, shuffled: Float[Tensor, "shuffle head"]) -> list[RankedHead]:
    means, deviations = shuffled.mean(0), shuffled.std(0)
    high = np.quantile(shuffled.numpy(), CHANCE_QUANTILE, axis=0)
    return [
        RankedHead(
            kind=site.kind,
            layer=site.layer,
            head=head,
            score=float(scores[head]),
            shuffled_mean=float(means[head]),
            shuffled_high=float(high[head]),
            z_score=float((scores[head] - means[head]) / deviations[head].clamp(min=1e-6)),
        )
        for head in range(site.n_heads)
    ]
