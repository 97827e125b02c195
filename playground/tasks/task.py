"""The interface of a task: batches with their labels, a probe, samples, measures.

A task is prepared once from its config (a frozen dataclass, part of a run's config.json). It samples rows from a
generator that it gets and keeps no state, so the same seed and step always give the same rows.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import Bool, Int
from tokenizers import Tokenizer
from torch import Tensor

from playground.errors import UserError
from playground.transformer import ModelKind, Transformer, TransformerConfig

Split = TypeVar("Split")
IGNORED = -100
"""The label of a position that the loss leaves out (the default of torch's cross-entropy)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Inputs and labels."""

    ids: Int[Tensor, "row token"]
    """Input of the model: a decoder's row, an encoder's text, an encoder-decoder's source."""
    labels: Int[Tensor, "row position"] | None = None
    """The right token at each position that counts, IGNORED elsewhere: a decoder's next tokens (already shifted), an
    encoder's masked words, an encoder-decoder's target. None if only classes count."""
    target_ids: Int[Tensor, "row position"] | None = None
    """Input of an encoder-decoder's decoder; begins with START."""
    segments: Int[Tensor, "row token"] | None = None
    """0 and 1: the first and the second text of a pair."""
    mask: Bool[Tensor, "row token"] | None = None
    """True at real tokens of ids; None if no row is padded."""
    classes: Int[Tensor, "row"] | None = None
    """The right class of each row."""
    class_weight: float = 1.0
    """The weight of the classes' cross-entropy in the loss, beside that of the tokens."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Probe:
    """One row whose attention is recorded over training."""

    batch: Batch
    alignment: tuple[tuple[int, int], ...] = ()
    """Gold pairs (target position, source position), to compare cross-attention with."""


@dataclass(frozen=True, kw_only=True)
class TextSample:
    """A prompt and its continuation by the model."""

    prompt: str
    text: str
    kind: Literal["text"] = "text"


@dataclass(frozen=True, kw_only=True)
class AnswerSample:
    """A question, the model's answer, and the reference."""

    question: str
    answer: str
    right: str
    is_right: bool
    kind: Literal["answer"] = "answer"


@dataclass(frozen=True, kw_only=True)
class MaskedWord:
    """One masked position: the right word, and the model's top predictions with their probabilities."""

    position: int
    right: str
    guesses: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class MaskedSample:
    """A text with masked words and an encoder's predictions; tokens are readable labels, masks included."""

    tokens: tuple[str, ...]
    masked: tuple[MaskedWord, ...]
    kind: Literal["masked"] = "masked"


@dataclass(frozen=True, kw_only=True)
class SpectrumSample:
    """Power spectrum of the embedding of the numbers 0 … p-1 (modular addition); sums to 1."""

    power: tuple[float, ...]
    kind: Literal["spectrum"] = "spectrum"


Sample = TextSample | AnswerSample | MaskedSample | SpectrumSample


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a task requires of its model."""

    kind: ModelKind
    vocabulary: int
    """At least so many tokens."""
    classes: int = 0
    segments: int = 0
    context: int = 1
    """At least so many positions."""


def check_needs(needs: Needs, model: TransformerConfig, *, vocabulary: int | None = None) -> None:
    """Raise UserError if a model does not meet the needs of a task.

    vocabulary: the size of the trained vocabulary, if it is smaller than the one that was allowed.
    """
    tokens = needs.vocabulary if vocabulary is None else vocabulary
    if model.kind != needs.kind:
        raise UserError(
            "The task needs a model of kind {kind}, not {model_kind}.",
            kind=needs.kind,
            model_kind=model.kind,
        )
    if tokens > model.vocabulary:
        raise UserError(
            "The task has a vocabulary of {tokens} tokens, the model only {vocabulary}.",
            tokens=tokens,
            vocabulary=model.vocabulary,
        )
    if needs.context > model.context:
        raise UserError(
            "The task needs a context of at least {context}; the model's is {model_context}.",
            context=needs.context,
            model_context=model.context,
        )
    if needs.classes > model.classes:
        raise UserError(
            "The task has {classes} classes, the model {model_classes}; make them equal.",
            classes=needs.classes,
            model_classes=model.classes,
        )
    if needs.segments > model.segments:
        raise UserError(
            "The task has {segments} segments, the model {model_segments}; make them equal.",
            segments=needs.segments,
            model_segments=model.segments,
        )


@runtime_checkable
class TaskConfig(Protocol):
    """The frozen dataclass that a task is prepared from. `needs` may read the task's sources."""

    def needs(self) -> Needs:
        """What the task requires of its model. Raises UserError for sources that cannot be read."""
        ...


@runtime_checkable
class Task(Protocol):
    """A prepared task."""

    @property
    def tokenizer(self) -> Tokenizer:
        """Every task has one, so that its models load like any other."""
        ...

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in order; empty without classes."""
        ...

    def check_fits(self, model: TransformerConfig) -> None:
        """Raise UserError, with what to change, if the model cannot learn this task."""
        ...

    def batch(self, generator: np.random.Generator, *, rows: int, length: int, step: int) -> Batch:
        """Rows of at most `length` tokens for a step, determined by the generator alone."""
        ...

    def evaluate(self, model: Transformer, *, rows: int, length: int) -> dict[str, float]:
        """The task's measures on held-out rows; always the same rows. held_out_loss (nats) is among them."""
        ...

    def probe(self, length: int) -> Probe:
        """The row whose attention is recorded, of at most `length` tokens; always the same."""
        ...

    def samples(self, model: Transformer) -> list[Sample]:
        """What the model writes or answers now."""
        ...

    def save(self, folder: Path) -> None:
        """Write what `restore` needs besides the config; tokenizer.json always."""
        ...


class StatelessTask:
    """A task whose rows follow from its config and the step: only its vocabulary is saved."""

    tokenizer: Tokenizer

    def save(self, folder: Path) -> None:
        """Write the vocabulary."""
        self.tokenizer.save(str(folder / "tokenizer.json"))


@dataclass(frozen=True, kw_only=True)
class TaskKind:
    """A task by name."""

    name: str
    config: type[Any]
    """The class of its config."""
    prepare: Callable[[Any], Task]
    """Builds the task; may read sources and train a vocabulary."""
    right: str
    """What counts as right, in one sentence."""
    read: Callable[[Any, Path], Task] | None = None
    """Reads the task from a run folder, as `Task.save` wrote it; None if it follows from its config alone."""

    def restore(self, config: Any, folder: Path) -> Task:
        """The task of a run folder. Raises UserError if its files are damaged."""
        return self.read(config, folder) if self.read else self.prepare(config)


def save_splits(folder: Path, **parts: Any) -> None:
    """Write dataclasses of arrays, train and held_out, to tokens.npz."""
    arrays = {
        f"{name}_{field.name}": getattr(part, field.name) for name, part in parts.items() for field in fields(part)
    }
    np.savez(folder / "tokens.npz", **arrays)


def load_splits(folder: Path, kind: type[Split]) -> tuple[Split, Split]:
    """The train and held_out that `save_splits` wrote."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    with np.load(folder / "tokens.npz") as arrays:
        train, held_out = (kind(**{name: arrays[f"{part}_{name}"] for name in names}) for part in ("train", "held_out"))
    return train, held_out


@contextmanager
def reading_saved(folder: Path, *names: str) -> Iterator[None]:
    """Turn any error but an OSError within the block into a UserError that names the damaged files."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:  # tokenizers raises a bare Exception
        raise UserError(
            "A file in {folder} is damaged ({files}); start anew in another folder.",
            files=", ".join(names),
            folder=folder,
        ) from error
