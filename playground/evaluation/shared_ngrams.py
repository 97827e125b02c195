"""How many n-grams lines share with their references, counted for many lines at once.

A dictionary for each line says the same; sorted codes of whole blocks of lines say it several times faster.
"""

import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int


@dataclass(frozen=True, kw_only=True, eq=False)
class SharedNgrams:
    """The n-grams of one order in some lines, and how many of them the references have."""

    totals: Int[np.ndarray, "text line"]
    """N-grams of the hypotheses, then of each set of references."""
    line: Int[np.ndarray, " ngram"]
    """Of each distinct n-gram of a hypothesis."""
    shared: Int[np.ndarray, "reference ngram"]
    """How often both have it: the smaller of its two counts."""

    def matches(self) -> Int[np.ndarray, "reference line"]:
        """N-grams that each line shares with each of its references alone."""
        return np.stack([self._by_line(counts) for counts in self.shared])

    def clipped(self) -> Int[np.ndarray, " line"]:
        """N-grams of each line, each clipped to its largest count in any one of the references."""
        return self._by_line(self.shared.max(0))

    def _by_line(self, counts: Int[np.ndarray, " ngram"]) -> Int[np.ndarray, " line"]:
        return np.bincount(self.line, counts, minlength=self.totals.shape[1]).astype(np.int64)


def shared_ngrams(texts: Sequence[Sequence[Sequence[Hashable]]], orders: int) -> Iterator[SharedNgrams]:
    """For each order from 1 the n-grams of the first texts that the others share. texts: [text][line], all as long.

    >>> first, second = shared_ngrams([[["the"] * 3], [["the", "the", "cat"]]], 2)
    >>> first.totals.tolist(), first.matches().tolist(), second.clipped().tolist()
    ([[3], [3]], [[2]], [1])
    """
    n_texts, n_lines = len(texts), len(texts[0])
    lengths = np.array([[len(line) for line in lines] for lines in texts]).reshape(-1)
    codes: defaultdict[Hashable, int] = defaultdict(itertools.count().__next__)  # the next number for a new token
    tokens = itertools.chain.from_iterable(itertools.chain.from_iterable(texts))
    symbols = np.fromiter(map(codes.__getitem__, tokens), dtype=np.int64)
    owners = np.repeat(np.arange(n_texts * n_lines), lengths)
    for order, (ngrams, owner) in enumerate(_coded(symbols, owners, len(codes), n_lines, orders), start=1):
        tables = [_counted(ngrams, owner, text, n_lines) for text in range(n_texts)]
        own, counts = tables[0]
        yield SharedNgrams(
            totals=np.maximum(lengths - order + 1, 0).reshape(n_texts, n_lines),
            line=own % n_lines,
            shared=np.stack([_smaller(own, counts, *table) for table in tables[1:]]),
        )


def _coded(
    symbols: Int[np.ndarray, " token"], owners: Int[np.ndarray, " token"], n_codes: int, n_lines: int, orders: int
) -> Iterator[tuple[Int[np.ndarray, " ngram"], Int[np.ndarray, " ngram"]]]:
    """For each order a code of every n-gram, equal for equal n-grams, and the text and line that it stands in."""
    ngrams, n_symbols = symbols, max(n_codes, 1)
    for order in range(1, orders + 1):
        if order > 1:
            if n_codes * n_symbols * n_lines >= 2**62:  # codes would no longer fit beside a line's number
                distinct, ngrams = np.unique(ngrams, return_inverse=True)
                n_codes = len(distinct)
            ngrams = ngrams[:-1] * n_symbols + symbols[order - 1 :]
            n_codes *= n_symbols
        starts = owners[: len(ngrams)]
        within = starts == owners[order - 1 :]
        yield ngrams[within], starts[within]


def _counted(
    ngrams: Int[np.ndarray, " ngram"], owner: Int[np.ndarray, " ngram"], text: int, n_lines: int
) -> tuple[Int[np.ndarray, " key"], Int[np.ndarray, " key"]]:
    """The distinct n-grams of each line of one text, as sorted keys of code and line, and their counts."""
    first, end = np.searchsorted(owner, (text * n_lines, (text + 1) * n_lines))
    return np.unique(ngrams[first:end] * n_lines + owner[first:end] % n_lines, return_counts=True)


def _smaller(
    own: Int[np.ndarray, " key"],
    counts: Int[np.ndarray, " key"],
    other: Int[np.ndarray, " reference_key"],
    other_counts: Int[np.ndarray, " reference_key"],
) -> Int[np.ndarray, " key"]:
    """The smaller count of each key of `own`; 0 where `other` has it not."""
    if not len(other):
        return np.zeros_like(counts)
    place = np.minimum(np.searchsorted(other, own), len(other) - 1)
    return np.where(other[place] == own, np.minimum(counts, other_counts[place]), 0)
