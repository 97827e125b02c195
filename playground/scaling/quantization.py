"""The quantization model: skills with Zipf frequencies, learnt from the most frequent on.

Michaud et al. 2023, section 2. Skill k is used with probability p_k ~ k^-(a+1). Who knows the first n skills fails
where another is needed: the excess loss is the tail, the sum over k > n of p_k ~ n^-a. A model of N parameters has room
for n ~ N skills, so its loss falls as N^-a. D tokens show skill k often enough where D p_k is above a threshold, so
that n ~ D^(1/(a+1)), and the loss falls as D^-(a/(a+1)).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.errors import UserError

FEWEST_RANKS = 8


@dataclass(frozen=True, kw_only=True)
class QuantizedExponents:
    """The exponents of the excess loss in N and in D."""

    alpha: float
    beta: float


def quantized_exponents(zipf: float) -> QuantizedExponents:
    """Of endless ranks whose frequencies fall as k^-zipf: a = zipf - 1 in N, a / (a + 1) in D.

    >>> quantized_exponents(1.5)
    QuantizedExponents(alpha=0.5, beta=0.3333333333333333)

    Raises UserError up to 1, where the frequencies of endless ranks have no finite sum.
    """
    if not zipf > 1:
        raise UserError("The quantization model needs a Zipf exponent above 1, not {zipf:g}.", zipf=zipf)
    a = zipf - 1
    return QuantizedExponents(alpha=a, beta=a / (a + 1))


def unlearnt_share(zipf: float, ranks: int) -> Float[np.ndarray, " learnt"]:
    """The probability of the ranks beyond the first n, for n = 0, 1, …, ranks - 1: the excess loss up to a factor.

    >>> unlearnt_share(1.0, 2).round(4).tolist()
    [1.0, 0.3333]
    """
    frequencies = np.arange(1, ranks + 1, dtype=np.float64) ** -zipf
    tails = np.cumsum(frequencies[::-1])[::-1]
    return np.asarray(tails / tails[0])


def finite_exponents(zipf: float, ranks: int) -> QuantizedExponents:
    """The same exponents where there are so many ranks and no more: the slope over n from 1 to half of them.

    The tail ends at the last rank, so it falls faster than n^-a; the fewer ranks, the faster.
    Raises UserError for too few ranks to speak of a slope.
    """
    if ranks < FEWEST_RANKS:
        raise UserError(
            "{ranks} ranks are too few for a slope; there have to be {fewest}.", ranks=ranks, fewest=FEWEST_RANKS
        )
    learnt = np.arange(1, ranks // 2 + 1)
    # Evenly in log n: each decade counts the same, as it does for sizes that grow by factors.
    chosen = np.unique(np.geomspace(1, learnt[-1], 24).round().astype(int))
    slope, _offset = np.polyfit(np.log(chosen), np.log(unlearnt_share(zipf, ranks)[chosen]), 1)
    return QuantizedExponents(alpha=-float(slope), beta=-float(slope) / zipf)
