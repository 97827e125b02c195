"""What comes next, over the whole vocabulary: the model's distribution, and what sampling options cut from it.

The order is that of transformers' generate: temperature, then top-k (Fan et al. 2018), then top-p of what top-k left
(Holtzman et al. 2020), then min-p (Nguyen et al. 2024).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.forward import logits_at, run_pass

if TYPE_CHECKING:
    from playground.models import LoadedModel

CutName = Literal["top-k", "top-p", "min-p"]


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How a token is chosen. temperature 0 takes the most probable; top_k 0, top_p 1 and min_p 0 cut nothing."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 100:
            raise UserError("The temperature is {temperature}; choose 0 to 100.", temperature=self.temperature)
        if self.top_k < 0:
            raise UserError("Top-k is {top_k}; choose how many tokens to keep, or 0 for all.", top_k=self.top_k)
        if not 0 < self.top_p <= 1:
            raise UserError("Top-p is {top_p}; choose above 0 and at most 1.", top_p=self.top_p)
        if not 0 <= self.min_p <= 1:
            raise UserError("Min-p is {min_p}; choose 0 to 1.", min_p=self.min_p)


GREEDY = Sampling(temperature=0.0)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What one option cut away: how many tokens, and their share of the distribution at the chosen temperature."""

    name: CutName
    tokens: int
    probability: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Distribution:
    """The next token's distribution over the whole vocabulary, in three states, each summing to 1.

    model: as the model says it; tempered: at the temperature; sampled: after the cuts, what is drawn from. Float64.
    """

    sampling: Sampling
    model: Float[np.ndarray, "vocabulary"]
    tempered: Float[np.ndarray, "vocabulary"]
    sampled: Float[np.ndarray, "vocabulary"]
    cuts: tuple[Cut, ...]

    @property
    def entropy(self) -> float:
        """The entropy of the model's distribution, in nats."""
        return entropy(self.model)

    @property
    def sampled_entropy(self) -> float:
        """The entropy of what is drawn from, in nats."""
        return entropy(self.sampled)

    @property
    def kept(self) -> int:
        """How many tokens can still be drawn."""
        return int((self.sampled > 0).sum())

    @property
    def order(self) -> Int[np.ndarray, "vocabulary"]:
        """All token ids by falling probability; of equals the lower id first."""
        return np.argsort(-self.model, kind="stable")

    def top(self, k: int) -> list[int]:
        """The k most probable token ids; of equals the lower id first."""
        k = min(k, len(self.model))
        # Only the few that can be among them are sorted: a vocabulary has up to 250,000 tokens.
        least = np.partition(self.model, len(self.model) - k)[len(self.model) - k] if k else np.inf
        among = np.flatnonzero(self.model >= least)
        return [int(token) for token in among[np.argsort(-self.model[among], kind="stable")][:k]]

    def rank(self, token: int) -> int:
        """How many tokens are more probable than this one."""
        return int((self.model > self.model[token]).sum())

    def surprise(self, token: int) -> float:
        """How little the model expected the token, -log p in nats; infinite for one it rules out."""
        probability = float(self.model[token])
        return -float(np.log(probability)) if probability > 0 else float("inf")

    def draw(self, chance: float) -> int:
        """The token at this place, from 0 up to 1, of the cumulative distribution; at temperature 0 the top one."""
        # searchsorted may point past the end where rounding leaves the sum below the chance.
        cumulative = np.cumsum(self.sampled)
        found = int(np.searchsorted(cumulative, chance * cumulative[-1], side="right"))
        return min(found, int(np.flatnonzero(self.sampled)[-1]))


