"""Sentence embeddings: the mean of a sentence's token states, brought to length 1. Reimers and Gurevych 2019.

The recipe of sentence-transformers' model cards: every token counts, special ones too; a sentence is cut at the number
of tokens that the model was trained with. The cosine of two sentences is a sum with one term for each token, so that
it is known what each word adds to it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground.decoding import well_formed
from playground.errors import UserError
from playground.lens.capture.text_tokens import TextToken, text_tokens
from playground.lens.capture.tokens import TOKEN_LIMIT, EmptyTextError
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel

MOST_LINES = 200
AT_ONCE = 16
"""Sentences in one pass."""
LINE_LENGTH = 4_000
"""Characters of one line; longer ones are cut by the model's own limit anyway."""


@dataclass(frozen=True, kw_only=True)
class SentenceRecipe:
    """How a model's folder says that it makes a sentence's vector."""

    most_tokens: int
    """A longer sentence is cut there."""
    is_published: bool
    """Whether the folder holds a recipe of sentence-transformers: the model was trained to compare sentences."""
    pooling: str = "mean"


@dataclass(frozen=True, kw_only=True, eq=False)
class SentenceEmbedding:
    """One sentence as a vector."""

    text: str
    tokens: tuple[TextToken, ...]
    states: Float[np.ndarray, "token width"]
    """The last state of each token."""
    is_cut: bool
    """Whether the sentence is longer than what the model reads."""

    @property
    def mean(self) -> Float[np.ndarray, "width"]:
        """The mean state."""
        mean: np.ndarray = self.states.mean(0)
        return mean

    @property
    def unit(self) -> Float[np.ndarray, "width"]:
        """The mean state, brought to length 1."""
        unit: np.ndarray = self.mean / max(float(np.linalg.norm(self.mean)), 1e-12)
        return unit


@dataclass(frozen=True, kw_only=True, eq=False)
class SentenceVectors:
    """Sentences as vectors of length 1."""

    texts: tuple[str, ...]
    units: Float[np.ndarray, "sentence width"]
    cut: tuple[bool, ...]
    """Of each, whether it is longer than what the model reads."""

    @property
    def cosines(self) -> Float[np.ndarray, "sentence sentence"]:
        """The cosine of each sentence with each other one."""
        cosines: np.ndarray = self.units @ self.units.T
        return cosines


@dataclass(frozen=True, kw_only=True)
class WordShare:
    """What a word adds to a cosine."""

    text: str
    positions: tuple[int, ...]
    """Of its tokens in the sentence."""
    share: float
    is_special: bool = False


def lines_that_fit(lines: Sequence[str], characters: int) -> list[str]:
    """The first whole lines, at most MOST_LINES, that fit into so many characters with a break between them."""
    ends = accumulate(len(line) + 1 for line in lines[:MOST_LINES])
    return [line for line, end in zip(lines, ends, strict=False) if end - 1 <= characters]


def recipe_of(model: "LoadedModel") -> SentenceRecipe:
    """The recipe of sentence-transformers in the model's folder, or the mean over what the model reads.

    Raises UserError for a published recipe that pools in another way.
    """
    limit = min(model.context, TOKEN_LIMIT)
    if not (model.folder / "modules.json").is_file():
        return SentenceRecipe(most_tokens=limit, is_published=False)
    pooling = _read_json(model, "1_Pooling/config.json")
    modes = [name for name, chosen in pooling.items() if name.startswith("pooling_mode_") and chosen is True]
    if modes not in ([], ["pooling_mode_mean_tokens"]):
        raise UserError(
            "{name} was published with another pooling than the mean ({modes}); choose another model.",
            name=model.name,
            modes=", ".join(mode.removeprefix("pooling_mode_").replace("_", " ") for mode in modes),
        )
    stated = _read_json(model, "sentence_bert_config.json").get("max_seq_length")
    return SentenceRecipe(
        most_tokens=min(limit, stated) if isinstance(stated, int) and stated > 2 else limit, is_published=True
    )


