"""Grokking of modular addition: what one sees, and the progress behind it. Nanda et al. 2023, section 5.1.

Test accuracy stays low for long and rises late. Restricted loss (only the waves of the key frequencies, over all
pairs), excluded loss (all but those, over the pairs that are trained on), the Gini coefficient of the embedding's
Fourier components and the sum of squared weights change long before, and evenly.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from playground.emergence.fourier import excluded, fourier_norms, gini, key_frequencies, restricted
from playground.tasks.modular import ModularTask
from playground.transformer import Transformer


@dataclass(frozen=True, kw_only=True, eq=False)
class AllPairs:
    """What the model says of all pairs: logits over the answers 0 … p-1, and which pairs are trained on."""

    logits: Float[np.ndarray, "first second answer"]
    is_trained: np.ndarray


@torch.no_grad()
def read_all_pairs(task: ModularTask, model: Transformer) -> AllPairs:
    """Run every pair through the model once."""
    modulus = task.config.modulus
    rows = torch.cat([task.train_rows, task.test_rows])
    numbers = _numbers_by_token(task)
    first, second = (numbers[rows[:, column].numpy()] for column in (1, 3))
    # The answer that the token of each number stands for, in the order of the numbers.
    tokens = torch.from_numpy(np.argsort(numbers)[-modulus:].copy())
    found = torch.cat([model(part[:, :-1])[:, -1] for part in torch.split(rows, 4096)])[:, tokens]
    logits = np.zeros((modulus, modulus, modulus))
    logits[first, second] = found.double().numpy()
    is_trained = np.zeros((modulus, modulus), dtype=bool)
    is_trained[first[: len(task.train_rows)], second[: len(task.train_rows)]] = True
    return AllPairs(logits=logits, is_trained=is_trained)


def _numbers_by_token(task: ModularTask) -> Int[np.ndarray, "token"]:
    """The number that each token stands for, -1 where it stands for none."""
    numbers = np.full(task.tokenizer.get_vocab_size(), -1)
    for number in range(task.config.modulus):
        numbers[task.tokenizer.token_to_id(str(number))] = number
    return numbers


def grokking_measures(task: ModularTask, model: Transformer, keys: tuple[int, ...] | None = None) -> dict[str, float]:
    """Every measure of measures.GROKKING; losses in nats over the p answers.

    keys: the key frequencies, those of the run's last checkpoint; the model's own where they are not given.
    """
    pairs = read_all_pairs(task, model)
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
    """The frequencies that the model's answers rest on."""
    return key_frequencies(read_all_pairs(task, model).logits)


def _right_answers(modulus: int) -> Int[np.ndarray, "first second"]:
    numbers = np.arange(modulus)
    answers: np.ndarray = (numbers[:, None] + numbers) % modulus
    return answers


def answer_losses(logits: Float[np.ndarray, "first second answer"]) -> Float[np.ndarray, "first second"]:
    """The surprise at the right answer of each pair, in nats."""
    highest = logits.max(-1, keepdims=True)
    normaliser = np.log(np.exp(logits - highest).sum(-1)) + highest[..., 0]
    right = np.take_along_axis(logits, _right_answers(len(logits))[..., None], axis=-1)[..., 0]
    losses: np.ndarray = normaliser - right
    return losses


def _hits(logits: Float[np.ndarray, "first second answer"]) -> np.ndarray:
    hits: np.ndarray = logits.argmax(-1) == _right_answers(len(logits))
    return hits
