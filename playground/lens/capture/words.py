"""Words that tokens spell, and attention between them.

As in Clark et al. 2019, section 4.1: attention to a word is the sum over its tokens, attention from it their mean, so
that the row of a word still sums to 1.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.lens.capture.tokens import Token

_WORD = re.compile(r"\w+|[^\w\s]")
_CONTINUED = "##"
"""How WordPiece vocabularies mark a token that goes on with the word before."""


@dataclass(frozen=True, kw_only=True)
class Word:
    """A word of a text, or a sign, and the positions of its tokens."""

    text: str
    positions: tuple[int, ...]


def words_of(tokens: Sequence[Token]) -> list[Word]:
    """The words that tokens spell; special tokens belong to none.

    A vocabulary that marks no spaces has a word for each token, but for those that continue one ("##ing").
    """
    shown = [(position, token.text) for position, token in enumerate(tokens) if not token.special]
    if not any(" " in text for _, text in shown):
        return _words_without_spaces(shown)
    spelled, owners = "", list[int]()
    for position, text in shown:
        spelled += text
        owners += [position] * len(text)
    words = []
    taken = set[int]()
    for match in _WORD.finditer(spelled):
        # A token that holds the end of one word and the beginning of the next belongs to the first.
        positions = tuple(dict.fromkeys(p for p in owners[match.start() : match.end()] if p not in taken))
        taken.update(positions)
        if positions:
            words.append(Word(text=match[0], positions=positions))
    return words


def _words_without_spaces(shown: Sequence[tuple[int, str]]) -> list[Word]:
    words: list[Word] = []
    for position, text in shown:
        if text.startswith(_CONTINUED) and words:
            last = words.pop()
            text = last.text + text.removeprefix(_CONTINUED)
            words.append(Word(text=text, positions=(*last.positions, position)))
        else:
            words.append(Word(text=text, positions=(position,)))
    return words


def covering_words(tokens: Sequence[Token]) -> list[Word]:
    """Words of which every token belongs to exactly one: a token outside all words, such as a special one, is its own.

    >>> spelled = [Token(id=0, text="[CLS]", special=True), Token(id=1, text="walk"), Token(id=2, text="##ing")]
    >>> [(word.text, word.positions) for word in covering_words(spelled)]
    [('[CLS]', (0,)), ('walking', (1, 2))]
    """
    words = words_of(tokens)
    within = {position for word in words for position in word.positions}
    alone = [Word(text=token.text, positions=(i,)) for i, token in enumerate(tokens) if i not in within]
    return sorted([*words, *alone], key=lambda word: word.positions)


def word_maps(
    maps: Float[np.ndarray, "head query key"], queries: Sequence[Word], keys: Sequence[Word]
) -> Float[np.ndarray, "head query key"]:
    """Attention between words: the mean over a query's tokens, the sum over a key's."""
    summed = np.stack([maps[..., list(word.positions)].sum(-1) for word in keys], axis=-1)
    return np.stack([summed[:, list(word.positions)].mean(1) for word in queries], axis=1)
