"""Metrics of answers of several tokens, on held-out questions: exact match, token accuracy, edit distance, loss."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground.errors import UserError
from playground.evaluation.answers import (
    answer_probabilities,
    exact_match,
    expected_exact_match,
    token_accuracy,
    token_probability,
)
from playground.evaluation.edit_distance import mean_edit_distance
from playground.generation import greedy_answers
from playground.special_tokens import END_ID, START_ID
from playground.tasks.addition import AdditionTask, reference_tokens
from playground.tasks.task import IGNORED, Batch, Task
from playground.tasks.translation import TranslationTask
from playground.transformer import Transformer


def held_out_answers(task: Task, rows: int) -> Batch:
    """Held-out questions with their reference answers. Raises UserError for a task without such answers."""
    if isinstance(task, AdditionTask | TranslationTask):
        return task.held_out(rows)
    raise UserError("Only addition and translation have answers of several tokens; choose one of their runs.")


@torch.no_grad()
def answer_metrics(task: Task, model: Transformer, batch: Batch) -> dict[str, float]:
    """Every metric of metrics.ANSWER_METRICS, the expected exact match p^L, and the mean answer length L in tokens.

    The end token of a translation counts as one of its tokens, except in the edit distances.
    """
    assert batch.labels is not None
    logits = model(batch.ids) if batch.target_ids is None else model(batch.ids, batch.target_ids, mask=batch.mask)
    labels, counted = batch.labels.numpy(), (batch.labels != IGNORED).numpy()
    log_probabilities = reference_log_probabilities(logits, batch.labels)
    accuracy = token_accuracy((logits.argmax(-1) == batch.labels).numpy(), counted)
    answers, references = greedy_answers_to(task, model, batch), [_ended(row) for row in reference_tokens(batch)]
    lengths = (labels != IGNORED).sum(1)
    return {
        "exact_match": exact_match(answers, references),
        "expected_exact_match": expected_exact_match(accuracy, lengths.tolist()),
        "token_accuracy": accuracy,
        "token_edit_distance": mean_edit_distance(answers, references, normalised=False),
        "edit_distance": mean_edit_distance(answers, references, normalised=True),
        "token_probability": token_probability(log_probabilities, counted),
        "answer_probability": float(answer_probabilities(log_probabilities, counted).mean()),
        "held_out_loss": float(-log_probabilities[counted].mean()),
        "answer_length": float(lengths.mean()),
    }


def reference_log_probabilities(
    logits: Float[Tensor, "row position token"], labels: Tensor
) -> Float[np.ndarray, "row position"]:
    """Log probability of the reference token at each position, in nats; 0 where none counts."""
    counted = labels != IGNORED
    chosen = logits.log_softmax(-1).gather(-1, labels.masked_fill(~counted, 0)[..., None])[..., 0]
    return chosen.masked_fill(~counted, 0).double().numpy()


def greedy_answers_to(task: Task, model: Transformer, batch: Batch) -> list[list[int]]:
    """Greedy answers of the model (free-running), without the end token."""
    if isinstance(task, AdditionTask):
        return task.answers(model, batch)
    assert batch.labels is not None
    answers = greedy_answers(
        model, batch.ids, batch.mask, start=START_ID, end=END_ID, most=batch.labels.shape[1]
    ).tolist()
    return [_ended(row) for row in answers]


def _ended(row: list[int]) -> list[int]:
    return row[: row.index(END_ID)] if END_ID in row else row
