"""Rewriting digits: copy them, reverse them, or sort them. Right is the whole answer, digit for digit.

The smallest tasks for an encoder-decoder: cross-attention has to point at one digit after another, and the gold
alignment is known. For `reverse` and the source 3 1 4 the right answer is 4 1 3.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Int
from tokenizers import Tokenizer
from torch.nn import functional

from playground.errors import UserError
from playground.evaluation.answers import exact_match, token_accuracy
from playground.generation import greedy_answers
from playground.special_tokens import END_ID, PAD_ID, SPECIALS, START_ID
from playground.tasks.task import (
    IGNORED,
    AnswerSample,
    Batch,
    Needs,
    Probe,
    Sample,
    StatelessTask,
    TaskKind,
    check_needs,
)
from playground.tasks.vocabulary import train_vocabulary
from playground.transformer import Transformer, TransformerConfig, check_choice, check_count

Operation = Literal["copy", "reverse", "sort"]
DIGITS = "0123456789"
FIRST_DIGIT = len(SPECIALS)
LONGEST = 256
HELD_OUT_SEED = (20170612, 1, 1)
"""Three numbers; a training step's seed has two, so the streams never coincide."""
N_SAMPLES = 4


@dataclass(frozen=True, kw_only=True)
class RewritingConfig:
    """The operation, and the number of digits: random, from `shortest` to `longest`."""

    operation: Operation = "reverse"
    shortest: int = 8
    longest: int = 8

    def __post_init__(self) -> None:
        check_choice("operation", self.operation, get_args(Operation))
        check_count("shortest", self.shortest)
        check_count("longest", self.longest)
        if self.shortest > self.longest:
            raise UserError(
                "The shortest row of {shortest} digits is longer than the longest of {longest}.",
                shortest=self.shortest,
                longest=self.longest,
            )
        if self.longest > LONGEST:
            raise UserError(
                "A row of {longest} digits is too long; choose at most {limit}.",
                longest=self.longest,
                limit=LONGEST,
            )

    def needs(self) -> Needs:
        """An encoder-decoder that reads the longest row between START and END."""
        return Needs(kind="encoder-decoder", vocabulary=FIRST_DIGIT + len(DIGITS), context=self.longest + 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class RewritingTask(StatelessTask):
    """Rows of random digits and their answers."""

    config: RewritingConfig
    tokenizer: Tokenizer

    class_names: tuple[str, ...] = ()

    def check_fits(self, model: TransformerConfig) -> None:
        """Raise UserError if the model is no encoder-decoder or too small."""
        check_needs(self.config.needs(), model)

    def batch(self, generator: np.random.Generator, *, rows: int, length: int, step: int) -> Batch:
        """Random digits and their answers."""
        lengths = generator.integers(self.config.shortest, self.config.longest + 1, rows)
        digits = generator.integers(FIRST_DIGIT, FIRST_DIGIT + len(DIGITS), (rows, self.config.longest))
        return _padded([self._pair(row[:count]) for row, count in zip(digits, lengths, strict=True)])

    def _pair(self, digits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return digits, rewritten(self.config.operation, digits)

    @torch.no_grad()
    def evaluate(self, model: Transformer, *, rows: int, length: int) -> dict[str, float]:
        """Teacher-forced loss and token accuracy, and exact match of the greedy answers."""
        batch = self._held_out(rows, length)
        assert batch.labels is not None
        logits = model(batch.ids, batch.target_ids, mask=batch.mask)
        counted = batch.labels != IGNORED
        loss = functional.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORED)
        return {
            "held_out_loss": float(loss),
            "token_accuracy": token_accuracy((logits.argmax(-1) == batch.labels).numpy(), counted.numpy()),
            "exact_match": exact_match(self._answers(model, batch), [self._right(row) for row in batch.labels]),
        }

    def _held_out(self, rows: int, length: int) -> Batch:
        return self.batch(np.random.default_rng(HELD_OUT_SEED), rows=rows, length=length, step=0)

    def _answers(self, model: Transformer, batch: Batch) -> list[list[int]]:
        """The model's greedy answers, up to END."""
        most = self.config.longest + 1
        written = greedy_answers(model, batch.ids, batch.mask, start=START_ID, end=END_ID, most=most).tolist()
        return [row[: row.index(END_ID)] if END_ID in row else row for row in written]

    def _right(self, labels: Int[torch.Tensor, "position"]) -> list[int]:
        return [index for index in labels.tolist() if index not in (IGNORED, END_ID)]

    def probe(self, length: int) -> Probe:
        """A held-out row and its gold alignment."""
        batch = self._held_out(1, length)
        digits = batch.ids[0][(batch.ids[0] >= FIRST_DIGIT)].numpy()
        return Probe(batch=batch, alignment=alignment(self.config.operation, digits))

    def samples(self, model: Transformer) -> list[Sample]:
        """The model's answers to some held-out rows."""
        batch = self._held_out(N_SAMPLES, self.config.longest + 2)
        assert batch.labels is not None
        shown = zip(batch.ids, self._answers(model, batch), batch.labels, strict=True)
        return [self._sample(ids.tolist(), answer, self._right(labels)) for ids, answer, labels in shown]

    def _sample(self, ids: list[int], answer: list[int], right: list[int]) -> AnswerSample:
        question, answered, reference = (self.tokenizer.decode(part) for part in (ids, answer, right))
        return AnswerSample(question=question, answer=answered, right=reference, is_right=answer == right)


def rewritten(operation: Operation, digits: Int[np.ndarray, "digit"]) -> Int[np.ndarray, "digit"]:
    """The right answer: 3 1 4 becomes 3 1 4, 4 1 3 or 1 3 4."""
    if operation == "reverse":
        return digits[::-1]
    return np.sort(digits) if operation == "sort" else digits


def alignment(operation: Operation, digits: Int[np.ndarray, "digit"]) -> tuple[tuple[int, int], ...]:
    """Gold pairs (target position that predicts a digit, source position of that digit).

    Position 0 of both is START: the decoder predicts its first digit there, and the source's first digit is at 1.
    A sorted digit that occurs twice in the source could come from either and is left out.
    """
    count = len(digits)
    if operation == "copy":
        return tuple((position, position + 1) for position in range(count))
    if operation == "reverse":
        return tuple((position, count - position) for position in range(count))
    order = np.argsort(digits, kind="stable")
    is_unique = [(digits == digits[source]).sum() == 1 for source in order]
    return tuple((position, int(source) + 1) for position, source in enumerate(order) if is_unique[position])


def _padded(pairs: list[tuple[np.ndarray, np.ndarray]]) -> Batch:
    """Sources as START … END, targets as START …, labels as … END, all padded to the longest."""
    longest = max(len(source) for source, _ in pairs)
    ids = np.full((len(pairs), longest + 2), PAD_ID)
    target_ids = np.full((len(pairs), longest + 1), PAD_ID)
    labels = np.full((len(pairs), longest + 1), IGNORED)
    for row, (source, target) in enumerate(pairs):
        count = len(source)
        ids[row, : count + 2] = [START_ID, *source, END_ID]
        target_ids[row, : count + 1] = [START_ID, *target]
        labels[row, : count + 1] = [*target, END_ID]
    mask = None if all(len(source) == longest for source, _ in pairs) else torch.from_numpy(ids != PAD_ID)
    return Batch(
        ids=torch.from_numpy(ids),
        labels=torch.from_numpy(labels),
        target_ids=torch.from_numpy(target_ids),
        mask=mask,
    )


def prepare_rewriting(config: RewritingConfig) -> RewritingTask:
    """Build the task of a config."""
    size = FIRST_DIGIT + len(DIGITS)
    tokenizer = train_vocabulary("characters", [DIGITS], size, model="encoder-decoder")
    return RewritingTask(config=config, tokenizer=tokenizer)


KIND = TaskKind(
    name="rewriting",
    config=RewritingConfig,
    prepare=prepare_rewriting,
    right="The whole answer, digit for digit.",
)
