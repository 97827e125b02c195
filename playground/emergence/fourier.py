"""Logits of modular addition as waves in a + b. Nanda et al. 2023, "Progress measures for grokking", section 5.1.

A network that has found the rule writes cos(w_k (a + b - c)) for a few key frequencies w_k = 2 pi k / p. Over all pairs
(a, b) the waves cos(w_k (a + b)) and sin(w_k (a + b)) are the terms (k, k) and (-k, -k) of the two-dimensional Fourier
transform: keeping or removing those shows how much of what the network does is the rule.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from playground.errors import UserError

ENOUGH = 0.95
"""Key frequencies are the fewest that hold this share of the power of all waves in a + b."""

Logits = Float[np.ndarray, "first second answer"]


def sum_power(logits: Logits) -> Float[np.ndarray, "frequency"]:
    """The share of each frequency 1 … (p-1)/2 among the waves in a + b; index 0 is frequency 1, all sum to 1.

    Raises UserError where the logits are not those of all pairs.
    """
    waves = _waves(logits)
    diagonal = np.einsum("kkc->kc", waves)[1 : (len(logits) + 1) // 2]
    power = (np.abs(diagonal) ** 2).sum(1)
    shares: np.ndarray = power / max(power.sum(), 1e-30)
    return shares


def key_frequencies(logits: Logits, share: float = ENOUGH) -> tuple[int, ...]:
    """The fewest frequencies that together hold that share of the power of all waves in a + b, the strongest first."""
    power = sum_power(logits)
    order = np.argsort(-power, kind="stable")
    needed = int(np.searchsorted(np.cumsum(power[order]), share)) + 1
    return tuple(int(place) + 1 for place in order[:needed])


def restricted(logits: Logits, keys: Sequence[int]) -> Logits:
    """The mean of the logits over all pairs and their waves cos, sin (w_k (a + b)) of the key frequencies alone."""
    waves = _waves(logits)
    kept = np.zeros_like(waves)
    kept[0, 0] = waves[0, 0]
    for key in keys:
        kept[key, key], kept[-key, -key] = waves[key, key], waves[-key, -key]
    return np.fft.ifft2(kept, axes=(0, 1)).real


def excluded(logits: Logits, keys: Sequence[int]) -> Logits:
    """The logits without their waves cos, sin (w_k (a + b)) of the key frequencies."""
    waves = _waves(logits)
    for key in keys:
        waves[key, key] = waves[-key, -key] = 0
    return np.fft.ifft2(waves, axes=(0, 1)).real


def _waves(logits: Logits) -> np.ndarray:
    if logits.ndim != 3 or logits.shape[0] != logits.shape[1] or len(logits) < 3:
        raise UserError(
            "Logits of shape {shape} are not those of all pairs of at least three numbers.", shape=logits.shape
        )
    waves: np.ndarray = np.fft.fft2(logits.astype(np.float64), axes=(0, 1))
    return waves


def gini(values: Float[np.ndarray, "value"]) -> float:
    """How unevenly a whole is shared, from 0 (all have the same) to nearly 1 (one has all): Hurley & Rickard 2009.

    Raises UserError for negative values, and for none.

    >>> gini(np.array([1.0, 1.0, 1.0, 1.0])), gini(np.array([0.0, 0.0, 0.0, 1.0]))
    (0.0, 0.75)
    """
    if not len(values) or values.min() < 0:
        raise UserError("A Gini coefficient is that of at least one number, none of them negative.")
    count, total = len(values), float(values.sum())
    if total == 0:
        return 0.0
    weights = 2 * np.arange(1, count + 1) - count - 1
    return float((weights * np.sort(values)).sum() / (count * total))


def fourier_norms(embeddings: Float[np.ndarray, "number width"]) -> Float[np.ndarray, "component"]:
    """The norm of each Fourier component of the embeddings of 0 … p-1: constant, cos 1, sin 1, cos 2, sin 2, …"""
    waves = np.fft.rfft(embeddings.astype(np.float64), axis=0)
    parts = np.stack([np.linalg.norm(waves.real, axis=1), np.linalg.norm(waves.imag, axis=1)], axis=1)
    # Every wave but the constant one, and of an even count the last, is shared by two terms of the whole transform.
    parts[1 : (len(embeddings) + 1) // 2] *= np.sqrt(2)
    # The first has no sine, nor of an even count the last.
    components: np.ndarray = np.concatenate([parts[:1, 0], parts[1:].ravel()])[: len(embeddings)]
    return components
