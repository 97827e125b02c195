"""Next-token distribution over the whole vocabulary, and sampling filters.

Filters apply in the order of transformers' generate: temperature, then top-k (Fan et al. 2018), then top-p of what
top-k left (Holtzman et al. 2020), then min-p (Nguyen et al. 2024).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.forward import logits_at, run_pass
from playground.lens.capture.tokens import EmptyTextError, check_position
from playground.models.adapters.directions import BIDIRECTIONAL

if TYPE_CHECKING:
    from playground.models import LoadedModel

FilterName = Literal["top-k", "top-p", "min-p"]


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Sampling parameters."""

    temperature: float = 1.0
    """Divides the logits; 0: greedy."""
    top_k: int = 0
    """Keep the k most probable tokens; 0: all."""
    top_p: float = 1.0
    """Keep the most probable tokens that together reach p; 1: all."""
    min_p: float = 0.0
    """Keep tokens at least min_p times as probable as the top one; 0: all."""

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
class FilterEffect:
    """What one filter removed."""

    name: FilterName
    n_removed: int
    probability: float
    """Of the removed tokens, at the chosen temperature."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Distribution:
    """The next token's distribution over the whole vocabulary in three states; float64, each sums to 1."""

    sampling: Sampling
    model: Float[np.ndarray, "vocabulary"]
    """Raw: softmax of the logits."""
    tempered: Float[np.ndarray, "vocabulary"]
    """With temperature."""
    sampled: Float[np.ndarray, "vocabulary"]
    """With temperature and after the filters: what tokens are sampled from."""
    filters: tuple[FilterEffect, ...]

    @property
    def entropy(self) -> float:
        """Entropy of the raw distribution in nats."""
        return entropy(self.model)

    @property
    def sampled_entropy(self) -> float:
        """Entropy after temperature and filters, in nats."""
        return entropy(self.sampled)

    @property
    def n_remaining(self) -> int:
        """Number of tokens that pass the filters."""
        return int((self.sampled > 0).sum())

    @property
    def order(self) -> Int[np.ndarray, "vocabulary"]:
        """All token ids, most probable first; ties by id."""
        return np.argsort(-self.model, kind="stable")

    def top(self, k: int) -> list[int]:
        """The k most probable token ids; ties by id."""
        k = min(k, len(self.model))
        # A vocabulary has up to 250,000 tokens: sort only those at least as probable as the k-th.
        threshold = np.partition(self.model, len(self.model) - k)[len(self.model) - k] if k else np.inf
        candidates = np.flatnonzero(self.model >= threshold)
        return [int(token) for token in candidates[np.argsort(-self.model[candidates], kind="stable")][:k]]

    def rank(self, token: int) -> int:
        """Number of tokens more probable than this one."""
        return int((self.model > self.model[token]).sum())

    def surprisal(self, token: int) -> float:
        """Surprisal -log p of a token in nats; infinite where p is 0."""
        probability = float(self.model[token])
        return -float(np.log(probability)) if probability > 0 else float("inf")

    def sample(self, u: float) -> int:
        """Inverse-transform sampling: the token where the cumulative distribution passes u, from 0 up to 1."""
        cumulative = np.cumsum(self.sampled)
        token = int(np.searchsorted(cumulative, u * cumulative[-1], side="right"))
        # Rounding may leave the sum below u: never point past the last token with probability.
        return min(token, int(np.flatnonzero(self.sampled)[-1]))


