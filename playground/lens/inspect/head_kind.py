"""What kind of head one sees on a text, in a sentence with its numbers; and the heads that are most like it.

The kinds are those of the scores (`playground.lens.inspect.head_scores`). A kind is named only where most of the
attention goes where that kind of head looks; where nothing fits, nothing is said.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from playground.lens.finding import Finding
from playground.lens.inspect.head_scores import LOCAL
from playground.text import N_

MAJORITY = 0.5
"""Mean attention from which a head counts as one that looks there: Clark et al. 2019, section 3.1, name those heads
of BERT that put more than half of their attention on the previous token."""
LOCAL_SHARE = 0.8
"""Mean attention within `LOCAL` tokens from which a head counts as local. Our choice."""
LOCAL_CHANCE = 0.6
"""The most that uniform attention may put there: on a shorter text every head would count as local. Our choice."""
BROAD = 0.9
"""Share of uniform attention's entropy from which a head counts as broad. Clark et al. 2019, section 3.3, tell broad
from focused heads by their entropy; the share is our choice."""
FEWEST_QUERIES = 5
"""A mean over fewer queries is not put into words. Our choice."""

_TEMPLATES = {
    "previous": N_(
        "Previous-token head on this text: {share:.2f} of the attention goes to the token before, "
        "{first:.2f} to the first token."
    ),
    "induction": N_(
        "Induction head on this text: at the {repeats} tokens that occurred before, {share:.2f} of the attention goes "
        "to what followed them then; {first:.2f} goes to the first token."
    ),
    "duplicate": N_(
        "Duplicate-token head on this text: at the {repeats} tokens that occurred before, {share:.2f} of the attention "
        "goes to their earlier copies; {first:.2f} goes to the first token."
    ),
    "first": N_("Attention sink on this text: {share:.2f} of the attention goes to the first token."),
    "local": N_(
        "Local head on this text: {share:.2f} of the attention stays within {local} tokens (uniform attention: "
        "{uniform:.2f}), {first:.2f} goes to the first token."
    ),
    "broad": N_(
        "Broad head on this text: the entropy of {entropy:.2f} nats is {share:.0%} of uniform attention's; "
        "{first:.2f} of the attention goes to the first token."
    ),
}
_COMPARED = ("previous", "first", "duplicate", "induction", "local")


@dataclass(frozen=True, kw_only=True)
class TextShape:
    """What a text allows its heads: how many tokens they see, and how many of these occurred before."""

    queries: int
    keys: int
    is_causal: bool
    repeats: int
    """Queries whose token occurred before: those that the induction and duplicate scores are means over."""

    def visible(self, reach: int | None = None) -> np.ndarray:
        """How many keys each query may look at: all, or those within a reach of its own position."""
        query = np.arange(self.queries)
        last = query if self.is_causal else np.full(self.queries, self.keys - 1)
        if reach is None:
            return last + 1
        return np.asarray(np.minimum(last, query + reach) - np.maximum(0, query - reach) + 1)


def count_repeats(ids: Sequence[int]) -> int:
    """How many tokens occurred before.

    >>> count_repeats([5, 6, 5, 6, 7])
    2
    """
    return len(ids) - len(set(ids))


def describe_head(scores: Mapping[str, float], text: TextShape) -> Finding | None:
    """What kind of head these scores of one head show on a text; None where no kind fits."""
    if text.queries < FEWEST_QUERIES:
        return None
    name, share = _kind(scores, text)
    if not name:
        return None
    values = {
        "share": share,
        "first": scores["first"],
        "entropy": scores["entropy"],
        "repeats": text.repeats,
        "local": LOCAL,
        "uniform": _uniform_local(text),
    }
    template = _TEMPLATES[name]
    return Finding(template=template, values={key: value for key, value in values.items() if f"{{{key}" in template})


def _kind(scores: Mapping[str, float], text: TextShape) -> tuple[str, float]:
    """The kind whose place gets the most attention, where that is most of it; else local or broad; else none."""
    repeated = ("induction", "duplicate") if text.repeats >= FEWEST_QUERIES else ()
    places = {name: scores[name] for name in ("previous", *repeated, "first") if scores[name] > MAJORITY}
    if places:
        return max(places.items(), key=lambda place: place[1])
    if scores["local"] > LOCAL_SHARE and _uniform_local(text) < LOCAL_CHANCE:
        return "local", scores["local"]
    breadth = scores["entropy"] / _uniform_entropy(text)
    return ("broad", breadth) if breadth > BROAD else ("", math.nan)


def _uniform_entropy(text: TextShape) -> float:
    """The mean entropy over the queries of attention that is equal on all visible keys, in nats."""
    return float(np.log(text.visible()).mean()) or math.inf


def _uniform_local(text: TextShape) -> float:
    """The mean share within `LOCAL` tokens of attention that is equal on all visible keys."""
    return float((text.visible(LOCAL) / text.visible()).mean())


@dataclass(frozen=True, kw_only=True)
class SimilarHead:
    """A head, and how far its scores are from another's."""

    row: int
    """The layer's, in the tables."""
    head: int
    distance: float
    """Root mean square difference of the scores that are shares of attention: from 0, the same, to 1."""


def similar_heads(tables: Mapping[str, np.ndarray], row: int, head: int, count: int = 6) -> list[SimilarHead]:
    """The heads whose scores [layer, head] are nearest to those of one head, the nearest first."""
    known = [table for name in _COMPARED if np.isfinite(table := np.asarray(tables[name])).all()]
    if not known:
        return []
    points = np.stack(known, axis=-1)
    distances = np.sqrt(((points - points[row, head]) ** 2).mean(-1))
    order = np.argsort(distances, axis=None, kind="stable")
    places = [divmod(int(index), distances.shape[1]) for index in order]
    return [
        SimilarHead(row=place[0], head=place[1], distance=float(distances[place]))
        for place in places
        if place != (row, head)
    ][:count]
