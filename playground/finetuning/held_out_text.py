"""Held-out measures of a model that learned to write, beside its base: bits per byte and perplexity, or BLEU.

Both read the same rows, encoded as in training, and the rows are resampled together: the interval of a difference is a
paired one (Koehn 2004).
"""

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from playground.errors import UserError
from playground.evaluation.bleu import bleu_scores, bleu_statistics
from playground.evaluation.lines import ComparedLines
from playground.evaluation.perplexity import MOST_NATS
from playground.evaluation.resampling import PairedSpread, Spread, bootstrap_score, paired_bootstrap
from playground.finetuning.forgetting import bits_of_sums
from playground.finetuning.model_pair import ModelPair
from playground.models.adapters.hub_model import HubShape, as_ours
from playground.progress import OnProgress, no_progress
from playground.tasks.finetune.next_token import NextTokenTask
from playground.tasks.finetune.pairs import PairsTask
from playground.tasks.finetune.reader import ROWS_AT_ONCE, reader_for
from playground.tasks.finetune.registry import finetune_kind_of
from playground.tasks.finetune.rows import SplitRows

if TYPE_CHECKING:
    from playground.models.loading import LoadedModel
    from playground.training.finetune.finetune_config import FinetuneConfig
    from playground.transformer import Transformer

LEAST_ROWS = 5
MOST_ROWS = 200
"""Of more held-out rows the first ones: each is read by both models."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOutText:
    """The counted tokens of held-out rows, before and after: answers to prompts, or whole passages."""

    texts: tuple[str, ...]
    """The rows as they were read, without special tokens."""
    nats: Float[np.ndarray, "model row"]
    tokens: Float[np.ndarray, "row"]
    """Counted ones."""
    bytes: Float[np.ndarray, "row"]
    """Of the counted tokens' text."""
    bits: PairedSpread
    """Bits per byte: before, after, and after less before; an interval below 0 is learning."""
    perplexities: tuple[Spread, Spread]
    """Of a counted token: before, after."""
    n_rows: int
    """Held-out rows that there are."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOutAnswers:
    """The greedy answers to held-out sources, before and after."""

    sources: tuple[str, ...]
    references: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    bleu: PairedSpread
    """Before, after, and after less before."""
    n_rows: int
    """Held-out rows that there are."""


def compare_held_out(
    pair: ModelPair, rows: SplitRows, config: "FinetuneConfig", on_progress: OnProgress = no_progress
) -> HeldOutText | HeldOutAnswers:
    """Measure a run's held-out rows with both models.

    Raises UserError for a run whose task writes nothing, and for fewer than LEAST_ROWS rows.
    """
    held_out = rows.held_out
    if config.task_name != "passages":  # a passage makes many rows, and those of all are shuffled
        held_out = held_out.only(range(min(len(held_out), MOST_ROWS)))
    # What was trained on is not read here, but no task is without it.
    split = SplitRows(train=held_out, held_out=held_out)
    task = finetune_kind_of(config.task).encode(split, reader_for(pair.before), config.length)
    if isinstance(task, PairsTask):
        return _read_answers(pair, task, len(rows.held_out), on_progress)
    if isinstance(task, NextTokenTask):
        return _read_text(pair, task, max(len(rows.held_out), len(task.held_out)), on_progress)
    raise UserError("This run learned labels; its measures are those of a classifier.")


def _read_text(pair: ModelPair, task: NextTokenTask, n_rows: int, on_progress: OnProgress) -> HeldOutText:
    rows = task.held_out[:MOST_ROWS]
    _refuse_few(len(rows))
    nats = np.zeros((2, len(rows)))
    for side, model in enumerate(map(_called_as_ours, (pair.before, pair.after))):
        for start in range(0, len(rows), ROWS_AT_ONCE):
            on_progress(side * len(rows) + start, 2 * len(rows))
            losses = task.losses(model, rows[start : start + ROWS_AT_ONCE])
            nats[side, start : start + len(losses)] = [row.sum() for row in losses]
    tokens = np.array([float(len(row.ids) - row.first) for row in rows])
    sizes = np.array([float(row.n_bytes) for row in rows])
    first, second = (np.stack([side, sizes], axis=1) for side in nats)
    before, after = (bootstrap_score(np.stack([side, tokens], axis=1), _perplexity_of_sums) for side in nats)
    return HeldOutText(
        texts=tuple(task.spelled(row.ids) for row in rows),
        nats=nats,
        tokens=tokens,
        bytes=sizes,
        bits=paired_bootstrap(first, second, bits_of_sums),
        perplexities=(before, after),
        n_rows=n_rows,
    )


def _read_answers(pair: ModelPair, task: PairsTask, n_rows: int, on_progress: OnProgress) -> HeldOutAnswers:
    rows = task.held_out[:MOST_ROWS]
    _refuse_few(len(rows))
    references = task.split.held_out.labels[: len(rows)]
    answers, statistics = [], []
    for side, model in enumerate(map(_called_as_ours, (pair.before, pair.after))):
        written: list[str] = []
        for start in range(0, len(rows), ROWS_AT_ONCE):
            on_progress(side * len(rows) + start, 2 * len(rows))
            with torch.no_grad():
                written += task.answers(model, rows[start : start + ROWS_AT_ONCE])
        lines = ComparedLines(hypotheses=tuple(written), references=tuple((line,) for line in references))
        answers.append(tuple(written))
        statistics.append(bleu_statistics(lines))
    return HeldOutAnswers(
        sources=task.split.held_out.texts[: len(rows)],
        references=references,
        before=answers[0],
        after=answers[1],
        bleu=paired_bootstrap(statistics[0], statistics[1], bleu_scores),
        n_rows=n_rows,
    )


def _called_as_ours(model: "LoadedModel") -> "Transformer":
    """A loaded model as a task calls it; tasks measure on the CPU."""
    module: nn.Module = model.module if model.device == "cpu" else copy.deepcopy(model.module).cpu()
    # A HubModel has the same methods.
    return cast("Transformer", as_ours(module, HubShape(kind=model.kind, context=model.context)))


def _refuse_few(rows: int) -> None:
    if rows < LEAST_ROWS:
        raise UserError("Held-out measures need at least {least} rows; this run has {n}.", least=LEAST_ROWS, n=rows)


def _perplexity_of_sums(sums: Float[np.ndarray, "resample 2"]) -> Float[np.ndarray, "resample"]:
    """Nats and tokens of each resample."""
    return np.asarray(np.exp(np.minimum(sums[..., 0] / sums[..., 1], MOST_NATS)))
