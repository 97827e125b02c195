"""Hypotheses and their references, line by line: what BLEU, ROUGE and the word error rate compare."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from playground.errors import UserError
from playground.progress import OnProgress, no_progress

MOST_REFERENCES = 4
BLOCK = 2_000
"""Lines counted at once: their tables stay small, and progress is told before each."""


@dataclass(frozen=True, kw_only=True)
class ComparedLines:
    """One hypothesis for each line, and one to four references for each.

    Raises UserError that names the first line without a partner, or with an empty reference.
    """

    hypotheses: tuple[str, ...]
    references: tuple[tuple[str, ...], ...]
    """[line][reference]; each line has equally many."""

    def __post_init__(self) -> None:
        if not self.hypotheses:
            raise UserError("There is no line to compare; write a hypothesis and its reference.")
        if len(self.references) != len(self.hypotheses):
            _refuse_counts(len(self.hypotheses), len(self.references))
        for row, references in enumerate(self.references, start=1):
            if not 1 <= len(references) <= MOST_REFERENCES:
                raise UserError(
                    "Line {row} has {count} references; give one to {most}.",
                    row=row,
                    count=len(references),
                    most=MOST_REFERENCES,
                )
            if not all(reference.strip() for reference in references):
                raise UserError("Line {row} has an empty reference; write one, or delete the line.", row=row)

    def __len__(self) -> int:
        return len(self.hypotheses)

    @property
    def n_references(self) -> int:
        """References of each line."""
        return len(self.references[0])

    @property
    def empty_hypotheses(self) -> tuple[int, ...]:
        """Numbers of the lines, from 1, whose hypothesis is empty: they count, with a score of 0."""
        return tuple(row for row, text in enumerate(self.hypotheses, start=1) if not text.strip())


def line_blocks(
    lines: ComparedLines, on_progress: OnProgress = no_progress, *, size: int = BLOCK
) -> Iterator[tuple[slice, list[Sequence[str]]]]:
    """Which lines are counted at once, and their texts: the hypotheses, then each set of references."""
    for start in range(0, len(lines), size):
        on_progress(start, len(lines))
        block = slice(start, start + size)
        yield block, [lines.hypotheses[block], *zip(*lines.references[block], strict=True)]


def pair_lines(hypotheses: str, references: Sequence[str]) -> ComparedLines:
    """Texts with one sentence a line: the hypotheses, and each set of references.

    Raises UserError where they have different numbers of lines, naming the first line without a partner.

    >>> pair_lines("a\\nb", ["c\\nd", "e\\nf"]).references
    (('c', 'e'), ('d', 'f'))
    """
    own, sets = split_lines(hypotheses), [split_lines(text) for text in references]
    for lines in sets:
        if len(lines) != len(own):
            _refuse_counts(len(own), len(lines))
    return ComparedLines(hypotheses=tuple(own), references=tuple(zip(*sets, strict=True)))


def split_lines(text: str) -> list[str]:
    """The lines of a text, without the empty ones at its end.

    >>> split_lines("a\\r\\n\\nb\\n\\n"), split_lines("")
    (['a', '', 'b'], [])
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _refuse_counts(n_hypotheses: int, n_references: int) -> None:
    raise UserError(
        "There are {n_hypotheses} hypotheses and {n_references} references: line {row} has no partner. "
        "Give one line for each.",
        n_hypotheses=n_hypotheses,
        n_references=n_references,
        row=min(n_hypotheses, n_references) + 1,
    )
