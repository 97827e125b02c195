"""One word in several texts: how alike its states are, layer by layer. Ethayarajh 2019; Wiedemann et al. 2019.

A word of several tokens is the mean of their states. In deep layers the states of any two tokens are alike, in some
models very much: the mean over pairs of other tokens is what a cosine has to be compared with.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize

from playground.errors import UserError
from playground.lens.capture.activations import EncodedText, capture, encode_text
from playground.lens.capture.site import SiteKind
from playground.lens.capture.tokens import Token
from playground.lens.capture.words import words_of
from playground.lens.trace import trace
from playground.progress import OnProgress, no_progress
from playground.tokens.tokenization import tokenize

if TYPE_CHECKING:
    from playground.models import LoadedModel

MOST_SENSES = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class WordStates:
    """A word's states in several texts, compared."""

    word: str
    texts: tuple[str, ...]
    tokens: tuple[tuple[str, ...], ...]
    """In each text, the tokens that spell the word."""
    pairs: tuple[tuple[int, int], ...]
    """Which two texts are compared."""
    cosines: Float[np.ndarray, "pair level"]
    """Level 0 is the first block's input, level n the output of block n."""
    others: Float[np.ndarray, "level"]
    """The mean cosine of other tokens, over all pairs of different tokens from different texts; NaN without any."""

    @property
    def levels(self) -> int:
        """Blocks, and one."""
        return int(self.cosines.shape[1])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Read:
    tokens: tuple[Token, ...]
    positions: tuple[int, ...]
    states: list[Float[Tensor, "token width"]]
    """By level."""


def word_states(
    model: "LoadedModel", texts: Sequence[str], word: str, on_progress: OnProgress = no_progress
) -> WordStates:
    """Compare a word's states in each pair of texts.

    Raises UserError for fewer than two or more than six texts, a text without the word, states that are not finite, and
    as `capture` does.
    """
    if not 2 <= len(texts) <= MOST_SENSES:
        raise UserError("Give two to {most} texts, one on each line.", most=MOST_SENSES)
    read = []
    for index, text in enumerate(texts):
        on_progress(index, len(texts))
        read.append(_read(model, text, word))
    pairs = tuple(combinations(range(len(texts)), 2))
    cosines = np.array([[_cosine(*_word_means(read, pair, level)) for level in _levels(read)] for pair in pairs])
    return WordStates(
        word=word,
        texts=tuple(texts),
        tokens=tuple(tuple(each.tokens[position].text for position in each.positions) for each in read),
        pairs=pairs,
        cosines=cosines,
        others=np.array([_other_cosines(read, level) for level in _levels(read)]),
    )


def word_positions(model: "LoadedModel", text: str, tokens: Sequence[Token], word: str) -> tuple[int, ...]:
    """The tokens that spell the first occurrence of a word. Raises UserError where text or vocabulary has none."""
    found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) or re.search(
        re.escape(word), text, re.IGNORECASE
    )
    if not word.strip() or found is None:
        raise UserError("The text “{text}” does not hold the word “{word}”.", text=text[:60], word=word)
    cut = tokenize(model, text, replay=False)
    if cut.algorithm is not None:
        start, end = found.span()
        spelling = enumerate(cut.tokens[: len(tokens)])
        positions = [n for n, t in spelling if not t.is_template and t.start < end and t.end > start]
        if positions and all(cut.tokens[position].is_unknown for position in positions):
            raise UserError(
                "The vocabulary of {name} cannot spell “{word}”: the model reads the unknown token in its place. "
                "Choose another word.",
                name=model.name,
                word=word,
            )
    else:
        alike = (each for each in words_of(tokens) if each.text.casefold() == word.casefold())
        positions = [position for each in islice(alike, 1) for position in each.positions]
    if not positions:
        raise UserError("No token of “{text}” stands for the word “{word}”.", text=text[:60], word=word)
    return tuple(positions)


@torch.inference_mode()
def _read(model: "LoadedModel", text: str, word: str) -> _Read:
    """A text's states at every level, of the stack that reads it."""
    encoded = encode_text(model, text)
    tokens = encoded.source or encoded.tokens
    positions = word_positions(model, text, tokens, word)
    states = _states(model, encoded, text)
    if not all(bool(state.isfinite().all()) for state in states):
        raise UserError("{name} computes what is not a number, so that words have no cosines.", name=model.name)
    return _Read(tokens=tokens, positions=positions, states=states)


def _states(model: "LoadedModel", encoded: EncodedText, text: str) -> list[Float[Tensor, "token width"]]:
    """The first block's input and every block's output, of the stack that reads the text."""
    try:
        activations = capture(model, encoded)
    except UserError:
        # One block that runs several times (ALBERT) has no parts to tell apart, but a state after each time.
        followed = trace(model, text).whole_token(kind="encoder" if encoded.source else None)
        return [followed.blocks[0].start, *(block.end for block in followed.blocks)]
    kind: SiteKind = "encoder" if encoded.source else activations.parts.kind
    layers = sorted(layer for each, layer in activations.after if each == kind)
    states = [activations.residual[kind, layers[0]], *(activations.after[kind, layer] for layer in layers)]
    return [state.float() for state in states]


def _levels(read: Sequence[_Read]) -> range:
    return range(len(read[0].states))


def _word_means(read: Sequence[_Read], pair: tuple[int, int], level: int) -> tuple[Tensor, Tensor]:
    """The mean state of the word's tokens in either text."""
    first, second = (read[index].states[level][list(read[index].positions)].mean(0) for index in pair)
    return first, second


def _cosine(first: Float[Tensor, "width"], second: Float[Tensor, "width"]) -> float:
    return float(cosine_similarity(first, second, dim=0))


def _other_cosines(read: Sequence[_Read], level: int) -> float:
    """The mean cosine over pairs of different tokens, neither special nor of the word, from different texts."""
    total, count = 0.0, 0
    for first, second in combinations(read, 2):
        kept = [_others(each) for each in (first, second)]
        if not all(kept):
            continue
        rows = [each.states[level][list(keep)] for each, keep in zip((first, second), kept, strict=True)]
        units = [normalize(row, dim=1) for row in rows]
        ids = [
            torch.tensor([each.tokens[n].id for n in keep]) for each, keep in zip((first, second), kept, strict=True)
        ]
        differ = (ids[0][:, None] != ids[1][None]).to(units[0].device)
        total += float((units[0] @ units[1].T)[differ].sum())
        count += int(differ.sum())
    return total / count if count else float("nan")


def _others(read: _Read) -> list[int]:
    return [n for n, token in enumerate(read.tokens) if not token.special and n not in read.positions]
