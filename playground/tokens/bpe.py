"""Byte-pair encoding, replayed: which two neighbours are merged, in which order. Sennrich et al. 2016, algorithm 1.

Of all pairs of neighbours that stand in the merge table, the one that was learned first is merged first; of several
such, the leftmost. With the merges 0: l o, 1: lo w, the word "low" goes l|o|w, lo|w, low.
"""

import heapq
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from tokenizers import Tokenizer

TABLES_KEPT = 4


@dataclass(frozen=True, kw_only=True)
class MergeTable:
    """A BPE vocabulary and its rules."""

    vocabulary: Mapping[str, int]
    ranks: Mapping[tuple[str, str], int]
    """Pairs of pieces by the order in which they were learned."""
    prefix: str = ""
    """Before every piece that does not begin a pre-token."""
    suffix: str = ""
    """Behind the piece that ends a pre-token."""
    unknown: str | None = None
    fuses_unknown: bool = False
    """Whether neighbouring unknown characters are one token."""
    byte_fallback: bool = False
    """Whether an unknown character is spelled by its bytes, <0xE2> and so on."""
    ignores_merges: bool = False
    """Whether a pre-token that is a token is taken whole, without merges."""

    def merged(self, left: str, right: str) -> str:
        """What two pieces become."""
        is_continued = self.prefix and right.startswith(self.prefix)
        return left + (right[len(self.prefix) :] if is_continued else right)


@dataclass(frozen=True, kw_only=True)
class Merge:
    """One step: two neighbours become one piece."""

    rank: int
    """Its place in the merge table: 0 was learned first."""
    left: str
    right: str
    result: str
    start: int
    """The first symbol that the result covers."""
    end: int
    """Behind the last symbol that the result covers."""


@dataclass(frozen=True, kw_only=True)
class MergeReplay:
    """How a pre-token was cut."""

    symbols: tuple[str, ...]
    """What the merges begin with: characters, or the bytes that stand for them."""
    merges: tuple[Merge, ...]
    pieces: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    """Of each piece: its first symbol, and behind its last one."""

    def after(self, step: int) -> list[str]:
        """The pieces after so many merges."""
        pieces = {index: (index + 1, symbol) for index, symbol in enumerate(self.symbols)}
        for merge in self.merges[:step]:
            pieces = {start: piece for start, piece in pieces.items() if not merge.start < start < merge.end}
            pieces[merge.start] = (merge.end, merge.result)
        return [piece for _start, (_end, piece) in sorted(pieces.items())]


@lru_cache(maxsize=TABLES_KEPT)
def merge_table(tokenizer: Tokenizer) -> MergeTable:
    """The vocabulary and the merges of a BPE tokenizer."""
    model = json.loads(tokenizer.model.__getstate__())
    pairs = (merge.split(" ", 1) if isinstance(merge, str) else merge for merge in model["merges"])
    return MergeTable(
        vocabulary=model["vocab"],
        ranks={(left, right): rank for rank, (left, right) in enumerate(pairs)},
        prefix=model.get("continuing_subword_prefix") or "",
        suffix=model.get("end_of_word_suffix") or "",
        unknown=model.get("unk_token"),
        fuses_unknown=bool(model.get("fuse_unk")),
        byte_fallback=bool(model.get("byte_fallback")),
        ignores_merges=bool(model.get("ignore_merges")),
    )


def replay_merges(table: MergeTable, text: str) -> MergeReplay:
    """Cut a pre-token, one merge after the other.

    >>> table = MergeTable(vocabulary={"l": 0, "o": 1, "w": 2}, ranks={("l", "o"): 0, ("lo", "w"): 1})
    >>> [merge.result for merge in replay_merges(table, "low").merges]
    ['lo', 'low']
    """
    if table.ignores_merges and text in table.vocabulary:
        return MergeReplay(symbols=(text,), merges=(), pieces=(text,), spans=((0, 1),))
    symbols = tuple(_symbols(table, text))
    pieces, merges = _merge_all(table, symbols)
    spans = [(start, start + length) for start, length, _piece in pieces]
    return MergeReplay(
        symbols=symbols,
        merges=tuple(merges),
        pieces=tuple(piece for _start, _length, piece in pieces),
        spans=tuple(spans),
    )


def _symbols(table: MergeTable, text: str) -> Iterator[str]:
    """The characters of a pre-token as the vocabulary writes them; unknown ones as bytes, or as the unknown token.

    A vocabulary without an unknown token drops them.
    """
    was_unknown = False
    for index, character in enumerate(text):
        symbol = (table.prefix if index else "") + character + (table.suffix if index == len(text) - 1 else "")
        known = [symbol] if symbol in table.vocabulary else _bytes_of(table, symbol)
        if known:
            yield from known
            was_unknown = False
        elif table.unknown is not None:
            if not (was_unknown and table.fuses_unknown):
                yield table.unknown
            was_unknown = True


def _bytes_of(table: MergeTable, symbol: str) -> list[str]:
    """The byte tokens of a symbol; none where the vocabulary lacks one."""
    spelled = [f"<0x{byte:02X}>" for byte in symbol.encode()] if table.byte_fallback else []
    return spelled if all(piece in table.vocabulary for piece in spelled) else []


def _merge_all(table: MergeTable, symbols: tuple[str, ...]) -> tuple[list[tuple[int, int, str]], list[Merge]]:
    """The pieces as (first symbol, symbols, text), and the merges in order."""
    pieces: list[tuple[int, str] | None] = [(1, symbol) for symbol in symbols]
    before, after = [index - 1 for index in range(len(symbols))], [index + 1 for index in range(len(symbols))]
    queue: list[tuple[int, int, str]] = []

    def offer(left: int, right: int) -> None:
        if left >= 0 and right < len(symbols):
            first, second = pieces[left], pieces[right]
            assert first is not None
            assert second is not None
            rank = table.ranks.get((first[1], second[1]))
            if rank is not None:
                heapq.heappush(queue, (rank, left, table.merged(first[1], second[1])))

    for index in range(len(symbols) - 1):
        offer(index, index + 1)
    merges = []
    while queue:
        rank, index, result = heapq.heappop(queue)
        left, other = pieces[index], after[index]
        right = pieces[other] if left is not None and other < len(symbols) else None
        # An entry is stale where one of its pieces has been merged meanwhile.
        if left is None or right is None or (left[1], right[1]) not in table.ranks:
            continue
        if table.merged(left[1], right[1]) != result:
            continue
        pieces[index], pieces[other] = (left[0] + right[0], result), None
        after[index] = after[other]
        if after[other] < len(symbols):
            before[after[other]] = index
        end = index + left[0] + right[0]
        merges.append(Merge(rank=rank, left=left[1], right=right[1], result=result, start=index, end=end))
        offer(before[index], index)
        offer(index, after[index])
    kept = [(index, piece[0], piece[1]) for index, piece in enumerate(pieces) if piece is not None]
    return kept, merges
