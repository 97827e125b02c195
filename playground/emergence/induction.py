"""Induction heads: accuracy and loss on repeated passages, and the head scores behind them. Olsson et al. 2022.

The circuit (sections 3 and 4) needs two heads: a previous-token head, and a layer above it a head that attends to what
followed the current token last time. Neither predicts anything alone.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch.nn import functional

from playground.attention import handling
from playground.evaluation.answers import accuracy
from playground.lens.capture.recorder import recorder_for
from playground.lens.inspect.head_scores import score_heads
from playground.tasks.induction import HELD_OUT_SEED, InductionTask, block_rows
from playground.transformer import Transformer

SCORED_ROWS = 16
SCORES = ("induction", "previous")


@torch.no_grad()
def induction_metrics(task: InductionTask, model: Transformer, rows: int) -> dict[str, float]:
    """Every metric of metrics.INDUCTION_METRICS, over the second copies of held-out rows; scores of the best head."""
    ids, repeats = block_rows(task.config, rows, np.random.default_rng(HELD_OUT_SEED))
    logits = model(ids[:, :-1])
    losses = functional.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")[repeats]
    guesses, truth = logits.argmax(-1)[repeats].numpy(), ids[:, 1:][repeats].numpy()
    scores = best_scores(model, ids[:SCORED_ROWS, :-1])
    return {
        "repeat_accuracy": accuracy(guesses, truth),
        "repeat_probability": float(losses.neg().exp().mean()),
        "repeat_loss": float(losses.mean()),
        "induction_score": scores["induction"],
        "previous_score": scores["previous"],
    }


def best_scores(model: Transformer, ids: torch.Tensor) -> dict[str, float]:
    """The highest score of each kind over all heads, scores averaged over rows of ids [row, token]."""
    tables: dict[str, list[Float[np.ndarray, "layer head"]]] = {name: [] for name in SCORES}
    for row in ids:
        recorder = recorder_for(model, "decoder", None)
        with handling(recorder):
            model(row[None])
        scores = score_heads(recorder.sites, row.tolist())
        for name in SCORES:
            tables[name].append(scores[name])
    return {name: float(np.nanmean(table, axis=0).max()) for name, table in tables.items()}
