"""Addition of numbers with several digits, one token per digit. Right is the whole sum, digit for digit.

    as written, 3 digits:    START 0 5 7 + 4 6 8 = 0 5 2 5
    units first, 3 digits:   START 0 5 7 + 4 6 8 = 5 2 5 0

Numbers are padded with zeros, so every sum has one digit more than its numbers. As written, the first digit depends
on every carry after it; units first, each digit needs one carry (Lee et al. 2023, "Teaching Arithmetic to Small
Transformers", section 4).
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Bool, Int
from tokenizers import Tokenizer
from torch.nn import functional

from playground.errors import UserError
from playground.evaluation.answers import exact_match, token_accuracy
from playground.generation import greedy_continuation
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

AnswerOrder = Literal["as-written", "units-first"]
SYMBOLS = "0123456789+="
FIRST_DIGIT = 2
"""START and UNKNOWN have the ids before the digits'."""
PLUS, EQUALS = FIRST_DIGIT + 10, FIRST_DIGIT + 11
MOST_DIGITS = 9
HELD_OUT_SEED = (20230707, 1, 1)
"""Three numbers; a training step's seed has two, so the streams never coincide."""
HELD_OUT_SHARE = 8
"""One question in eight is held out; a hash of its two numbers decides which."""
HASH = np.uint64(0x9E3779B97F4A7C15)
N_SAMPLES = 4


@dataclass(frozen=True, kw_only=True)
class AdditionConfig:
    """The digits of each number, and which digit of the sum is written first."""

    digits: int = 4
    answer_order: AnswerOrder = "as-written"

    def __post_init__(self) -> None:
        check_count("digits", self.digits)
        check_choice("answer_order", self.answer_order, get_args(AnswerOrder))
        if self.digits > MOST_DIGITS:
            raise UserError(
                "Numbers of {digits} digits are too long; choose at most {most_digits}.",
                digits=self.digits,
                most_digits=MOST_DIGITS,
            )

    @property
    def answer_length(self) -> int:
        """Digits of a sum, leading zeros included."""
        return self.digits + 1

    @property
    def question_length(self) -> int:
        """Tokens of START, both numbers, + and =."""
        return 2 * self.digits + 3

    def needs(self) -> Needs:
        """A decoder that reads the question and all but the last digit of the sum."""
        context = self.question_length + self.answer_length - 1
        return Needs(kind="decoder", vocabulary=FIRST_DIGIT + len(SYMBOLS), context=context)


@dataclass(frozen=True, kw_only=True, eq=False)
class AdditionTask(StatelessTask):
    """Pairs of numbers and their sums."""

    config: AdditionConfig
    tokenizer: Tokenizer

    class_names: tuple[str, ...] = ()

    def check_fits(self, model: TransformerConfig) -> None:
        """Raise UserError if the model is no decoder or too small."""
        check_needs(self.config.needs(), model)

    def batch(self, generator: np.random.Generator, *, rows: int, length: int, step: int) -> Batch:
        """Random sums that are not held out."""
        return _batch(self.config, sample_numbers(self.config, generator, rows, held_out=False))

    def held_out(self, rows: int) -> Batch:
        """Held-out questions; always the same."""
        return _batch(
            self.config, sample_numbers(self.config, np.random.default_rng(HELD_OUT_SEED), rows, held_out=True)
        )

    def answers(self, model: Transformer, batch: Batch) -> list[list[int]]:
        """The model's greedy answer to each question."""
        questions = batch.ids[:, : self.config.question_length]
        return greedy_continuation(model, questions, most=self.config.answer_length).tolist()

    @torch.no_grad()
    def evaluate(self, model: Transformer, *, rows: int, length: int) -> dict[str, float]:
        """Teacher-forced loss and token accuracy, and exact match of the greedy answers."""
        batch = self.held_out(rows)
        assert batch.labels is not None
        logits = model(batch.ids)
        counted = batch.labels != IGNORED
        loss = functional.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORED)
        return {
            "held_out_loss": float(loss),
            "token_accuracy": token_accuracy((logits.argmax(-1) == batch.labels).numpy(), counted.numpy()),
            "exact_match": exact_match(self.answers(model, batch), reference_tokens(batch)),
        }

    def probe(self, length: int) -> Probe:
        """The first held-out question."""
        return Probe(batch=self.held_out(1))

    @torch.no_grad()
    def samples(self, model: Transformer) -> list[Sample]:
        """The model's answers to some held-out questions."""
        batch = self.held_out(N_SAMPLES)
        questions = batch.ids[:, : self.config.question_length].tolist()
        shown = zip(questions, self.answers(model, batch), reference_tokens(batch), strict=True)
        return [self._sample(*row) for row in shown]

    def _sample(self, question: list[int], answer: list[int], right: list[int]) -> AnswerSample:
        asked, answered, reference = (self.tokenizer.decode(part) for part in (question, answer, right))
        return AnswerSample(question=asked, answer=answered, right=reference, is_right=answer == right)


