"""All measures of a model's answers at once, on questions that it was never trained on."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground.errors import UserError
from playground.evaluation import (
    answer_probabilities,
    exact_match,
    expected_exact_match,
    mean_edit_distance,
    token_accuracy,
    token_probability,
)
from playground.generation import greedy_answers
from playground.tasks.addition import AdditionTask, right_of
from playground.tasks.task import IGNORED, Batch, Task
from playground.tasks.translation import TranslationTask
from playground.tasks.vocabulary import END_ID, START_ID
from playground.transformer import Transformer


def held_out_answers(task: Task, rows: int) -> Batch:
    """Questions of a task with their right answers. Raises UserError for a task that has no answers of tokens."""
    if isinstance(task, AdditionTask | TranslationTask):
        return task.held_out(rows)
    raise UserError("Only addition and translation have answers of several tokens; choose one of their runs.")


@torch.no_grad()
def answer_measures(task: Task, model: Transformer, batch: Batch) -> dict[str, float]:
    """Every measure of measures.ANSWERS, the exact match that p^L promises, and the mean length L of an answer.

    The token that ends a translation counts as one of its tokens, except in the edit distances.
    """
    assert batch.labels is not None
    logits = model(batch.ids) if batch.target_ids is None else model(batch.ids, batch.target_ids, mask=batch.mask)
    labels, counted = batch.labels.numpy(), (batch.labels != IGNORED).numpy()
    chances = right_log_probabilities(logits, batch.labels)
    accuracy = token_accuracy((logits.argmax(-1) == batch.labels).numpy(), counted)
    answers, rights = written_answers(task, model, batch), [_ended(row) for row in right_of(batch)]
    lengths = (labels != IGNORED).sum(1)
    return {
        "exact_match": exact_match(answers, rights),
        "expected_exact_match": expected_exact_match(accuracy, lengths.tolist()),
        "token_accuracy": accuracy,
        "token_edit_distance": mean_edit_distance(answers, rights, normalised=False),
        "edit_distance": mean_edit_distance(answers, rights, normalised=True),
        "token_probability": token_probability(chances, counted),
        "answer_probability": float(answer_probabilities(chances, counted).mean()),
        "held_out_loss": float(-chances[counted].mean()),
        "answer_length": float(lengths.mean()),
    }


def right_log_probabilities(
    logits: Float[Tensor, "row position token"], labels: Tensor
) -> Float[np.ndarray, "row position"]:
    """The log probability of the right token at each position, in nats; 0 where none counts."""
    counted = labels != IGNORED
    chosen = logits.log_softmax(-1).gather(-1, labels.masked_fill(~counted, 0)[..., None])[..., 0]
    return chosen.masked_fill(~counted, 0).double().numpy()


def written_answers(task: Task, model: Transformer, batch: Batch) -> list[list[int]]:
    """What the model writes on its own, always its most probable token, without the token that ends it."""
    if isinstance(task, AdditionTask):
        return task.answers(model, batch)
    assert batch.labels is not None
    written = greedy_answers(
        model, batch.ids, batch.mask, start=START_ID, end=END_ID, most=batch.labels.shape[1]
    ).tolist()
    return [_ended(row) for row in written]


def _ended(row: list[int]) -> list[int]:
    return row[: row.index(END_ID)] if END_ID in row else row
