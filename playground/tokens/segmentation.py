"""How one pre-token is cut into tokens, step by step, by the algorithm of its tokenizer."""

from dataclasses import dataclass
from typing import Literal

from tokenizers import Tokenizer

from playground.errors import UserError
from playground.tokens.bpe import MergeReplay, merge_table, replay_merges
from playground.tokens.unigram import UnigramLattice, best_segmentation, piece_scores
from playground.tokens.wordpiece import LongestMatch, match_longest, wordpiece_vocabulary

Algorithm = Literal["BPE", "Unigram", "WordPiece", "WordLevel"]
ALGORITHMS: tuple[Algorithm, ...] = ("BPE", "Unigram", "WordPiece", "WordLevel")


@dataclass(frozen=True, kw_only=True)
class Segmentation:
    """A pre-token's tokens, and the steps that lead to them."""

    text: str
    pieces: tuple[str, ...]
    """As the vocabulary writes them."""
    ids: tuple[int, ...]
    steps: MergeReplay | UnigramLattice | LongestMatch | None
    """None for a vocabulary of whole words or characters, which are looked up."""


def algorithm_of(tokenizer: Tokenizer) -> Algorithm:
    """The algorithm of a tokenizer. Raises UserError for one that this page does not know."""
    name = type(tokenizer.model).__name__
    if name not in ALGORITHMS:
        raise UserError(
            "The tokenizer's algorithm {name} is not known here, so that its steps are not shown.", name=name
        )
    return name


def segment(tokenizer: Tokenizer, text: str) -> Segmentation:
    """Cut a pre-token with our own code, step by step. Raises UserError as `algorithm_of` does."""
    return _SEGMENT[algorithm_of(tokenizer)](tokenizer, text)


def _segment_bpe(tokenizer: Tokenizer, text: str) -> Segmentation:
    table = merge_table(tokenizer)
    replay = replay_merges(table, text)
    ids = tuple(table.vocabulary[piece] for piece in replay.pieces)
    return Segmentation(text=text, pieces=replay.pieces, ids=ids, steps=replay)


def _segment_unigram(tokenizer: Tokenizer, text: str) -> Segmentation:
    lattice = best_segmentation(piece_scores(tokenizer), text)
    return Segmentation(text=text, pieces=lattice.pieces, ids=_ids(tokenizer, lattice.pieces), steps=lattice)


def _segment_wordpiece(tokenizer: Tokenizer, text: str) -> Segmentation:
    match = match_longest(wordpiece_vocabulary(tokenizer), text)
    return Segmentation(text=text, pieces=match.pieces, ids=_ids(tokenizer, match.pieces), steps=match)


def _look_up(tokenizer: Tokenizer, text: str) -> Segmentation:
    pieces = (text,) if tokenizer.model.token_to_id(text) is not None else (tokenizer.model.unk_token,)
    return Segmentation(text=text, pieces=pieces, ids=_ids(tokenizer, pieces), steps=None)


def _ids(tokenizer: Tokenizer, pieces: tuple[str, ...]) -> tuple[int, ...]:
    """The ids of pieces; -1 for one that the vocabulary lacks, which no tokenizer answers."""
    ids = (tokenizer.model.token_to_id(piece) for piece in pieces)
    return tuple(-1 if id is None else int(id) for id in ids)


_SEGMENT = {
    "BPE": _segment_bpe,
    "Unigram": _segment_unigram,
    "WordPiece": _segment_wordpiece,
    "WordLevel": _look_up,
}
