"""WordPiece's longest match: from the left, the longest piece that the vocabulary holds. Devlin et al. 2019; Song et
al. 2021 call it MaxMatch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from tokenizers import Tokenizer

from playground.tokens.bpe import TABLES_KEPT


@dataclass(frozen=True, kw_only=True)
class WordPieceVocabulary:
    """A vocabulary and how it marks a piece that goes on with a word."""

    vocabulary: Mapping[str, int]
    prefix: str
    """Before a piece that goes on, "##" as a rule."""
    unknown: str
    longest_word: int
    """A word of more characters is unknown as a whole."""


@dataclass(frozen=True, kw_only=True)
class MatchAttempt:
    """One look-up."""

    piece: str
    start: int
    end: int
    is_found: bool


@dataclass(frozen=True, kw_only=True)
class LongestMatch:
    """All look-ups of a pre-token in order; each one that fails is a character shorter than the one before."""

    text: str
    attempts: tuple[MatchAttempt, ...]
    pieces: tuple[str, ...]
    is_too_long: bool = False
    """Whether it has too many characters to be looked up."""


@lru_cache(maxsize=TABLES_KEPT)
def wordpiece_vocabulary(tokenizer: Tokenizer) -> WordPieceVocabulary:
    """The vocabulary of a WordPiece tokenizer."""
    model = tokenizer.model
    return WordPieceVocabulary(
        vocabulary=tokenizer.get_vocab(with_added_tokens=False),
        prefix=model.continuing_subword_prefix,
        unknown=model.unk_token,
        longest_word=model.max_input_chars_per_word,
    )


def match_longest(vocabulary: WordPieceVocabulary, text: str) -> LongestMatch:
    """Cut a pre-token; where nothing matches, the whole of it is unknown.

    >>> words = WordPieceVocabulary(vocabulary={"un": 0, "##able": 1}, prefix="##", unknown="?", longest_word=100)
    >>> match_longest(words, "unable").pieces
    ('un', '##able')
    """
    if len(text) > vocabulary.longest_word:
        return LongestMatch(text=text, attempts=(), pieces=(vocabulary.unknown,), is_too_long=True)
    attempts: list[MatchAttempt] = []
    pieces: list[str] = []
    start = 0
    while start < len(text):
        for end in range(len(text), start, -1):
            piece = (vocabulary.prefix if start else "") + text[start:end]
            is_found = piece in vocabulary.vocabulary
            attempts.append(MatchAttempt(piece=piece, start=start, end=end, is_found=is_found))
            if is_found:
                break
        if not attempts[-1].is_found:
            return LongestMatch(text=text, attempts=tuple(attempts), pieces=(vocabulary.unknown,))
        pieces.append(attempts[-1].piece)
        start = attempts[-1].end
    return LongestMatch(text=text, attempts=tuple(attempts), pieces=tuple(pieces))
