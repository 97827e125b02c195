"""The longest common subsequence of two token sequences: its length, and one way to draw it."""

from collections.abc import Hashable, Sequence

import numpy as np


def lcs_length(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    """Length of the longest common subsequence, bit by bit: one addition of a long integer per token.

    Hyyrö 2004, "Bit-parallel LCS-length computation revisited", algorithm of Crochemore et al. 2001.

    >>> lcs_length("ABCBDAB", "BDCABA")
    4
    """
    where: dict[Hashable, int] = {}
    for position, token in enumerate(first):
        where[token] = where.get(token, 0) | 1 << position
    full = (1 << len(first)) - 1
    # A zero bit at i: the subsequence grows by one at the i-th token of `first`.
    row = full
    for token in second:
        matched = row & where.get(token, 0)
        row = ((row + matched) | (row - matched)) & full
    return len(first) - row.bit_count()


def lcs_links(first: Sequence[Hashable], second: Sequence[Hashable]) -> list[tuple[int, int]]:
    """One longest common subsequence as pairs of positions, in order.

    Where there are several, the one that reading the table from its end gives: a match at once, else a step back in
    `second` only where that leaves a longer rest.

    >>> lcs_links("the cat sat".split(), "the fat cat sat".split())
    [(0, 0), (1, 2), (2, 3)]
    """
    table = _lcs_table(first, second)
    i, j = len(first), len(second)
    links = []
    while i and j:
        if first[i - 1] == second[j - 1]:
            i, j = i - 1, j - 1
            links.append((i, j))
        elif table[i][j - 1] > table[i - 1][j]:
            j -= 1
        else:
            i -= 1
    return links[::-1]


def _lcs_table(first: Sequence[Hashable], second: Sequence[Hashable]) -> list[list[int]]:
    """[i][j]: length for the first i tokens of `first` and the first j of `second`."""
    codes = {token: code for code, token in enumerate(dict.fromkeys([*first, *second]))}
    columns = np.array([codes[token] for token in second], dtype=np.int64)
    table = np.zeros((len(first) + 1, len(second) + 1), dtype=np.int32)
    for i, token in enumerate(first, start=1):
        diagonal = table[i - 1, :-1] + (columns == codes[token])
        table[i, 1:] = np.maximum.accumulate(np.maximum(diagonal, table[i - 1, 1:]))
    rows: list[list[int]] = table.tolist()
    return rows
