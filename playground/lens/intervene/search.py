"""Which heads look the way one has in mind: rank all of them by a pattern, and say what chance would give.

A pattern marks for each query the keys that count. A head's score is the mean weight that its queries put there, over
the queries that have such a key. Chance is measured, not assumed: the weights of every row are shuffled among the keys
that the row may see, so that a head which looks at one key only stays as sharp, but somewhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.site import Site, SiteKind
from playground.progress import OnProgress, no_progress

Pattern = Literal["previous", "first", "same token", "induction", "separator"]
CrossPattern = Literal["first", "same token", "same place", "separator"]
SHUFFLES = 20
SEPARATORS = frozenset({".", ",", ";", ":", "!", "?", "\n"})


@dataclass(frozen=True, kw_only=True)
class RankedHead:
    """A head's score, what shuffled weights gave on average and at most, and how many deviations lie between."""

    kind: SiteKind
    layer: int
    head: int
    score: float
    chance: float
    chance_most: float
    deviations: float

    @property
    def is_above_chance(self) -> bool:
        """Whether no shuffle of this head came near."""
        return self.score > self.chance_most


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """All heads, the best first; best_by_chance is the median of the best score of all heads in a shuffle."""

    heads: tuple[RankedHead, ...]
    best_by_chance: float
    queries: int
    shuffles: int


def mask_of(
    pattern: Pattern, ids: Sequence[int], labels: Sequence[str], special: Sequence[bool]
) -> Bool[Tensor, "query key"]:
    """The keys that count for each query.

    previous: the token before. first: the first token (not for itself). same token: earlier copies of the query's
    token. induction: what followed those copies. separator: special tokens and punctuation, other than the query.

    >>> mask_of("induction", [5, 6, 5], ["a", "b", "a"], [False] * 3).int().tolist()
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
        "separator": _stops(labels, special)[None, :] & (key != query),
    }
    return masks[pattern]


def cross_mask_of(
    pattern: CrossPattern, queries: Sequence[int], keys: Sequence[int], labels: Sequence[str], special: Sequence[bool]
) -> Bool[Tensor, "query key"]:
    """The source's keys that count for each of the target's queries; labels and special are the keys'.

    first: the first token. same token: what is spelled alike on both sides. same place: the same number of tokens from
    the start. separator: special tokens and punctuation.
    """
    query, key = torch.arange(len(queries))[:, None], torch.arange(len(keys))[None, :]
    tokens = torch.tensor(list(queries))[:, None] == torch.tensor(list(keys))[None, :]
    masks = {
        "first": (key == 0).expand(len(queries), -1),
        "same token": tokens,
        "same place": key == query,
        "separator": _stops(labels, special).expand(len(queries), -1),
    }
    return masks[pattern]


def _stops(labels: Sequence[str], special: Sequence[bool]) -> Bool[Tensor, "key"]:
    return torch.tensor([one or label.strip(" ▁Ġ") in SEPARATORS for one, label in zip(special, labels, strict=True)])


def rank_heads(
    sites: Sequence[Site],
    mask: Bool[Tensor, "query key"],
    *,
    shuffles: int = SHUFFLES,
    seed: int = 0,
    on_progress: OnProgress = no_progress,
) -> Ranking:
    """Rank all heads of some sites by a mask, which may be a painted one.

    Raises UserError for a mask of another size, one that marks nothing that can be seen, and no sites.
    """
    if not sites:
        raise UserError("There is no attention to search through.")
    if any((site.queries, site.keys) != tuple(mask.shape) for site in sites):
        raise UserError(
            "The mask is {shape} by {shape_2}, and the maps are of another size; paint anew.",
            shape=mask.shape[0],
            shape_2=mask.shape[1],
        )
    generator = torch.Generator().manual_seed(seed)
    causal = sites[0].is_causal
    seen = torch.ones_like(mask).tril() if causal else torch.ones_like(mask)
    marked = mask & seen
    rows = marked.any(-1)
    if not rows.any():
        raise UserError("No query of this text has a key that the pattern marks; choose another text or pattern.")
    orders = _shuffles(seen[rows], shuffles, generator)
    heads: list[RankedHead] = []
    best = np.zeros(shuffles)
    for number, site in enumerate(sites):
        with torch.inference_mode():
            weights = site.pattern(slice(None), slice(None))[:, rows]
            scores = _score(weights, marked[rows])
            chances = torch.stack([_score(_shuffled(weights, order), marked[rows]) for order in orders])
        heads += _ranked(site, scores, chances)
        best = np.maximum(best, chances.amax(-1).numpy())
        on_progress(number + 1, len(sites))
    heads.sort(key=lambda head: -head.score)
    return Ranking(
        heads=tuple(heads), best_by_chance=float(np.median(best)), queries=int(rows.sum()), shuffles=shuffles
    )


def _score(weights: Float[Tensor, "head query key"], marked: Bool[Tensor, "query key"]) -> Float[Tensor, "head"]:
    return (weights * marked).sum(-1).mean(-1)


def _shuffles(seen: Bool[Tensor, "query key"], count: int, generator: torch.Generator) -> list[Tensor]:
    """For each shuffle and row, an order of the keys that leaves those that cannot be seen at the end."""
    found = []
    for _ in range(count):
        noise = torch.rand(seen.shape, generator=generator)
        # What cannot be seen has weight zero; sorting it behind keeps it out of the seen keys' places.
        found.append(noise.masked_fill(~seen, 2.0).argsort(-1))
    return found


def _shuffled(weights: Float[Tensor, "head query key"], order: Tensor) -> Float[Tensor, "head query key"]:
    """The weights of each row among the keys it may see, in another order."""
    return weights.gather(-1, order.expand_as(weights))


def _ranked(site: Site, scores: Tensor, chances: Float[Tensor, "shuffle head"]) -> list[RankedHead]:
    means, deviations = chances.mean(0), chances.std(0)
    return [
        RankedHead(
            kind=site.kind,
            layer=site.layer,
            head=head,
            score=float(scores[head]),
            chance=float(means[head]),
            chance_most=float(chances[:, head].max()),
            deviations=float((scores[head] - means[head]) / deviations[head].clamp(min=1e-6)),
        )
        for head in range(site.n_heads)
    ]
