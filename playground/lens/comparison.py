"""Two texts, or two models on one, compared: their words aligned, and the heads that differ most.

Texts of equally many tokens of one vocabulary are compared token by token. Else tokens are put together to words, as
in Clark et al. 2019, section 4.1: attention to a word is the sum over its tokens, attention from it their mean.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
import torch
from jaxtyping import Float

from playground.lens.capture.site import Site
from playground.lens.capture.tokens import Token
from playground.lens.capture.words import Word, word_maps, words_of
from playground.lens.finding import Finding
from playground.lens.inspect.attention_view import ViewOptions, without_first_key
from playground.lens.trace import Trace
from playground.text import N_

ALIKE = 1e-3
"""Nats: rows of a float32 pass that differ by less are one and the same picture."""
MOST_CELLS = 5e7
"""Of all pairs of two models' heads: some seconds. Of more, the closest pair is not looked for."""


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """The words that two texts share, or have in the same place, and those that only one has."""

    pairs: tuple[tuple[Word, Word], ...]
    left_out: tuple[tuple[Word, ...], tuple[Word, ...]] = ((), ())
    """Words of the left and of the right text without a counterpart."""


def align_words(left: Sequence[Token], right: Sequence[Token]) -> Alignment:
    """Pairs of equal words in their order, and of different ones that stand between the same words."""
    words = words_of(left), words_of(right)
    first, second = ([word.text.casefold() for word in side] for side in words)
    pairs, alone = list[tuple[Word, Word]](), (list[Word](), list[Word]())
    for tag, left0, left1, right0, right1 in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        sides = words[0][left0:left1], words[1][right0:right1]
        if tag == "equal" or len(sides[0]) == len(sides[1]):
            pairs += zip(*sides, strict=True)
        else:
            alone[0].extend(sides[0])
            alone[1].extend(sides[1])
    return Alignment(pairs=tuple(pairs), left_out=(tuple(alone[0]), tuple(alone[1])))


def align_tokens(left: Sequence[Token], right: Sequence[Token]) -> Alignment:
    """Each token with the one at its position, as words of one token; the counts must be equal."""
    sides = [[Word(text=token.text, positions=(i,)) for i, token in enumerate(tokens)] for tokens in (left, right)]
    return Alignment(pairs=tuple(zip(*sides, strict=True)))


_Traces = tuple[Trace, Trace]
_Options = tuple[ViewOptions, ViewOptions]


def options_for(trace: Trace, options: ViewOptions) -> ViewOptions:
    """The same options, with a kind of attention that this model has."""
    kind = options.kind if options.kind in trace.kinds else trace.kinds[0]
    return ViewOptions(kind=kind, hide_special=options.hide_special, exclude_first=options.exclude_first)


def is_by_token(traces: _Traces, options: _Options) -> bool:
    """Whether the maps can be subtracted token by token: one vocabulary and equal counts, or the same tokens."""
    same_model = traces[0].model.name == traces[1].model.name
    for name in ("query_tokens", "key_tokens"):
        tokens = [getattr(trace, name)(chosen.kind) for trace, chosen in zip(traces, options, strict=True)]
        texts = [[token.text for token in side] for side in tokens]
        special = [[token.special for token in side] for side in tokens]
        if special[0] != special[1] or not (same_model or texts[0] == texts[1]):
            return False
    return True


def align_traces(traces: _Traces, options: _Options) -> tuple[Alignment, Alignment]:
    """The queries and keys that are compared: tokens, or words where the tokens differ."""
    align = align_tokens if is_by_token(traces, options) else align_words
    queries = [trace.query_tokens(chosen.kind) for trace, chosen in zip(traces, options, strict=True)]
    keys = [trace.key_tokens(chosen.kind) for trace, chosen in zip(traces, options, strict=True)]
    return align(*queries), align(*keys)


def compare_heads(
    traces: tuple[Trace, Trace], options: tuple[ViewOptions, ViewOptions], words: tuple[Alignment, Alignment]
) -> Float[np.ndarray, "layer head"]:
    """Each head's divergence from the head of the same layer and number, where both models have one.

    words: the aligned queries and keys. The sink is excluded as in the picture.
    """
    sites = [trace.layers(chosen.kind) for trace, chosen in zip(traces, options, strict=True)]
    heads = min(site.n_heads for side in sites for site in side)
    rows = []
    for pair in zip(*sites, strict=False):
        maps = [_word_maps_of(pair[i], options[i], _words_on(words, i)) for i in (0, 1)]
        rows.append(divergences(maps[0][:heads], maps[1][:heads]))
    return np.stack(rows)


