"""Translation edit rate as it is counted: blocks of words shifted one by one, then words edited.

Snover et al. 2006, "A Study of Translation Edit Rate with Targeted Human Annotation", section 2. The best set of shifts
is too much to search for, so that the search is greedy and bounded as in their program tercom, whose numbers
sacrebleu gives, too.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from playground.evaluation.edit_alignment import EditStep, edit_steps

LONGEST_BLOCK = 10
FARTHEST = 50
"""Places between a block and its twin in the reference, at most."""
MOST_CANDIDATES = 1_000
BEAM = 25
"""Places to both sides of the diagonal that the edit distance looks at."""
UNREACHED = 1 << 40


@dataclass(frozen=True, kw_only=True)
class BlockShift:
    """One shift: so many words, taken from one place and put in at another."""

    words: tuple[str, ...]
    """The hypothesis before it."""
    start: int
    length: int
    landing: int
    """Position of the block's first word afterwards."""
    gain: int
    """Edits that it saves; the shift itself costs one."""


@dataclass(frozen=True, kw_only=True)
class TerEdits:
    """How a hypothesis becomes its reference."""

    shifts: tuple[BlockShift, ...]
    words: tuple[str, ...]
    """The hypothesis after all shifts."""
    steps: tuple[EditStep, ...]
    """From these words to the reference."""

    @property
    def edits(self) -> int:
        """Shifts, substitutions, insertions and deletions: each counts one."""
        return len(self.shifts) + sum(step.kind != "equal" for step in self.steps)


def ter_edits(hypothesis: Sequence[str], reference: Sequence[str]) -> TerEdits:
    """Shift while that may save edits, the most saving shift first; then edit.

    >>> found = ter_edits("d e a b c".split(), "a b c d e".split())
    >>> found.edits, [(shift.start, shift.length, shift.landing, shift.gain) for shift in found.shifts]
    (1, [(0, 2, 3, 4)])
    """
    words, tried = list(hypothesis), 0
    shifts: list[BlockShift] = []
    distances = _Distances(reference)
    # Shifts keep the words, and so never bring the distance below that of the words in any order; and each costs one.
    least = 1 + max(len(words), len(reference)) - (Counter(words) & Counter(reference)).total()
    while True:
        table = distances.table(words)
        shift, tried = (None, tried) if table[-1][-1] <= least else _best_shift(words, distances, table, tried)
        if tried >= MOST_CANDIDATES or shift is None:
            steps = tuple(edit_steps(words, reference, table))
            return TerEdits(shifts=tuple(shifts), words=tuple(words), steps=steps)
        shifts.append(shift)
        words = _moved(words, shift.start, shift.length, shift.landing)


