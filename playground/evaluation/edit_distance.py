"""Edit distance between an answer and its reference. Levenshtein 1966.

Schaeffer et al. 2023, "Are Emergent Abilities of Large Language Models a Mirage?", section 3, use it as a
continuous metric: it grows about linearly with the share of wrong tokens, where exact match falls to zero.
"""

from collections.abc import Hashable, Sequence

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
