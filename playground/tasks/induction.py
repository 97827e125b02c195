"""Induction: a block of random symbols, again and again. Right is the symbol that followed last time.

Nothing in the block is predictable, and everything after it is, but only by a head that finds the previous occurrence
of the symbol and copies what followed it. Two attention layers learn that in a sudden step, one layer never does.
Olsson et al. 2022, "In-context learning and induction heads"; Elhage et al. 2021 (attention only).
"""

import string
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from playground.attention import handling
from playground.errors import UserError
from playground.evaluation.answers import accuracy
from playground.lens.capture.recorder import recorder_for
from playground.lens.inspect.head_scores import score_heads
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

Counted = Literal["all", "repeats"]
SPECIALS = 2
"""START and UNKNOWN have the ids before the symbols'."""
ALPHABET = string.ascii_letters + string.digits + "".join(chr(point) for point in range(0x3B1, 0x3CA))
HELD_OUT_SEED = (20220924, 1, 1)
"""Three numbers; a training step's seed has two, so the streams never coincide."""
SCORED_ROWS = 16
COPYING_LENGTH = 48
SHORTEST_BLOCK = 6
N_SAMPLES = 3


@dataclass(frozen=True, kw_only=True)
class InductionConfig:
    """How rows are made."""

    symbols: int = 64
    """Size of the alphabet."""
    shortest: int = 16
    """Shortest block."""
    longest: int = 32
    """Longest block."""
    length: int = 64
    """Symbols in a row; the block repeats to its end."""
    counted: Counted = "all"
    """Whether the loss counts every symbol or only the predictable ones ("repeats")."""

    def __post_init__(self) -> None:
        check_count("symbols", self.symbols, smallest=2)
        check_count("shortest", self.shortest)
        check_choice("counted", self.counted, get_args(Counted))
        for name in ("longest", "length"):
            check_count(name, getattr(self, name))
        if self.symbols > len(ALPHABET):
            raise UserError(
                "There are letters for {n_alphabet} symbols, not for {symbols}; choose fewer.",
                n_alphabet=len(ALPHABET),
                symbols=self.symbols,
            )
        if self.shortest > self.longest:
            raise UserError(
                "The shortest block of {shortest} is longer than the longest of {longest}.",
                shortest=self.shortest,
                longest=self.longest,
            )
        if self.longest >= self.length:
            raise UserError(
                "A block of {longest} symbols does not repeat in a row of {length}; choose a longer row.",
                longest=self.longest,
                length=self.length,
            )

    def needs(self) -> Needs:
        """A decoder that reads the start token and all but the last symbol."""
        return Needs(kind="decoder", vocabulary=self.symbols + SPECIALS, context=self.length)


@dataclass(frozen=True, kw_only=True, eq=False)
class InductionTask(StatelessTask):
    """The symbols, and the rows made of them."""

    config: InductionConfig
    tokenizer: Tokenizer

    class_names: tuple[str, ...] = ()

    def check_fits(self, model: TransformerConfig) -> None:
        """Raise UserError if the model is no decoder or too small."""
        check_needs(self.config.needs(), model)

    def batch(self, generator: np.random.Generator, *, rows: int, length: int, step: int) -> Batch:
        """Rows of repeated blocks, with the labels that the config counts."""
        ids, repeats = block_rows(self.config, rows, generator)
        return self._batch(ids, repeats if self.config.counted == "repeats" else torch.ones_like(repeats))

    def _batch(self, ids: Int[Tensor, "row token+1"], counted: Bool[Tensor, "row token"]) -> Batch:
        return Batch(ids=ids[:, :-1], labels=ids[:, 1:].masked_fill(~counted, IGNORED))

    @torch.no_grad()
    def evaluate(self, model: Transformer, *, rows: int, length: int) -> dict[str, float]:
        """Loss in the first block and in the repeats, accuracy on the repeats, and the best induction score."""
        ids, repeats = block_rows(self.config, rows, np.random.default_rng(HELD_OUT_SEED))
        logits = model(ids[:, :-1])
        losses = functional.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")
        guesses = logits.argmax(-1)
        return {
            "held_out_loss": float((losses[repeats] if self.config.counted == "repeats" else losses).mean()),
            "repeat_loss": float(losses[repeats].mean()),
            "first_loss": float(losses[~repeats].mean()),
            "repeat_accuracy": accuracy(guesses[repeats].numpy(), ids[:, 1:][repeats].numpy()),
            "induction_score": float(induction_scores(model, ids[:SCORED_ROWS, :-1]).max()),
        }

    def probe(self, length: int) -> Probe:
        """The row of the first sample."""
        ids, repeats = block_rows(self.config, N_SAMPLES, np.random.default_rng(HELD_OUT_SEED))
        return Probe(batch=self._batch(ids[:1], repeats[:1]))

    def samples(self, model: Transformer) -> list[Sample]:
        """Predictions for the repeats of some held-out rows; `·` for a token that is no symbol."""
        ids, repeats = block_rows(self.config, N_SAMPLES, np.random.default_rng(HELD_OUT_SEED))
        with torch.no_grad():
            guesses = model(ids[:, :-1]).argmax(-1)
        return [self._sample(*row) for row in zip(ids, guesses, repeats, strict=True)]

    def _sample(
        self, ids: Int[Tensor, "token+1"], guesses: Int[Tensor, "token"], repeats: Bool[Tensor, "token"]
    ) -> AnswerSample:
        answer, right = self._letters(guesses[repeats]), self._letters(ids[1:][repeats])
        question = self._letters(ids[1:][~repeats])
        return AnswerSample(question=question, answer=answer, right=right, is_right=answer == right)

    def _letters(self, ids: Int[Tensor, "token"]) -> str:
        return "".join(ALPHABET[index - SPECIALS] if index >= SPECIALS else "·" for index in ids.tolist())