def is_held_out_sum(pairs: Int[np.ndarray, "row 2"]) -> Bool[np.ndarray, "row"]:
    """Whether each question is held out (multiplicative hashing, Knuth, volume 3, section 6.4)."""
    key = pairs[:, 0].astype(np.uint64) * np.uint64(10**MOST_DIGITS) + pairs[:, 1].astype(np.uint64)
    with np.errstate(over="ignore"):
        hashed = key * HASH
    held_out: np.ndarray = (hashed >> np.uint64(40)) % np.uint64(HELD_OUT_SHARE) == 0
    return held_out


def sample_numbers(
    config: AdditionConfig, generator: np.random.Generator, rows: int, *, held_out: bool
) -> Int[np.ndarray, "row 2"]:
    """Sample pairs of numbers, all held out or none (rejection sampling)."""
    sampled = np.zeros((0, 2), dtype=np.int64)
    while len(sampled) < rows:
        pairs = generator.integers(0, 10**config.digits, (2 * rows, 2))
        sampled = np.concatenate([sampled, pairs[is_held_out_sum(pairs) == held_out]])
    return sampled[:rows]


def digits_of(numbers: Int[np.ndarray, "row"], count: int) -> Int[np.ndarray, "row digit"]:
    """The digits of each number with leading zeros: 57 with a count of 3 is 0 5 7."""
    powers = 10 ** np.arange(count - 1, -1, -1)
    digits: np.ndarray = numbers[:, None] // powers % 10
    return digits


def reference_tokens(batch: Batch) -> list[list[int]]:
    """The tokens of each row's reference answer."""
    assert batch.labels is not None
    return [[index for index in row if index != IGNORED] for row in batch.labels.tolist()]


def _batch(config: AdditionConfig, pairs: Int[np.ndarray, "row 2"]) -> Batch:
    """Questions with their sums; only the sum's digits have labels."""
    first, second = (FIRST_DIGIT + digits_of(column, config.digits) for column in pairs.T)
    total = FIRST_DIGIT + digits_of(pairs.sum(1), config.answer_length)
    answer = total[:, ::-1] if config.answer_order == "units-first" else total
    start, plus, equals = (np.full((len(pairs), 1), token) for token in (0, PLUS, EQUALS))
    rows = torch.from_numpy(np.concatenate([start, first, plus, second, equals, answer], axis=1))
    labels = rows[:, 1:].clone()
    labels[:, : config.question_length - 1] = IGNORED
    return Batch(ids=rows[:, :-1], labels=labels)


def prepare_addition(config: AdditionConfig) -> AdditionTask:
    """Build the task of a config."""
    # Falling counts keep the symbols in this order.
    text = [symbol * (len(SYMBOLS) - index) for index, symbol in enumerate(SYMBOLS)]
    tokenizer = train_vocabulary("characters", text, FIRST_DIGIT + len(SYMBOLS))
    return AdditionTask(config=config, tokenizer=tokenizer)


KIND = TaskKind(
    name="addition",
    config=AdditionConfig,
    prepare=prepare_addition,
    right="The whole sum, digit for digit.",
)
