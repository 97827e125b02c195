"""The edits that turn a reference into an answer, one by one, and the word error rate that they count up to.

Levenshtein 1966; Morris et al. 2004, "From WER and RIL to MER and WIL", section 2.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from playground.errors import UserError
from playground.evaluation.answers import exact_match_spread
from playground.evaluation.edit_distance import EditTables, edit_tables
from playground.evaluation.lines import ComparedLines, line_blocks
from playground.evaluation.resampling import Spread, bootstrap_score
from playground.progress import OnProgress, no_progress

EditKind = Literal["equal", "substitution", "insertion", "deletion"]
EDIT_KINDS: tuple[EditKind, ...] = ("equal", "substitution", "insertion", "deletion")
MOST_TOKENS = 5_000
"""A table of as many rows and columns fits into 100 MB."""
BLOCK = 500
"""Pairs aligned at once."""
SHORT = 100
"""Tokens: so many tables of this length take 20 MB."""
EditStatistics = Int[np.ndarray, "*line 5"]
"""Of each line: equal tokens, substitutions, insertions, deletions, and tokens of the reference."""


@dataclass(frozen=True, kw_only=True)
class EditStep:
    """One column of an alignment."""

    kind: EditKind
    answer: int | None
    """Position in the answer; None for a deletion."""
    reference: int | None
    """Position in the reference; None for an insertion."""


def align_edits(answer: Sequence[Hashable], reference: Sequence[Hashable]) -> list[EditStep]:
    """A shortest way from the reference to the answer; substitutions before insertions and deletions where equal.

    Raises UserError for texts whose table would not fit into memory.

    >>> [step.kind for step in align_edits("a b d e".split(), "a c d".split())]
    ['equal', 'substitution', 'equal', 'insertion']
    """
    if max(len(answer), len(reference)) > MOST_TOKENS:
        raise UserError(
            "A line has {count:,} tokens; an alignment is drawn of up to {most:,}. Split it.",
            count=max(len(answer), len(reference)),
            most=MOST_TOKENS,
        )
    return edit_steps(answer, reference, edit_tables([answer], [reference]).distances[0])


def edit_steps(
    answer: Sequence[Hashable], reference: Sequence[Hashable], table: Sequence[Sequence[int]] | np.ndarray
) -> list[EditStep]:
    """The way back through a table of distances: pairs before insertions before deletions, where equally short.

    table: the distance of each beginning of the answer, a row, from each beginning of the reference, a column.
    """
    i, j = len(answer), len(reference)
    steps = []
    while i or j:
        differs = bool(i and j and answer[i - 1] != reference[j - 1])
        if i and j and table[i][j] == table[i - 1][j - 1] + differs:
            i, j = i - 1, j - 1
            steps.append(EditStep(kind="substitution" if differs else "equal", answer=i, reference=j))
        elif i and table[i][j] == table[i - 1][j] + 1:
            i -= 1
            steps.append(EditStep(kind="insertion", answer=i, reference=None))
        else:
            j -= 1
            steps.append(EditStep(kind="deletion", answer=None, reference=j))
    return steps[::-1]


def edit_counts(answer: Sequence[Hashable], reference: Sequence[Hashable]) -> list[int]:
    """Equal tokens, substitutions, insertions, deletions, and tokens of the reference.

    >>> edit_counts("kitten", "sitting")
    [4, 2, 0, 1, 7]
    """
    kinds = [step.kind for step in align_edits(answer, reference)]
    return [*(kinds.count(kind) for kind in EDIT_KINDS), len(reference)]


def error_statistics(
    lines: ComparedLines, *, characters: bool = False, on_progress: OnProgress = no_progress
) -> EditStatistics:
    """The counts of each line against its nearest reference; words, or characters without white space at the edges."""
    table = np.zeros((len(lines), 5), dtype=np.int64)
    for block, columns in line_blocks(lines, on_progress, size=BLOCK):
        own, *sets = ([error_tokens(text, characters=characters) for text in texts] for texts in columns)
        counts = np.stack([_block_counts(own, wanted) for wanted in sets])
        nearest = error_rates(counts).argmin(0)
        table[block] = counts[nearest, np.arange(len(own))]
    return table


def _block_counts(answers: Sequence[list[str]], references: Sequence[list[str]]) -> EditStatistics:
    """The counts of some pairs: of short ones at once, of long ones one by one."""
    table = np.zeros((len(answers), 5), dtype=np.int64)
    longest = np.array([max(map(len, pair)) for pair in zip(answers, references, strict=True)])
    short = np.flatnonzero(longest <= SHORT).tolist()
    if short:
        table[short] = _counts_on_the_way(
            edit_tables([answers[pair] for pair in short], [references[pair] for pair in short])
        )
    for pair in np.flatnonzero(longest > SHORT).tolist():
        table[pair] = edit_counts(answers[pair], references[pair])
    return table


def _counts_on_the_way(tables: EditTables) -> EditStatistics:
    """The counts along the way back through many tables at once, by the rules of `edit_steps`."""
    pairs, i, j = np.arange(len(tables.answer)), tables.n_answer.copy(), tables.n_reference.copy()
    counts = np.zeros((len(pairs), 5), dtype=np.int64)
    while (i + j).any():
        inside = (i > 0) & (j > 0)
        # At an edge the place before is that of the last token: `inside` and `i > 0` leave it out.
        differs = np.zeros(len(pairs), dtype=np.int32)
        differs[inside] = (tables.answer[pairs, i - 1] != tables.reference[pairs, j - 1])[inside]
        here = tables.distances[pairs, i, j]
        both = inside & (here == tables.distances[pairs, i - 1, j - 1] + differs)
        inserted = ~both & (i > 0) & (here == tables.distances[pairs, i - 1, j] + 1)
        deleted = ~both & ~inserted & (j > 0)
        counts[:, :4] += np.stack([both & (differs == 0), both & (differs > 0), inserted, deleted], axis=1)
        i, j = i - (both | inserted), j - (both | deleted)
    counts[:, 4] = tables.n_reference
    return counts


def error_tokens(text: str, *, characters: bool) -> list[str]:
    """Words between white space; or single characters.

    >>> error_tokens(" a cat ", characters=False), error_tokens("猫 坐", characters=True)
    (['a', 'cat'], ['猫', ' ', '坐'])
    """
    return list(text.strip()) if characters else text.split()


def error_rates(statistics: EditStatistics) -> Float[np.ndarray, "*line"]:
    """Substitutions, insertions and deletions over the tokens of the reference: 0 for equal texts, may exceed 1."""
    rates: np.ndarray = statistics[..., 1:4].sum(-1) / np.maximum(statistics[..., 4], 1)
    return rates


def error_rate_spread(table: EditStatistics) -> Spread:
    """All edits over all tokens of the references, with the interval over lines."""
    return bootstrap_score(table, error_rates)


def error_report(
    lines: ComparedLines, *, characters: bool = False, on_progress: OnProgress = no_progress
) -> dict[str, Any]:
    """Error rate, edits and exact match of the lines, as JSON takes it."""
    table = error_statistics(lines, characters=characters, on_progress=on_progress)
    rate, exact = error_rate_spread(table), exact_match_spread(lines)
    return {
        "n": len(lines),
        "unit": "characters" if characters else "words",
        "error_rate": rate.value,
        "interval": rate.interval,
        **dict(zip((*EDIT_KINDS, "reference_tokens"), table.sum(0).tolist(), strict=True)),
        "exact_match": exact.value,
        "exact_match_interval": exact.interval,
    }
