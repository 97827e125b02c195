"""Measures of what a model answers, as pure functions of tokens and probabilities; a leaf that needs no torch.

answers.py         tokens right, answers right whole, the probability of the right answer, and p to the power of L
edit_distance.py   how many changes make one answer the other
"""

from playground.evaluation.answers import (
    answer_probabilities,
    exact_match,
    expected_exact_match,
    token_accuracy,
    token_probability,
)
from playground.evaluation.edit_distance import edit_distance, mean_edit_distance, normalised_edit_distance

__all__ = [
    "answer_probabilities",
    "edit_distance",
    "exact_match",
    "expected_exact_match",
    "mean_edit_distance",
    "normalised_edit_distance",
    "token_accuracy",
    "token_probability",
]
