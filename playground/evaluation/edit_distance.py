"""Edit distance between an answer and its reference. Levenshtein 1966.

Schaeffer et al. 2023, "Are Emergent Abilities of Large Language Models a Mirage?", section 3, use it as a
continuous metric: it grows about linearly with the share of wrong tokens, where exact match falls to zero.
"""

import itertools
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from playground.evaluation.answers import check_one_each


def edit_distance(answer: Sequence[Hashable], reference: Sequence[Hashable]) -> int:
    """Fewest insertions, deletions and substitutions that turn `answer` into `reference`.

    >>> edit_distance("kitten", "sitting"), edit_distance([0, 5, 2, 5], [0, 5, 3, 5])
    (3, 1)
    """
    # row[j]: distance of the answer's first i tokens to the reference's first j. diagonal: row[j - 1] for i - 1.
    row = list(range(len(reference) + 1))
    for i, token in enumerate(answer, start=1):
        diagonal, row[0] = row[0], i
        for j, wanted in enumerate(reference, start=1):
            substituted = diagonal + (token != wanted)
            diagonal = row[j]
            row[j] = min(substituted, row[j] + 1, row[j - 1] + 1)
    return row[-1]


@dataclass(frozen=True, kw_only=True, eq=False)
class EditTables:
    """The distances between all beginnings of many pairs, filled row by row for all pairs at once."""

    answer: Int[np.ndarray, "pair i"]
    """Tokens as numbers, -1 after the end."""
    reference: Int[np.ndarray, "pair j"]
    n_answer: Int[np.ndarray, " pair"]
    n_reference: Int[np.ndarray, " pair"]
    distances: Int[np.ndarray, "pair i+1 j+1"]
    """Of the first i tokens of an answer to the first j of its reference."""


def edit_tables(answers: Sequence[Sequence[Hashable]], references: Sequence[Sequence[Hashable]]) -> EditTables:
    """The tables of many pairs, which should be short: each takes as much memory as the longest."""
    codes: defaultdict[Hashable, int] = defaultdict(itertools.count().__next__)  # the next number for a new token
    answer, n_answer = _padded(answers, codes)
    reference, n_reference = _padded(references, codes)
    places = np.arange(reference.shape[1] + 1, dtype=np.int32)
    distances = np.empty((len(answers), answer.shape[1] + 1, len(places)), dtype=np.int32)
    distances[:, 0] = places
    for i in range(1, distances.shape[1]):
        above = distances[:, i - 1]
        row = above + 1
        row[:, 1:] = np.minimum(row[:, 1:], above[:, :-1] + (answer[:, i - 1, None] != reference))
        # An insertion adds 1 for each place to the right: the least of what lies to the left, less its place.
        distances[:, i] = np.minimum.accumulate(row - places, axis=1) + places
    return EditTables(
        answer=answer, reference=reference, n_answer=n_answer, n_reference=n_reference, distances=distances
    )


def edit_distances(
    answers: Sequence[Sequence[Hashable]], references: Sequence[Sequence[Hashable]]
) -> Int[np.ndarray, " pair"]:
    """The edit distance of each of many short pairs.

    >>> edit_distances(["kitten", "", "ab"], ["sitting", "abc", "ba"]).tolist()
    [3, 3, 2]
    """
    tables = edit_tables(answers, references)
    found: np.ndarray = tables.distances[np.arange(len(answers)), tables.n_answer, tables.n_reference]
    return found


def _padded(
    sequences: Sequence[Sequence[Hashable]], codes: defaultdict[Hashable, int]
) -> tuple[Int[np.ndarray, "sequence token"], Int[np.ndarray, " sequence"]]:
    """Sequences as rows of codes, padded with -1, and their lengths."""
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    rows = np.full((len(sequences), int(lengths.max(initial=1))), -1, dtype=np.int64)
    flat = map(codes.__getitem__, itertools.chain.from_iterable(sequences))
    rows[np.arange(rows.shape[1]) < lengths[:, None]] = np.fromiter(flat, dtype=np.int64)
    return rows, lengths


def normalised_edit_distance(answer: Sequence[Hashable], reference: Sequence[Hashable]) -> float:
    """Edit distance over the length of the longer sequence, from 0 (equal) to 1; 0 for two empty ones.

    >>> normalised_edit_distance("0525", "0535")
    0.25
    """
    longest = max(len(answer), len(reference))
    return edit_distance(answer, reference) / longest if longest else 0.0


def mean_edit_distance(
    answers: Sequence[Sequence[Hashable]], references: Sequence[Sequence[Hashable]], *, normalised: bool
) -> float:
    """Mean over answers, in tokens or normalised. Raises UserError without one answer per reference.

    >>> mean_edit_distance(["12", "34"], ["12", "43"], normalised=False)
    1.0
    """
    check_one_each(answers, references)
    distance = normalised_edit_distance if normalised else edit_distance
    return sum(distance(answer, reference) for answer, reference in zip(answers, references, strict=True)) / len(
        answers
    )
