"""N-grams of two texts, and which of them match: the count of a repeated n-gram is clipped to its references'.

Papineni et al. 2002, "BLEU: a Method for Automatic Evaluation of Machine Translation", section 2.1.1.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Ngram = tuple[str, ...]
MarkState = Literal["matched", "clipped", "absent"]
"""Counted; beyond the largest count in a reference; in no reference."""


@dataclass(frozen=True, kw_only=True)
class NgramMark:
    """One n-gram at its place in a text."""

    ngram: Ngram
    state: MarkState


@dataclass(frozen=True, kw_only=True)
class MarkedNgrams:
    """The n-grams of one order in a hypothesis and in its references, in reading order."""

    hypothesis: tuple[NgramMark, ...]
    references: tuple[tuple[NgramMark, ...], ...]
    """Of each reference; an n-gram that the hypothesis has is matched as often as both have it."""

    @property
    def matches(self) -> int:
        """How many n-grams of the hypothesis count: the numerator of the modified precision."""
        return sum(mark.state == "matched" for mark in self.hypothesis)

    @property
    def total(self) -> int:
        """How many n-grams the hypothesis has: the denominator."""
        return len(self.hypothesis)


def ngrams_of(tokens: Sequence[str], order: int) -> list[Ngram]:
    """All n-grams of that order, in reading order.

    >>> ngrams_of(["the", "cat", "sat"], 2)
    [('the', 'cat'), ('cat', 'sat')]
    """
    return [tuple(tokens[i : i + order]) for i in range(len(tokens) - order + 1)]


def largest_counts(texts: Sequence[Sequence[str]], order: int) -> Counter[Ngram]:
    """The largest count of each n-gram in any one of the texts: what a hypothesis' count is clipped to.

    >>> largest_counts([["a", "a"], ["a", "b"]], 1)
    Counter({('a',): 2, ('b',): 1})
    """
    counts: Counter[Ngram] = Counter()
    for text in texts:
        counts |= Counter(ngrams_of(text, order))
    return counts


def mark_ngrams(hypothesis: Sequence[str], references: Sequence[Sequence[str]], order: int) -> MarkedNgrams:
    """Which n-grams of one order match, as often as they may.

    >>> marked = mark_ngrams(["the"] * 7, [["the", "cat", "is", "on", "the", "mat"]], 1)
    >>> marked.matches, marked.total, [mark.state for mark in marked.hypothesis][1:4]
    (2, 7, ['matched', 'clipped', 'clipped'])
    """
    own = Counter(ngrams_of(hypothesis, order))
    return MarkedNgrams(
        hypothesis=_mark(hypothesis, order, largest_counts(references, order)),
        references=tuple(_mark(reference, order, own) for reference in references),
    )


def _mark(tokens: Sequence[str], order: int, allowed: Counter[Ngram]) -> tuple[NgramMark, ...]:
    """Each n-gram: matched while its allowed count lasts, then clipped; absent without any."""
    seen: Counter[Ngram] = Counter()
    marks = []
    for ngram in ngrams_of(tokens, order):
        seen[ngram] += 1
        state: MarkState = "matched" if seen[ngram] <= allowed[ngram] else "clipped" if allowed[ngram] else "absent"
        marks.append(NgramMark(ngram=ngram, state=state))
    return tuple(marks)
