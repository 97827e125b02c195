"""What every task hands to the trainer and to the page: rows with their right answers, a probe, samples.

A task is prepared once from its config (a frozen record that is part of a run's config.json). It draws its
rows from the generator it is given and keeps no state, so the same seed and step always give the same rows.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Int
from tokenizers import Tokenizer
from torch import Tensor

from playground.errors import UserError
from playground.transformer import ModelKind, Transformer, TransformerConfig

IGNORED = -100
"""The label of a position that does not count (torch's cross-entropy leaves it out)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Rows to learn from, and what is right.

    ids is what the model reads: a decoder's row, an encoder's text, an encoder-decoder's source. labels holds the
    right token at each position that counts, IGNORED elsewhere: a decoder's next tokens (already shifted), an
    encoder's masked words, an encoder-decoder's target; None where only classes count. target_ids is what an
    encoder-decoder's decoder reads (begins with START). mask is True at real tokens of ids; None where no row is
    padded. classes is the right class of each row, and class_weight what a nat of surprise at it counts in the loss,
    beside a nat at the tokens.
    """

    ids: Int[Tensor, "row token"]
    labels: Int[Tensor, "row position"] | None = None
    target_ids: Int[Tensor, "row position"] | None = None
    segments: Int[Tensor, "row token"] | None = None
    mask: Bool[Tensor, "row token"] | None = None
    classes: Int[Tensor, "row"] | None = None
    class_weight: float = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Probe:
    """One row whose attention is filmed while the model learns.

    alignment: gold pairs (target position, source position), for cross-attention to be held against.
    """

    batch: Batch
    alignment: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class TextSample:
    """What a language model wrote after a prompt."""

    prompt: str
    text: str
    kind: Literal["text"] = "text"


@dataclass(frozen=True, kw_only=True)
class AnswerSample:
    """A question, what the model answered, and what is right."""

    question: str
    answer: str
    right: str
    is_right: bool
    kind: Literal["answer"] = "answer"


@dataclass(frozen=True, kw_only=True)
class MaskedWord:
    """One masked position: the right word, and the model's most probable words with their probabilities."""

    position: int
    right: str
    guesses: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class MaskedSample:
    """A text with masked words, filled in by an encoder. tokens are labels for a person, masked ones included."""

    tokens: tuple[str, ...]
    masked: tuple[MaskedWord, ...]
    kind: Literal["masked"] = "masked"


@dataclass(frozen=True, kw_only=True)
class SpectrumSample:
    """The power of each frequency in the embedding of the numbers 0 … p-1 (modular addition); sums to 1."""

    power: tuple[float, ...]
    kind: Literal["spectrum"] = "spectrum"


Sample = TextSample | AnswerSample | MaskedSample | SpectrumSample


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a model must be to learn a task: its kind, its least vocabulary, classes, segments and least context."""

    kind: ModelKind
    vocabulary: int
    classes: int = 0
    segments: int = 0
    context: int = 1


def check_needs(needs: Needs, model: TransformerConfig, *, vocabulary: int | None = None) -> None:
    """Raise UserError where a model is not what a task needs; vocabulary is the true one where it is smaller."""
    tokens = needs.vocabulary if vocabulary is None else vocabulary
    if model.kind != needs.kind:
        raise UserError(
            "This task is learnt by an {kind}, and the model is of the kind {kind_2}.",
            kind=needs.kind,
            kind_2=model.kind,
        )
    if tokens > model.vocabulary:
        raise UserError(
            "The task has a vocabulary of {tokens} tokens, the model only {vocabulary}.",
            tokens=tokens,
            vocabulary=model.vocabulary,
        )
    if needs.context > model.context:
        raise UserError(
            "The task needs a context of at least {context}; the model's is {context_2}.",
            context=needs.context,
            context_2=model.context,
        )
    if needs.classes > model.classes:
        raise UserError(
            "The task has {classes} classes, the model {classes_2}; make them equal.",
            classes=needs.classes,
            classes_2=model.classes,
        )
    if needs.segments > model.segments:
        raise UserError(
            "The task has {segments} segments, the model {segments_2}; make them equal.",
            segments=needs.segments,
            segments_2=model.segments,
        )


@runtime_checkable
class TaskConfig(Protocol):
    """The frozen record that a task is prepared from. `needs` may read the task's sources."""

    def needs(self) -> Needs:
        """What a model must be to learn this task. Raises UserError for sources that cannot be read."""
        ...


@runtime_checkable
class Task(Protocol):
    """A prepared task."""

    @property
    def tokenizer(self) -> Tokenizer:
        """The vocabulary; every task has one, so that its models load like any other."""
        ...

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in order; empty where there are none."""
        ...

    def check_fits(self, model: TransformerConfig) -> None:
        """Raise UserError, with what to change, where the model cannot learn this task."""
        ...

    def batch(self, generator: np.random.Generator, *, rows: int, length: int, step: int) -> Batch:
        """Rows of at most `length` tokens for step `step`, decided by the generator alone."""
        ...

    def evaluate(self, model: Transformer, *, rows: int, length: int) -> dict[str, float]:
        """The task's measures on held-out rows; always the same rows. held_out_loss (nats) is among them."""
        ...

    def probe(self, length: int) -> Probe:
        """The row to be filmed, of at most `length` tokens; always the same."""
        ...

    def samples(self, model: Transformer) -> list[Sample]:
        """What the model does now, to be looked at."""
        ...

    def save(self, folder: Path) -> None:
        """Write what `restore` needs besides the config; tokenizer.json always."""
        ...


@dataclass(frozen=True, kw_only=True)
class TaskKind:
    """A task by name: its config record, how it is prepared, and how it is restored from a run's folder."""

    name: str
    config: type[Any]
    prepare: Callable[[Any], Task]
    restore: Callable[[Any, Path], Task]
    right: str
    """What counts as right, in one sentence."""


@contextmanager
def reading_saved(folder: Path, *names: str) -> Iterator[None]:
    """Within the block, damage of the files of these names raises a UserError; an error of the disk stays its own."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:  # tokenizers raises a bare Exception
        files = f"{', '.join(names[:-1])} or {names[-1]}"
        raise UserError(
            "{files} in {folder} is damaged; start anew in another folder.", files=files, folder=folder
        ) from error