def distribution(logits: Float[Tensor, "vocabulary"], sampling: Sampling | None = None) -> Distribution:
    """The distribution of one position's logits, with temperature and filters applied.

    >>> predicted = distribution(torch.tensor([0.5, 0.25, 0.125, 0.125]).log(), Sampling(top_p=0.7))
    >>> top_p = predicted.filters[0]
    >>> predicted.sampled.round(3).tolist(), top_p.n_removed, round(top_p.probability, 3)
    ([0.667, 0.333, 0.0, 0.0], 2, 0.25)

    Raises UserError for logits that are not finite.
    """
    sampling = sampling or Sampling()
    require_finite_logits(logits)
    scores = logits.detach().cpu().double()
    tempered = _tempered(scores, sampling.temperature)
    remaining, filters = tempered, []
    for name in ("top-k", "top-p", "min-p"):
        keep = _keep_mask(remaining, name, sampling) & (remaining > 0)
        removed = (remaining > 0) & ~keep
        if removed.any():
            probability = float(tempered[removed].sum())
            filters.append(FilterEffect(name=name, n_removed=int(removed.sum()), probability=probability))
            remaining = torch.where(keep, remaining, 0.0)
            remaining = remaining / remaining.sum()
    return Distribution(
        sampling=sampling,
        model=scores.softmax(-1).numpy(),
        tempered=tempered.numpy(),
        sampled=remaining.numpy(),
        filters=tuple(filters),
    )


def next_distribution(
    model: "LoadedModel",
    text: str,
    *,
    target: str | None = None,
    position: int = -1,
    sampling: Sampling | None = None,
) -> Distribution:
    """The distribution after a position of a text: an encoder-decoder's target; an encoder's of the token itself.

    Raises UserError for a model without an output head, a text without tokens, or a position out of range.
    """
    require_output_head(model)
    result = run_pass(model, text, target, pair=None, truncate=False, on_layer=None)
    length = len(result.target or result.source)
    if not length:
        raise EmptyTextError()
    check_position(position, length)
    is_last = position % length == length - 1
    logits = result.last_logits if is_last else logits_at(model, result.arguments, position)
    assert logits is not None
    return distribution(logits, sampling)


def require_output_head(model: "LoadedModel") -> None:
    """Raise UserError for a model that predicts no tokens."""
    if not model.has_output_head:
        raise no_predictions(model)


def no_predictions(model: "LoadedModel") -> UserError:
    """Why a model predicts no tokens: it has no output head, or one that is not followed (XLNet)."""
    template = "{name} has no output head, so it predicts no tokens; choose a model that has one."
    return UserError(BIDIRECTIONAL.get(model.family, template), name=model.name)


def require_finite_logits(logits: Tensor) -> None:
    """Raise UserError for logits without a softmax: NaN or infinity. Minus infinity is fine: it rules a token out."""
    if bool(logits.isnan().any()) or bool((logits == float("inf")).any()) or not bool(logits.isfinite().any()):
        raise UserError(
            "The model computes what is not a number: its weights are damaged, or the dtype is too narrow; choose "
            "float32 or another model."
        )


def entropy(probabilities: Float[np.ndarray, "... vocabulary"]) -> float:
    """Entropy in nats, from 0 (certainty) to log(vocabulary) (uniform)."""
    positive = probabilities[probabilities > 0]
    return float(-(positive * np.log(positive)).sum()) + 0.0


def _tempered(scores: Float[Tensor, "vocabulary"], temperature: float) -> Float[Tensor, "vocabulary"]:
    """Softmax with temperature; at 0, all probability on the top token."""
    if temperature > 0:
        return (scores / temperature).softmax(-1)
    top = torch.zeros_like(scores)
    top[scores.argmax()] = 1.0
    return top


def _keep_mask(probabilities: Float[Tensor, "vocabulary"], name: str, sampling: Sampling) -> Tensor:
    """Which tokens a filter keeps; the most probable one always stays."""
    if name == "top-k" and 0 < sampling.top_k < len(probabilities):
        return probabilities >= probabilities.topk(sampling.top_k).values[-1]
    if name == "min-p":
        return probabilities >= sampling.min_p * probabilities.max()
    if name == "top-k" or sampling.top_p >= 1:
        return torch.ones_like(probabilities, dtype=torch.bool)
    # top-p: keep a token while the sum of those before it is below p, so the one that crosses p is kept.
    ordered, order = probabilities.sort(descending=True, stable=True)
    before = ordered.cumsum(0) - ordered
    keep = torch.empty_like(probabilities, dtype=torch.bool)
    keep[order] = before < sampling.top_p
    keep[order[0]] = True
    return keep