def distribution(logits: Float[Tensor, "vocabulary"], sampling: Sampling | None = None) -> Distribution:
    """The distribution of one position's logits, and what the options cut from it.

    >>> found = distribution(torch.tensor([0.5, 0.25, 0.125, 0.125]).log(), Sampling(top_p=0.7))
    >>> found.sampled.round(3).tolist(), found.cuts[0].tokens, round(found.cuts[0].probability, 3)
    ([0.667, 0.333, 0.0, 0.0], 2, 0.25)

    Raises UserError where the model computed what is not a number.
    """
    sampling = sampling or Sampling()
    refuse_not_a_number(logits)
    scores = logits.detach().cpu().double()
    tempered = _tempered(scores, sampling.temperature)
    left, cuts = tempered, []
    for name in ("top-k", "top-p", "min-p"):
        keep = _kept(left, name, sampling) & (left > 0)
        gone = (left > 0) & ~keep
        if gone.any():
            cuts.append(Cut(name=name, tokens=int(gone.sum()), probability=float(tempered[gone].sum())))
            left = torch.where(keep, left, 0.0)
            left = left / left.sum()
    return Distribution(
        sampling=sampling,
        model=scores.softmax(-1).numpy(),
        tempered=tempered.numpy(),
        sampled=left.numpy(),
        cuts=tuple(cuts),
    )


def next_distribution(
    model: "LoadedModel",
    text: str,
    *,
    target: str | None = None,
    position: int = -1,
    sampling: Sampling | None = None,
) -> Distribution:
    """The distribution after a position of a text (of an encoder-decoder's target; an encoder's of the token itself).

    Raises UserError for a model without an output head, a text without tokens, or a position that is not there.
    """
    require_output_head(model)
    result = run_pass(model, text, target, pair=None, truncate=False, on_layer=None)
    length = len(result.target or result.source)
    if not length:
        raise UserError("The text has no tokens; type a few words.")
    if not -length <= position < length:
        raise UserError(
            "There is no position {position}; choose {length} to {length_2}.",
            position=position,
            length=-length,
            length_2=length - 1,
        )
    is_last = position % length == length - 1
    logits = result.last_logits if is_last else logits_at(model, result.arguments, position)
    assert logits is not None
    return distribution(logits, sampling)


def require_output_head(model: "LoadedModel") -> None:
    """Raise UserError for a model that predicts no tokens."""
    if not model.has_output_head:
        raise UserError(
            "{name} has no output head, so it predicts no tokens; choose a model that has one.", name=model.name
        )


def refuse_not_a_number(logits: Tensor) -> None:
    """Raise UserError for logits that no probabilities can be made of; minus infinity rules a token out."""
    if bool(logits.isnan().any()) or bool((logits == float("inf")).any()) or not bool(logits.isfinite().any()):
        raise UserError(
            "The model computes what is not a number: its weights are damaged, or the dtype is too narrow; choose "
            "float32 or another model."
        )


def entropy(probabilities: Float[np.ndarray, "... vocabulary"]) -> float:
    """The entropy in nats: 0 for certainty, log of the number of tokens where all are equally probable."""
    seen = probabilities[probabilities > 0]
    return float(-(seen * np.log(seen)).sum()) + 0.0


def _tempered(scores: Float[Tensor, "vocabulary"], temperature: float) -> Float[Tensor, "vocabulary"]:
    """The softmax at a temperature; at 0 all of it on the first most probable token."""
    if temperature > 0:
        return (scores / temperature).softmax(-1)
    top = torch.zeros_like(scores)
    top[scores.argmax()] = 1.0
    return top


def _kept(left: Float[Tensor, "vocabulary"], name: str, sampling: Sampling) -> Tensor:
    """Which tokens an option keeps of a distribution; the most probable one always stays."""
    if name == "top-k" and 0 < sampling.top_k < len(left):
        return left >= left.topk(sampling.top_k).values[-1]
    if name == "min-p":
        return left >= sampling.min_p * left.max()
    if name == "top-k" or sampling.top_p >= 1:
        return torch.ones_like(left, dtype=torch.bool)
    ordered, order = left.sort(descending=True, stable=True)
    before = ordered.cumsum(0) - ordered
    keep = torch.empty_like(left, dtype=torch.bool)
    keep[order] = before < sampling.top_p
    keep[order[0]] = True
    return keep
