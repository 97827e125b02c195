"""Perplexity and bits per byte from the surprisals of a text; which model they come from is no matter here.

Jelinek et al. 1977; Salazar et al. 2020, "Masked Language Model Scoring" (pseudo-perplexity of encoders).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.errors import UserError

MOST_NATS = 700.0
"""Of a mean surprisal: exp of more is no number."""


def perplexity(nats: Float[np.ndarray, "token"]) -> float:
    """exp of the mean surprisal; NaN without tokens.

    >>> perplexity(np.log([4.0, 4.0])).__round__(9), perplexity(np.zeros(0))
    (4.0, nan)
    """
    if not nats.size:
        return math.nan
    return math.exp(float(nats.mean())) if nats.mean() < MOST_NATS else math.inf


def bits_per_byte(nats: Float[np.ndarray, "token"], n_bytes: float) -> float:
    """Total surprisal in bits over the bytes of the text: comparable across vocabularies; NaN without bytes.

    >>> bits_per_byte(np.log([2.0, 2.0]), 4)
    0.5
    """
    return float(nats.sum()) / math.log(2) / n_bytes if n_bytes else math.nan


@dataclass(frozen=True, kw_only=True)
class WrittenRoot:
    """Perplexity as it is defined: the N-th root of one over the product of the probabilities."""

    probabilities: tuple[float, ...]
    product: float
    perplexity: float


def written_root(probabilities: Sequence[float]) -> WrittenRoot:
    """The product and its root, for a text that is short enough to write out.

    Raises UserError without probabilities, and where their product is too small for a number.

    >>> written_root([0.5, 0.125]).perplexity
    4.0
    """
    if not len(probabilities):
        raise UserError("The text has no predicted token, so there is nothing to multiply.")
    product = math.prod(probabilities)
    if not product > 0:
        raise UserError("The product of {count} probabilities is too small for a number.", count=len(probabilities))
    root = product ** (-1 / len(probabilities))
    return WrittenRoot(probabilities=tuple(map(float, probabilities)), product=product, perplexity=root)
