"""Sentence embeddings: the mean of a sentence's token states, brought to length 1. Reimers and Gurevych 2019.

The recipe of sentence-transformers' model cards: every token counts, special ones too; a sentence is cut at the number
of tokens that the model was trained with. The cosine of two sentences is a sum with one term for each token, so that
it is known what each word adds to it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float

from playground.errors import UserError
from playground.lens.capture.tokens import TOKEN_LIMIT, EmptyTextError
from playground.progress import OnProgress, no_progress
from playground.tokens.tokenization import TextToken, tokenize

if TYPE_CHECKING:
    from playground.models import LoadedModel

MOST_LINES = 200
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
        return self.states.mean(0)

    @property
    def unit(self) -> Float[np.ndarray, "width"]:
        """The mean state, brought to length 1."""
        mean: np.ndarray = self.mean
        return mean / max(float(np.linalg.norm(mean)), 1e-12)


@dataclass(frozen=True, kw_only=True)
class WordShare:
    """What a word adds to a cosine."""

    text: str
    positions: tuple[int, ...]
    """Of its tokens in the sentence."""
    share: float
    is_special: bool = False


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
    """A sentence's vector. Raises UserError for one without tokens, and where a state is not a number."""
    recipe = recipe or recipe_of(model)
    tokens = tokenize(model, text, replay=False).tokens
    kept = cut_tokens(tokens, recipe.most_tokens)
    if not kept:
        raise EmptyTextError()
    ids = torch.tensor([[token.token.id for token in kept]], device=model.device)
    states = model.adapter.encode_source(ids)[0].float().cpu().numpy()
    if not np.isfinite(states).all():
        raise UserError("{name} computes what is not a number, so that sentences have no vectors.", name=model.name)
    return SentenceEmbedding(text=text, tokens=kept, states=states, is_cut=len(kept) < len(tokens))


def cut_tokens(tokens: tuple[TextToken, ...], most: int) -> tuple[TextToken, ...]:
    """At most so many tokens: the text is cut, what the template puts behind it stays."""
    closing = next((n for n, token in enumerate(reversed(tokens)) if not token.is_template), 0)
    if len(tokens) <= most:
        return tokens
    return (*tokens[: max(0, most - closing)], *tokens[len(tokens) - closing :])


def embed_sentences(
    model: "LoadedModel", texts: Sequence[str], on_progress: OnProgress = no_progress
) -> list[SentenceEmbedding]:
    """A vector for each sentence, one pass each: without padding there is nothing to mask. Raises UserError."""
    if len(texts) > MOST_LINES:
        raise UserError("There are {count} lines; at most {most} are compared.", count=len(texts), most=MOST_LINES)
    recipe, embeddings = recipe_of(model), []
    for index, text in enumerate(texts):
        on_progress(index, len(texts))
        embeddings.append(embed_sentence(model, text[:LINE_LENGTH], recipe))
    return embeddings


def similarities(
    rows: Sequence[SentenceEmbedding], columns: Sequence[SentenceEmbedding]
) -> Float[np.ndarray, "row column"]:
    """The cosine of each sentence with each other one."""
    return np.stack([row.unit for row in rows]) @ np.stack([column.unit for column in columns]).T


def token_shares(sentence: SentenceEmbedding, other: SentenceEmbedding) -> Float[np.ndarray, "token"]:
    """What each token of a sentence adds to its cosine with another one; their sum is the cosine.

    With n tokens of states h the cosine is Σᵢ hᵢ · v / (n |mean h|), v being the other sentence's vector of length 1.
    """
    length = len(sentence.states) * max(float(np.linalg.norm(sentence.mean)), 1e-12)
    return sentence.states @ other.unit / length


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