def _read_json(model: "LoadedModel", name: str) -> dict[str, Any]:
    """A file of the model's folder; empty where there is none that can be read."""
    try:
        values = json.loads((model.folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


@torch.inference_mode()
def embed_sentence(model: "LoadedModel", text: str, recipe: SentenceRecipe | None = None) -> SentenceEmbedding:
    """A sentence with the state of each token. Raises UserError for one without tokens, and for what is NaN."""
    tokens, is_cut = _read_tokens(model, text, recipe or recipe_of(model))
    return SentenceEmbedding(text=text, tokens=tokens, states=_states(model, [tokens])[0].numpy(), is_cut=is_cut)


def _read_tokens(model: "LoadedModel", text: str, recipe: SentenceRecipe) -> tuple[tuple[TextToken, ...], bool]:
    """The tokens that the model reads of a sentence, and whether it has more."""
    tokens = text_tokens(model, well_formed(text[:LINE_LENGTH]))
    kept = cut_tokens(tokens, recipe.most_tokens)
    if not kept:
        raise EmptyTextError()
    return kept, len(kept) < len(tokens) or len(text) > LINE_LENGTH


def _states(model: "LoadedModel", batch: Sequence[tuple[TextToken, ...]]) -> Float[Tensor, "sentence token width"]:
    """The last states of sentences of equally many tokens: without padding there is nothing to mask."""
    ids = torch.tensor([[token.token.id for token in tokens] for tokens in batch], device=model.device)
    states = model.adapter.encode_source(ids).float().cpu()
    if not bool(states.isfinite().all()):
        raise UserError("{name} computes what is not a number, so that sentences have no vectors.", name=model.name)
    return states


def cut_tokens(tokens: tuple[TextToken, ...], most: int) -> tuple[TextToken, ...]:
    """At most so many tokens: the text is cut, what the template puts behind it stays."""
    closing = next((n for n, token in enumerate(reversed(tokens)) if not token.is_template), 0)
    if len(tokens) <= most:
        return tokens
    return (*tokens[: max(0, most - closing)], *tokens[len(tokens) - closing :])


@torch.inference_mode()
def sentence_vectors(
    model: "LoadedModel", texts: Sequence[str], on_progress: OnProgress = no_progress
) -> SentenceVectors:
    """A vector for each sentence; those of equally many tokens are read together. Raises UserError for too many."""
    if not 1 <= len(texts) - 1 <= MOST_LINES:
        raise UserError(
            "There are {count} lines to compare with the first; give 1 to {most}.",
            count=len(texts) - 1,
            most=MOST_LINES,
        )
    recipe = recipe_of(model)
    read = [_read_tokens(model, text, recipe) for text in texts]
    by_length: dict[int, list[int]] = {}
    for index, (tokens, _is_cut) in enumerate(read):
        by_length.setdefault(len(tokens), []).append(index)
    units: dict[int, Tensor] = {}
    for alike in by_length.values():
        for first in range(0, len(alike), AT_ONCE):
            on_progress(len(units), len(texts))
            batch = alike[first : first + AT_ONCE]
            means = _states(model, [read[index][0] for index in batch]).mean(1)
            units |= dict(zip(batch, torch.nn.functional.normalize(means, dim=1), strict=True))
    return SentenceVectors(
        texts=tuple(texts),
        units=torch.stack([units[index] for index in range(len(texts))]).numpy(),
        cut=tuple(is_cut for _tokens, is_cut in read),
    )


def token_shares(sentence: SentenceEmbedding, other: SentenceEmbedding) -> Float[np.ndarray, "token"]:
    """What each token of a sentence adds to its cosine with another one; their sum is the cosine.

    With n tokens of states h the cosine is Σᵢ hᵢ · v / (n |mean h|), v being the other sentence's vector of length 1.
    """
    length = len(sentence.states) * max(float(np.linalg.norm(sentence.mean)), 1e-12)
    shares: np.ndarray = sentence.states @ other.unit / length
    return shares


def word_shares(sentence: SentenceEmbedding, other: SentenceEmbedding) -> list[WordShare]:
    """The shares of a sentence's tokens, summed over the pre-tokens that they belong to."""
    shares = token_shares(sentence, other)
    groups: dict[object, list[int]] = {}
    for position, token in enumerate(sentence.tokens):
        key = ("alone", position) if token.pretoken is None else token.pretoken
        groups.setdefault(key, []).append(position)
    return [
        WordShare(
            text=_spelled(sentence, positions),
            positions=tuple(positions),
            share=float(shares[positions].sum()),
            is_special=sentence.tokens[positions[0]].token.special,
        )
        for positions in groups.values()
    ]


def _spelled(sentence: SentenceEmbedding, positions: Sequence[int]) -> str:
    """The characters of the text behind some tokens; of the template's tokens their labels."""
    tokens = [sentence.tokens[position] for position in positions]
    typed = sentence.text[tokens[0].start : tokens[-1].end]
    return typed.strip() or "".join(token.token.text for token in tokens)
