"""Sample a continuation token by token; each comes with its alternatives and the attention that predicted it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float

from playground.errors import UserError
from playground.lens.capture.site import SiteKind
from playground.lens.capture.tokens import Token, label
from playground.lens.generate.continuation import AttentionWeights, Continuation
from playground.lens.generate.predictions import Distribution, FilterEffect, Sampling, distribution

if TYPE_CHECKING:
    from playground.models import LoadedModel

StopReason = Literal["end", "length", "context"]


@dataclass(frozen=True, kw_only=True)
class GenerationConfig:
    """How to sample. Each token's random number depends on the seed and the token's number alone.

    So a branch that is generated again is the same, wherever it was resumed.
    """

    max_new_tokens: int = 40
    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0
    alternatives: int = 10

    def __post_init__(self) -> None:
        if not 1 <= self.max_new_tokens <= 4096:
            raise UserError(
                "{max_new_tokens} tokens cannot be generated at once; choose 1 to 4096.",
                max_new_tokens=self.max_new_tokens,
            )
        if self.seed < 0:
            raise UserError("The seed is {seed}; choose a whole number from 0.", seed=self.seed)
        if self.alternatives < 1:
            raise UserError(
                "{alternatives} alternatives cannot be listed; choose at least 1.", alternatives=self.alternatives
            )


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """A candidate for a position."""

    token: Token
    probability: float
    """Of the raw distribution."""
    sampled: float
    """After temperature and filters; 0 where filtered out."""
    rank: int
    """Number of more probable tokens."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GeneratedToken:
    """A new token, its alternatives, and the attention that predicted it."""

    token: Token
    number: int
    """Counts new tokens from 0."""
    probability: float
    """Of the raw distribution, as are surprisal, entropy and rank."""
    sampled: float
    """Probability of sampling it: after temperature and filters."""
    surprisal: float
    """In nats."""
    entropy: float
    """Of the distribution that it was sampled from before temperature and filters, in nats."""
    rank: int
    """Number of more probable tokens."""
    alternatives: tuple[Alternative, ...]
    """Most probable first; the token itself is among them."""
    filters: tuple[FilterEffect, ...]
    attention: dict[SiteKind, Float[np.ndarray, "layer head key"]]
    """Weights of the position that predicted this token, over all tokens so far (cross: the source's)."""
    stop_reason: StopReason | None = None
    """Why nothing follows; None where something can."""

    def with_alternative(self, token: int) -> "GeneratedToken":
        """The same position with one of its alternatives. Raises UserError for a token that is not among them."""
        chosen = next((other for other in self.alternatives if other.token.id == token), None)
        if chosen is None:
            raise UserError("That token is not among the alternatives; choose one of those listed.")
        return replace(
            self,
            token=chosen.token,
            probability=chosen.probability,
            sampled=chosen.sampled,
            surprisal=-float(np.log(chosen.probability)) if chosen.probability > 0 else float("inf"),
            rank=chosen.rank,
            stop_reason=None,
        )


def generate(
    model: "LoadedModel",
    text: str,
    config: GenerationConfig | None = None,
    *,
    prefix: Sequence[int] = (),
) -> Iterator[GeneratedToken]:
    """Continue a text (an encoder-decoder: answer it), yielding each token as it is sampled.

    prefix: ids after the text that are already there, to resume a branch; they count as tokens 0, 1, … Stops at an end
    token, which is yielded, at max_new_tokens, or where the context is full. Raises UserError for a model that cannot
    generate.
    """
    config = config or GenerationConfig()
    continuation = Continuation(model, text)
    end_ids = model.adapter.end_ids()
    logits, attention = continuation.feed_with_attention([*continuation.first, *prefix])
    last = len(prefix) + config.max_new_tokens - 1
    for number in range(len(prefix), last + 1):
        predicted = distribution(logits, config.sampling)
        id = predicted.sample(float(np.random.default_rng((config.seed, number)).random()))
        stop_reason = _stop_reason(id in end_ids, number == last, continuation)
        yield _generated(model, predicted, id, number, attention, config.alternatives, stop_reason)
        if stop_reason:
            return
        logits, attention = continuation.feed_with_attention([id])


def _stop_reason(is_end: bool, is_last: bool, continuation: Continuation) -> StopReason | None:
    if is_end:
        return "end"
    if continuation.length == continuation.limit:
        return "context"
    return "length" if is_last else None


def _generated(
    model: "LoadedModel",
    predicted: Distribution,
    id: int,
    number: int,
    attention: AttentionWeights,
    n_alternatives: int,
    stop_reason: StopReason | None,
) -> GeneratedToken:
    top = predicted.top(n_alternatives)
    ids = top if id in top else [*top[:-1], id]
    return GeneratedToken(
        token=token_of(model, id),
        number=number,
        probability=float(predicted.model[id]),
        sampled=float(predicted.sampled[id]),
        surprisal=predicted.surprisal(id),
        entropy=predicted.entropy,
        rank=predicted.rank(id),
        alternatives=alternatives_of(model, predicted, ids),
        filters=predicted.filters,
        attention={kind: weights.numpy() for kind, weights in attention.items()},
        stop_reason=stop_reason,
    )


def alternatives_of(model: "LoadedModel", predicted: Distribution, ids: Sequence[int]) -> tuple[Alternative, ...]:
    """These tokens of a distribution as alternatives."""
    return tuple(
        Alternative(
            token=token_of(model, id),
            probability=float(predicted.model[id]),
            sampled=float(predicted.sampled[id]),
            rank=predicted.rank(id),
        )
        for id in ids
    )


def token_of(model: "LoadedModel", id: int) -> Token:
    """One token labelled by itself: alternatives are no text, so no character runs over several of them."""
    return label(model.tokenizer, [id])[0]
