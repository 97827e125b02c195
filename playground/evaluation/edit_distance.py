"""How many tokens have to change before an answer is the right one. Levenshtein 1966.

Schaeffer et al. 2023, "Are Emergent Abilities of Large Language Models a Mirage?", section 3, take it as the measure
that changes about linearly with the share of wrong tokens, where exact match falls to nothing.
"""

from collections.abc import Hashable, Sequence

from playground.errors import UserError


def edit_distance(answer: Sequence[Hashable], right: Sequence[Hashable]) -> int:
    """The fewest insertions, deletions and substitutions that make `answer` into `right`.

    >>> edit_distance("kitten", "sitting"), edit_distance([0, 5, 2, 5], [0, 5, 3, 5])
    (3, 1)
    """
    row = list(range(len(right) + 1))
    for place, token in enumerate(answer, start=1):
        diagonal, row[0] = row[0], place
        for column, wanted in enumerate(right, start=1):
            substituted = diagonal + (token != wanted)
            diagonal = row[column]
            row[column] = min(substituted, row[column] + 1, row[column - 1] + 1)
    return row[-1]


def normalised_edit_distance(answer: Sequence[Hashable], right: Sequence[Hashable]) -> float:
    """The edit distance as a share of the longer of both, from 0 (the same) to 1; 0 for two empty ones.

    >>> normalised_edit_distance("0525", "0535")
    0.25
    """
    longest = max(len(answer), len(right))
    return edit_distance(answer, right) / longest if longest else 0.0


def mean_edit_distance(
    answers: Sequence[Sequence[Hashable]], rights: Sequence[Sequence[Hashable]], *, normalised: bool
) -> float:
    """The mean over answers, in tokens or as a share. Raises UserError where there are none, or not as many of both.

    >>> mean_edit_distance(["12", "34"], ["12", "43"], normalised=False)
    1.0
    """
    if not answers or len(answers) != len(rights):
        raise UserError(
            "There are {n_answers} answers for {n_rights} questions; give one for each.",
            n_answers=len(answers),
            n_rights=len(rights),
        )
    distance = normalised_edit_distance if normalised else edit_distance
    return sum(distance(answer, right) for answer, right in zip(answers, rights, strict=True)) / len(answers)
