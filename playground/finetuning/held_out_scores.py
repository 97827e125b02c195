"""Held-out measures of a fine-tuned classifier beside what it has to beat, all on the same rows.

An accuracy's interval is Wilson's: one of resamples has no width where all rows are right. For a difference the rows
are resampled together, so that its interval is a paired one (Koehn 2004).
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from playground.errors import UserError
from playground.evaluation.baselines import baselines
from playground.evaluation.confusion import Confusion, confusion
from playground.evaluation.label_spreads import LabelSpreads, label_spreads
from playground.evaluation.resampling import PairedSpread, paired_bootstrap
from playground.lens.generate.classification import classify, require_head
from playground.models.loading import LoadedModel
from playground.progress import OnProgress, no_progress
from playground.tasks.finetune.rows import SplitRows
from playground.text import N_

FINE_TUNED = N_("fine-tuned")
SCRATCH = N_("same architecture from scratch")
TFIDF = N_("TF-IDF + logistic regression")
MAJORITY = N_("most frequent label")


@dataclass(frozen=True, kw_only=True, eq=False)
class SystemScores:
    """One system's answers to the held-out rows."""

    name: str
    predicted: tuple[str, ...]
    counted: Confusion
    spreads: LabelSpreads
    gain: PairedSpread | None
    """The fine-tuned model's accuracy less this one's; None of itself."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOutScores:
    """All systems on the same rows, the fine-tuned model first."""

    true: tuple[str, ...]
    systems: tuple[SystemScores, ...]

    def of(self, name: str) -> SystemScores | None:
        """A system by name; None where it was not measured."""
        return next((system for system in self.systems if system.name == name), None)


def held_out_scores(true: Sequence[str], predictions: Mapping[str, Sequence[str]]) -> HeldOutScores:
    """Score every system. Raises UserError without the fine-tuned model, and for unequal numbers of rows."""
    if FINE_TUNED not in predictions:
        raise UserError("There are no predictions of the fine-tuned model to compare with.")
    own = _right(true, predictions[FINE_TUNED])
    systems = []
    for name in (FINE_TUNED, *(name for name in predictions if name != FINE_TUNED)):
        counted = confusion(true, predictions[name])
        gain = None if name == FINE_TUNED else paired_bootstrap(_right(true, predictions[name]), own, _accuracy)
        systems.append(
            SystemScores(
                name=name,
                predicted=tuple(predictions[name]),
                counted=counted,
                spreads=label_spreads(counted),
                gain=gain,
            )
        )
    return HeldOutScores(true=tuple(true), systems=tuple(systems))


def score_models(
    after: LoadedModel, rows: SplitRows, scratch: LoadedModel | None = None, on_progress: OnProgress = no_progress
) -> HeldOutScores:
    """A run's model on its held-out rows beside the baselines that learned from its training rows.

    scratch: the same architecture that began with random weights. Raises UserError for a model without a classifier.
    """
    predictions = {FINE_TUNED: _answers(after, rows, on_progress)}
    if scratch is not None:
        predictions[SCRATCH] = _answers(scratch, rows, on_progress)
    train, held_out = ((part.texts, part.labels) for part in (rows.train, rows.held_out))
    with contextlib.suppress(UserError):  # texts without words
        predictions |= baseline_predictions(train, held_out, on_progress)
    return held_out_scores(rows.held_out.labels, predictions)


def _answers(model: LoadedModel, rows: SplitRows, on_progress: OnProgress) -> tuple[str, ...]:
    labels = require_head(model, "text").labels
    answers = classify(model, rows.held_out.texts, truncate=True, on_progress=on_progress)
    return tuple(labels[answer.best] for answer in answers)


def baseline_predictions(
    train: tuple[Sequence[str], Sequence[str]],
    held_out: tuple[Sequence[str], Sequence[str]],
    on_progress: OnProgress = no_progress,
) -> dict[str, tuple[str, ...]]:
    """The most frequent label and TF-IDF with logistic regression, learned from texts and labels of `train`."""
    texts, labels = ([*train[part], *held_out[part]] for part in (0, 1))
    found = baselines(texts, labels, [row < len(train[0]) for row in range(len(texts))], on_progress)
    return {TFIDF: found.tfidf, MAJORITY: found.majority}


def _right(true: Sequence[str], predicted: Sequence[str]) -> np.ndarray:
    """A row for each line: whether it is right, and 1."""
    return np.array([[float(one == other), 1.0] for one, other in zip(true, predicted, strict=False)]).reshape(-1, 2)


def _accuracy(sums: np.ndarray) -> np.ndarray:
    return np.asarray(sums[..., 0] / sums[..., 1])