def differing_heads(divergence: Float[np.ndarray, "layer head"], blocks: Sequence[int]) -> Finding | None:
    """Which head differs most between two texts, beside the median of all. blocks: the model's number of each row."""
    if not np.isfinite(divergence).any():
        return None
    row, head = divmod(int(np.nanargmax(divergence)), divergence.shape[1])
    largest, median = float(divergence[row, head]), float(np.nanmedian(divergence))
    if largest < ALIKE:
        return Finding(template=N_("Every head reads both texts alike."))
    values = {"head": f"{blocks[row]}.{head}", "largest": largest, "median": median, "most": math.log(2)}
    template = N_(
        "Head {head} differs most between the texts, by {largest:.3f} of at most {most:.3f} nats; the median of all "
        "heads is {median:.3f}."
    )
    return Finding(template=template, values=values)


def closest_heads(traces: _Traces, options: _Options, words: tuple[Alignment, Alignment]) -> Finding | None:
    """Which head of the one model attends most like which head of the other; None where that would take long."""
    sites = [trace.layers(chosen.kind) for trace, chosen in zip(traces, options, strict=True)]
    heads = [[(row, head) for row, site in enumerate(side) for head in range(site.n_heads)] for side in sites]
    if len(heads[0]) * len(heads[1]) * math.prod(len(axis.pairs) for axis in words) > MOST_CELLS:
        return None
    maps = [np.concatenate([_word_maps_of(site, options[i], _words_on(words, i)) for site in sites[i]]) for i in (0, 1)]
    apart = np.stack([divergences(one[None], maps[1]) for one in maps[0]])
    if not np.isfinite(apart).all():
        return None
    first, second = divmod(int(apart.argmin()), apart.shape[1])
    blocks = [trace.block_numbers(one.kind) for trace, one in zip(traces, options, strict=True)]
    names = [f"{blocks[i][row]}.{head}" for i, (row, head) in enumerate((heads[0][first], heads[1][second]))]
    models = {"left_model": traces[0].model.name, "right_model": traces[1].model.name}
    numbers = {"smallest": float(apart.min()), "median": float(np.median(apart)), "most": math.log(2)}
    template = N_(
        "Most alike: head {left} of {left_model} and head {right} of {right_model}, {smallest:.3f} of at most "
        "{most:.3f} nats apart; the median of all pairs is {median:.3f}."
    )
    return Finding(template=template, values={"left": names[0], "right": names[1], **models, **numbers})


def _words_on(words: tuple[Alignment, Alignment], side: int) -> list[list[Word]]:
    """The aligned queries and keys of one of the two texts."""
    return [[pair[side] for pair in axis.pairs] for axis in words]


def _word_maps_of(site: Site, options: ViewOptions, words: Sequence[Sequence[Word]]) -> np.ndarray:
    with torch.inference_mode():
        maps = site.pattern(slice(None), slice(None))
        shown = without_first_key(maps) if options.exclude_first else maps
        return word_maps(shown.numpy(), *words)


def divergences(
    left: Float[np.ndarray, "head query key"], right: Float[np.ndarray, "head query key"]
) -> Float[np.ndarray, "head"]:
    """Jensen-Shannon divergence of each head's rows, in nats, mean over the queries: from 0 to ln 2 (Lin 1991).

    What a row leaves of 1 is one more key: attention to words that only one text has.
    """
    first, second = (_completed(maps) for maps in (left, right))
    middle = (first + second) / 2
    entropy = _entropy(middle) - (_entropy(first) + _entropy(second)) / 2
    return np.asarray(np.maximum(entropy, 0.0).mean(-1))


def _completed(maps: np.ndarray) -> np.ndarray:
    rows = maps.astype(np.float64)
    return np.concatenate([rows, np.maximum(0.0, 1.0 - rows.sum(-1, keepdims=True))], axis=-1)


def _entropy(rows: np.ndarray) -> np.ndarray:
    return np.asarray(-np.where(rows > 0, rows * np.log(np.where(rows > 0, rows, 1.0)), 0.0).sum(-1))