def block_rows(
    config: InductionConfig, rows: int, generator: np.random.Generator
) -> tuple[Int[Tensor, "row length+1"], Bool[Tensor, "row length"]]:
    """Rows that begin with START, and a mask of the symbols after it that are repeats.

    With symbols a to z, a block of 3 and a length of 8: `START q e t q e t q e`, and the last five are repeats.
    """
    blocks = generator.integers(config.shortest, config.longest + 1, (rows, 1))
    sampled = generator.integers(SPECIALS, SPECIALS + config.symbols, (rows, config.longest))
    positions = np.arange(config.length)[None]
    symbols = np.take_along_axis(sampled, positions % blocks, axis=1)
    ids = np.concatenate([np.zeros((rows, 1), dtype=np.int64), symbols], axis=1)
    return torch.from_numpy(ids), torch.from_numpy(positions >= blocks)


def repeated_block_batch(
    vocabulary: int, rows: int, generator: np.random.Generator, *, start: int = 0, length: int = COPYING_LENGTH
) -> Batch:
    """Rows of START and a block of random tokens again and again, for text to be mixed with.

    Labels count the repeats only: nobody can predict the first block, and its surprisal would drown the signal.
    """
    ids = np.full((rows, length + 1), start)
    labels = np.full((rows, length), IGNORED)
    for row in range(rows):
        block = int(generator.integers(SHORTEST_BLOCK, length // 2 + 1))
        ids[row, 1:] = np.resize(generator.integers(1, vocabulary, block), length)
        labels[row, block:] = ids[row, block + 1 :]
    return Batch(ids=torch.from_numpy(ids[:, :-1]), labels=torch.from_numpy(labels))


def induction_scores(model: Transformer, ids: Int[Tensor, "row token"]) -> Float[np.ndarray, "layer head"]:
    """Each head's mean attention weight on the tokens after earlier copies of a token (Olsson et al. 2022)."""
    tables = []
    for row in ids:
        recorder = recorder_for(model, "decoder", None)
        with handling(recorder):
            model(row[None])
        tables.append(score_heads(recorder.sites, row.tolist())["induction"])
    mean: np.ndarray = np.nanmean(tables, axis=0)
    return mean


def prepare_induction(config: InductionConfig) -> InductionTask:
    """Build the task of a config."""
    letters = ALPHABET[: config.symbols]
    # Falling counts keep the letters in this order.
    text = [letter * (config.symbols - index) for index, letter in enumerate(letters)]
    tokenizer = train_vocabulary("characters", text, config.symbols + SPECIALS)
    return InductionTask(config=config, tokenizer=tokenizer)


KIND = TaskKind(
    name="induction",
    config=InductionConfig,
    prepare=prepare_induction,
    right="The symbol that followed the previous occurrence of this one.",
)