class _Distances:
    """Edit distances to one reference, within a beam around the diagonal."""

    def __init__(self, reference: Sequence[str]) -> None:
        self.reference = list(reference)

    def table(self, words: Sequence[str]) -> list[list[int]]:
        """[i][j]: from the first i words to the first j of the reference."""
        rows = [list(range(len(self.reference) + 1))]
        for number in range(1, len(words) + 1):
            rows.append(self._row(words, number, rows[-1]))
        return rows

    def within(self, words: Sequence[str], rows: Sequence[list[int]], same: int, most: int) -> int | None:
        """The distance of words whose first `same` have the given rows; None above `most`."""
        row = rows[same]
        for number in range(same + 1, len(words) + 1):
            row = self._row(words, number, row)
            if min(row) > most:  # and no later row has less
                return None
        return row[-1] if row[-1] <= most else None

    def _row(self, words: Sequence[str], number: int, above: list[int]) -> list[int]:
        reference, word, width = self.reference, words[number - 1], len(self.reference)
        ratio = width / len(words)
        beam = BEAM if ratio / 2 <= BEAM else int(-(-(ratio / 2 + BEAM) // 1))
        middle = int(number * ratio // 1)
        first, end = max(0, middle - beam), min(width + 1, middle + beam)
        if number == len(words):
            end = width + 1
        row, left = [UNREACHED] * (width + 1), UNREACHED
        if first == 0:
            row[0] = left = above[0] + 1
        # Comparisons instead of min(): nearly all of the time goes here.
        for j in range(max(first, 1), end):
            cost = above[j - 1] + (word != reference[j - 1])
            if above[j] < cost:
                cost = above[j] + 1
            if left < cost:
                cost = left + 1
            row[j] = left = cost
        return row


def _best_shift(
    words: list[str], distances: _Distances, table: list[list[int]], tried: int
) -> tuple[BlockShift | None, int]:
    """The shift that saves most: of equal ones the longest, then the first, then the one that goes farthest back."""
    now, best, found = table[-1][-1], (0, 0, 0, 0), None
    known: dict[tuple[int, int, int], int | None] = {}
    for start, length, targets in _candidates(words, distances.reference, table):
        for target in targets:
            tried += 1
            landing = target - length if target > start + length else target
            place = (start, length, landing)
            if place not in known:
                moved, most = _moved(words, *place), now - max(1, best[0])
                known[place] = distances.within(moved, table, min(start, landing), most)
            distance = known[place]
            rank = (0, 0, 0, 0) if distance is None else (now - distance, length, -start, -target)
            if rank > best:
                best = rank
                found = BlockShift(words=tuple(words), start=start, length=length, landing=landing, gain=rank[0])
        if tried >= MOST_CANDIDATES:
            break
    return found, tried


def _moved(words: Sequence[str], start: int, length: int, landing: int) -> list[str]:
    """The words with a block put elsewhere; landing: its first place afterwards.

    >>> _moved("a b c d".split(), 0, 2, 1)
    ['c', 'a', 'b', 'd']
    """
    block, rest = list(words[start : start + length]), [*words[:start], *words[start + length :]]
    return [*rest[:landing], *block, *rest[landing:]]


def _candidates(
    words: Sequence[str], reference: Sequence[str], table: Sequence[Sequence[int]]
) -> Iterator[tuple[int, int, list[int]]]:
    """Start and length of each block that stands elsewhere in the reference, and the places before which to try it.

    Only blocks with an error, whose place in the reference has one too, and is not within the block itself.
    """
    wrong, missed, partner = _errors(words, reference, table)
    for start, goal, length in _common_blocks(words, reference):
        is_wrong = any(wrong[start : start + length]) and any(missed[goal : goal + length])
        if is_wrong and not start <= partner[goal] < start + length:
            before = [partner[place] + 1 if place >= 0 else 0 for place in range(goal - 1, goal + length)]
            yield start, length, [target for n, target in enumerate(before) if n == 0 or target != before[n - 1]]


def _errors(
    words: Sequence[str], reference: Sequence[str], table: Sequence[Sequence[int]]
) -> tuple[list[bool], list[bool], list[int]]:
    """Which words are wrong, which of the reference are missed, and the word that each of these stands at."""
    wrong, missed, partner = [False] * len(words), [False] * len(reference), [-1] * len(reference)
    last = -1
    for step in edit_steps(words, reference, table):
        if step.answer is not None:
            last = step.answer
            wrong[step.answer] = step.kind != "equal"
        if step.reference is not None:
            missed[step.reference] = step.kind != "equal"
            partner[step.reference] = last
    return wrong, missed, partner


def _common_blocks(words: Sequence[str], reference: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Every run of words that both have: its start in each, and its length."""
    places: dict[str, list[int]] = {}
    for goal, word in enumerate(reference):
        places.setdefault(word, []).append(goal)
    for start, word in enumerate(words):
        for goal in places.get(word, []):
            if abs(goal - start) <= FARTHEST:
                room = min(LONGEST_BLOCK, len(words) - start, len(reference) - goal)
                for length in range(1, room + 1):
                    if words[start + length - 1] != reference[goal + length - 1]:
                        break
                    yield start, goal, length
