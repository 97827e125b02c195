"""Let a model write, one token at a time, and see at each what else it could have been and where it looked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float

from playground.errors import UserError
from playground.lens.capture.site import SiteKind
from playground.lens.capture.tokens import Token, label
from playground.lens.generate.continuation import Continuation, Looks, end_ids
from playground.lens.generate.predictions import Cut, Distribution, Sampling, distribution

if TYPE_CHECKING:
    from playground.models import LoadedModel

Ending = Literal["end", "length", "context"]


@dataclass(frozen=True, kw_only=True)
class GenerationConfig:
    """How to write on. The chance of each draw comes from the seed and the token's number alone.

    So a branch that is written again is the same, wherever the writing was taken up.
    """

    tokens: int = 40
    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0
    alternatives: int = 10

    def __post_init__(self) -> None:
        if not 1 <= self.tokens <= 4096:
            raise UserError("{tokens} tokens cannot be written at once; choose 1 to 4096.", tokens=self.tokens)
        if self.seed < 0:
            raise UserError("The seed is {seed}; choose a whole number from 0.", seed=self.seed)
        if self.alternatives < 1:
            raise UserError(
                "{alternatives} alternatives cannot be listed; choose at least 1.", alternatives=self.alternatives
            )


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """A token that could come: its probability as the model says it, and as it is drawn (0 where it is cut away).

    rank: how many tokens are more probable.
    """

    token: Token
    probability: float
    sampled: float
    rank: int


@dataclass(frozen=True, kw_only=True, eq=False)
class GeneratedToken:
    """One new token: what the model thought of it, what else was likely, and where the model looked.

    number counts new tokens from 0. probability, surprise (nats) and entropy (nats) are of the model's own
    distribution; sampled is the chance with which it was drawn. alternatives begin with the most probable. looks: by
    kind of attention, where the token before looked in every head when it predicted this one [layer, head, key], over
    all tokens so far (cross: the source's). ends: why nothing follows, None where something can.
    """

    token: Token
    number: int
    probability: float
    sampled: float
    surprise: float
    entropy: float
    rank: int
    alternatives: tuple[Alternative, ...]
    cuts: tuple[Cut, ...]
    looks: dict[SiteKind, Float[np.ndarray, "layer head key"]]
    ends: Ending | None = None

    def instead(self, token: int) -> "GeneratedToken":
        """The same place with one of the alternatives. Raises UserError for a token that is not among them."""
        places = [place for place, other in enumerate(self.alternatives) if other.token.id == token]
        if not places:
            raise UserError("That token is not among the alternatives; choose one of those listed.")
        chosen = self.alternatives[places[0]]
        return replace(
            self,
            token=chosen.token,
            probability=chosen.probability,
            sampled=chosen.sampled,
            surprise=-float(np.log(chosen.probability)) if chosen.probability > 0 else float("inf"),
            rank=chosen.rank,
            ends=None,
        )


def generate(
    model: "LoadedModel",
    text: str,
    config: GenerationConfig | None = None,
    *,
    written: Sequence[int] = (),
) -> Iterator[GeneratedToken]:
    """Continue a text (an encoder-decoder: answer it), yielding each token as it comes.

    written: ids that already stand after the text, so that a branch can be taken up; they count as tokens 0 on. It
    stops at an end token, which is yielded, at the number of tokens, or where the context is full. Raises UserError
    for a model that cannot write.
    """
    config = config or GenerationConfig()
    continuation = Continuation(model, text)
    ends = end_ids(model)
    logits, looks = continuation.feed_and_look([*continuation.first, *written])
    for number in range(len(written), len(written) + config.tokens):
        found = distribution(logits, config.sampling)
        chosen = found.draw(float(np.random.default_rng((config.seed, number)).random()))
        ending = _ending(chosen in ends, number + 1 == len(written) + config.tokens, continuation)
        yield _generated(model, found, chosen, number, looks, config.alternatives, ending)
        if ending:
            return
        logits, looks = continuation.feed_and_look([chosen])


def _ending(is_end: bool, is_last: bool, continuation: Continuation) -> Ending | None:
    if is_end:
        return "end"
    if continuation.length == continuation.limit:
        return "context"
    return "length" if is_last else None


def _generated(
    model: "LoadedModel",
    found: Distribution,
    chosen: int,
    number: int,
    looks: Looks,
    alternatives: int,
    ending: Ending | None,
) -> GeneratedToken:
    """The record of one new token."""
    top = found.top(alternatives)
    ids = top if chosen in top else [*top[:-1], chosen]
    others = tuple(
        Alternative(
            token=_token(model, other),
            probability=float(found.model[other]),
            sampled=float(found.sampled[other]),
            rank=found.rank(other),
        )
        for other in ids
    )
    return GeneratedToken(
        token=_token(model, chosen),
        number=number,
        probability=float(found.model[chosen]),
        sampled=float(found.sampled[chosen]),
        surprise=found.surprise(chosen),
        entropy=found.entropy,
        rank=found.rank(chosen),
        alternatives=others,
        cuts=found.cuts,
        looks={kind: weights.numpy() for kind, weights in looks.items()},
        ends=ending,
    )


def _token(model: "LoadedModel", id: int) -> Token:
    """One token's label by itself: alternatives are no text, so that no character runs over several of them."""
    return label(model.tokenizer, [id])[0]
