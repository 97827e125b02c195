"""Grokking of modular addition: accuracy and progress measures. Nanda et al. 2023, section 5.1.

Test accuracy stays low for long and rises late. Progress measures change long before, and gradually: restricted loss
(only the waves of the key frequencies, over all pairs), excluded loss (all but those waves, over the training pairs),
the Gini coefficient of the embedding's Fourier components, the sum of squared weights.

A network that has learnt the rule computes cos(w_k (a + b - c)) for a few key frequencies w_k = 2 pi k / p. Over all
pairs (a, b) the waves cos(w_k (a + b)) and sin(w_k (a + b)) are the terms (k, k) and (-k, -k) of the two-dimensional
Fourier transform: keeping or removing those shows how much of the output is the rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from playground.errors import UserError
from playground.tasks.modular import ModularTask
from playground.transformer import Transformer

ENOUGH = 0.95
"""Key frequencies: the fewest that hold this share of the power of all waves in a + b."""

Logits = Float[np.ndarray, "first second answer"]


@dataclass(frozen=True, kw_only=True, eq=False)
class AllPairs:
    """A model's output for all pairs of numbers."""

    logits: Logits
    """Over the answers 0 … p-1."""
    is_trained: np.ndarray
    """Which pairs are in the training set: [first, second]."""


@torch.no_grad()
def all_pairs(task: ModularTask, model: Transformer) -> AllPairs:
    """One forward pass over every pair."""
    modulus = task.config.modulus
    rows = torch.cat([task.train_rows, task.test_rows])
    numbers = _numbers_by_token(task)
    first, second = (numbers[rows[:, column].numpy()] for column in (1, 3))
    # Token ids of the numbers 0 … p-1: the logits' columns in the order of the answers.
    tokens = torch.from_numpy(np.argsort(numbers)[-modulus:].copy())
    answer_logits = torch.cat([model(part[:, :-1])[:, -1] for part in torch.split(rows, 4096)])[:, tokens]
    logits = np.zeros((modulus, modulus, modulus))
    logits[first, second] = answer_logits.double().numpy()
    is_trained = np.zeros((modulus, modulus), dtype=bool)
    is_trained[first[: len(task.train_rows)], second[: len(task.train_rows)]] = True
    return AllPairs(logits=logits, is_trained=is_trained)


def _numbers_by_token(task: ModularTask) -> Int[np.ndarray, "token"]:
    """Each token's number, -1 for tokens that are none."""
    numbers = np.full(task.tokenizer.get_vocab_size(), -1)
    for number in range(task.config.modulus):
        numbers[task.tokenizer.token_to_id(str(number))] = number
    return numbers


def grokking_metrics(task: ModularTask, model: Transformer, keys: tuple[int, ...] | None = None) -> dict[str, float]:
    """Every metric of metrics.GROKKING_METRICS; losses in nats over the p answers.

    keys: key frequencies, those of the run's last checkpoint; by default the model's own.
    """
    pairs = all_pairs(task, model)
    keys = key_frequencies(pairs.logits) if keys is None else keys
    trained, losses, hits = pairs.is_trained, answer_losses(pairs.logits), _hits(pairs.logits)
    embeddings = task.number_embeddings(model).numpy()
    return {
        "train_accuracy": float(hits[trained].mean()),
        "test_accuracy": float(hits[~trained].mean()),
        "train_loss": float(losses[trained].mean()),
        "test_loss": float(losses[~trained].mean()),
        "restricted_loss": float(answer_losses(restricted(pairs.logits, keys)).mean()),
        "excluded_loss": float(answer_losses(excluded(pairs.logits, keys))[trained].mean()),
        "embedding_gini": gini(fourier_norms(embeddings)),
        "squared_weights": float(sum(parameter.square().sum() for parameter in model.parameters())),
    }


def key_frequencies_of(task: ModularTask, model: Transformer) -> tuple[int, ...]:
    """The model's own key frequencies."""
    return key_frequencies(all_pairs(task, model).logits)


def _correct_answers(modulus: int) -> Int[np.ndarray, "first second"]:
    numbers = np.arange(modulus)
    answers: np.ndarray = (numbers[:, None] + numbers) % modulus
    return answers


def answer_losses(logits: Float[np.ndarray, "first second answer"]) -> Float[np.ndarray, "first second"]:
    """Cross-entropy of each pair's correct answer, in nats."""
    highest = logits.max(-1, keepdims=True)
    normaliser = np.log(np.exp(logits - highest).sum(-1)) + highest[..., 0]
    correct = np.take_along_axis(logits, _correct_answers(len(logits))[..., None], axis=-1)[..., 0]
    losses: np.ndarray = normaliser - correct
    return losses


def _hits(logits: Float[np.ndarray, "first second answer"]) -> np.ndarray:
    hits: np.ndarray = logits.argmax(-1) == _correct_answers(len(logits))
    return hits


def sum_power(logits: Logits) -> Float[np.ndarray, "frequency"]:
    """Power share of each frequency 1 … (p-1)/2 among the waves in a + b; index 0 is frequency 1, the sum is 1.

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
    return tuple(int(index) + 1 for index in order[:needed])


def restricted(logits: Logits, keys: Sequence[int]) -> Logits:
    """Logits reduced to their mean over all pairs and the waves cos, sin (w_k (a + b)) of the key frequencies."""
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
    """Gini coefficient, from 0 (all equal) to nearly 1 (one holds all): Hurley & Rickard 2009.

    Raises UserError for negative or no values.

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
    # rfft keeps one of two conjugate terms: every wave but the constant (and the last of an even count) counts twice.
    parts[1 : (len(embeddings) + 1) // 2] *= np.sqrt(2)
    # The constant has no sine, nor has the last wave of an even count.
    components: np.ndarray = np.concatenate([parts[:1, 0], parts[1:].ravel()])[: len(embeddings)]
    return components
