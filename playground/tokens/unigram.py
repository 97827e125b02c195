"""The unigram model: the segmentation of the largest probability, by the Viterbi algorithm. Kudo 2018, section 3.2.

Each piece has a log probability; a segmentation's is their sum. The best way to each character is the best of all
pieces that end there, each behind the best way to its own beginning.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from tokenizers import Tokenizer

from playground.tokens.bpe import TABLES_KEPT

UNKNOWN_PENALTY = 10.0
"""An unknown character scores so much less than the worst piece (in SentencePiece and in tokenizers)."""


@dataclass(frozen=True, kw_only=True)
class PieceScores:
    """A unigram vocabulary."""

    scores: Mapping[str, float]
    """Log probabilities, in nats."""
    unknown: str | None
    byte_fallback: bool = False

    @property
    def longest(self) -> int:
        """Characters of the longest piece."""
        return max(map(len, self.scores), default=1)

    @property
    def unknown_score(self) -> float:
        """What a character scores that is in no piece."""
        return min(self.scores.values(), default=0.0) - UNKNOWN_PENALTY


@dataclass(frozen=True, kw_only=True)
class LatticePiece:
    """A piece that could cover a stretch of the pre-token."""

    text: str
    start: int
    end: int
    score: float
    total: float
    """The best sum of scores from the beginning to its end, if this piece is the last."""
    is_best: bool
    """Whether the best segmentation holds it."""


@dataclass(frozen=True, kw_only=True)
class UnigramLattice:
    """All pieces that fit into a pre-token, and the best way through."""

    text: str
    candidates: tuple[LatticePiece, ...]
    """By their end, then by their beginning."""
    best: tuple[LatticePiece, ...]
    pieces: tuple[str, ...]
    """The best way as the vocabulary writes it: unknown characters as bytes or as the unknown token, together."""

    @property
    def score(self) -> float:
        """The log probability of the best segmentation, in nats."""
        return self.best[-1].total if self.best else 0.0


@lru_cache(maxsize=TABLES_KEPT)
def piece_scores(tokenizer: Tokenizer) -> PieceScores:
    """The vocabulary of a unigram tokenizer."""
    model = json.loads(tokenizer.model.__getstate__())
    unknown = model.get("unk_id")
    return PieceScores(
        scores={piece: float(score) for piece, score in model["vocab"]},
        unknown=None if unknown is None else model["vocab"][unknown][0],
        byte_fallback=bool(model.get("byte_fallback")),
    )


def best_segmentation(vocabulary: PieceScores, text: str) -> UnigramLattice:
    """The most probable segmentation of a pre-token, and every piece that was considered.

    >>> lattice = best_segmentation(PieceScores(scores={"a": -1.0, "b": -2.0, "ab": -2.5}, unknown=None), "ab")
    >>> lattice.pieces, lattice.score
    (('ab',), -2.5)
    """
    longest, unknown_score = vocabulary.longest, vocabulary.unknown_score
    totals: list[float | None] = [0.0] + [None] * len(text)
    came_from: list[tuple[int, float] | None] = [None] * (len(text) + 1)
    found = []
    for start in range(len(text)):
        so_far = totals[start]
        assert so_far is not None  # each character is reached by itself at least
        fitting = _fitting(vocabulary, text, start, longest)
        if not fitting or len(fitting[0]) > 1:
            fitting = [text[start], *fitting]
        for piece in fitting:
            end = start + len(piece)
            score = vocabulary.scores.get(piece, unknown_score)
            total, known = so_far + score, totals[end]
            found.append((end, start, score, total))
            if known is None or total > known:
                totals[end], came_from[end] = total, (start, score)
    spans = _way_back(came_from, len(text))
    candidates = [
        LatticePiece(
            text=text[start:end], start=start, end=end, score=score, total=total, is_best=(start, end) in spans
        )
        for end, start, score, total in sorted(found)
    ]
    best = sorted((piece for piece in candidates if piece.is_best), key=lambda piece: piece.start)
    return UnigramLattice(
        text=text, candidates=tuple(candidates), best=tuple(best), pieces=tuple(_spelled(vocabulary, best))
    )


def _fitting(vocabulary: PieceScores, text: str, start: int, longest: int) -> list[str]:
    """The pieces that begin at a character, the shortest first."""
    ends = range(start + 1, min(start + longest, len(text)) + 1)
    return [text[start:end] for end in ends if text[start:end] in vocabulary.scores]


def _way_back(came_from: list[tuple[int, float] | None], end: int) -> set[tuple[int, int]]:
    spans = set()
    while (step := came_from[end]) is not None:
        spans.add((step[0], end))
        end = step[0]
    return spans


def _spelled(vocabulary: PieceScores, best: list[LatticePiece]) -> list[str]:
    """Known pieces as they are; a run of unknown characters as its bytes, or as one unknown token."""
    pieces: list[str] = []
    run = ""
    for piece in [*best, None]:
        if piece is not None and piece.text not in vocabulary.scores:
            run += piece.text
            continue
        if run:
            spelled = [f"<0x{byte:02X}>" for byte in run.encode()]
            has_bytes = vocabulary.byte_fallback and all(byte in vocabulary.scores for byte in spelled)
            pieces += spelled if has_bytes else [vocabulary.unknown or run]
            run = ""
        pieces += [] if piece is None else [piece.text]
    return pieces
