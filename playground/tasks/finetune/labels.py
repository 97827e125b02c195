"""Classification of texts with the base's own tokenizer. Right is the label of the text."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from playground.errors import UserError
from playground.evaluation.answers import accuracy
from playground.evaluation.f1 import macro_f1
from playground.evaluation.text_table import TableNote
from playground.tasks.finetune.corpora import archive_for, author_rows, language_rows, ordered_split
from playground.tasks.finetune.encoded_rows import EncodedRows
from playground.tasks.finetune.reader import Reader, by_length, padded
from playground.tasks.finetune.rows import (
    RowsReport,
    SplitRows,
    clean_labels,
    draw_labels,
    rows_report,
    without_leaks,
)
from playground.tasks.finetune.sentiment import sentiment_rows
from playground.tasks.finetune.tables import split_tables
from playground.tasks.labelled_text import check_labels, tales_kinds
from playground.tasks.sources import LARGEST_TEXT, check_held_out
from playground.tasks.task import AnswerSample, Batch, Probe, Sample
from playground.text import N_
from playground.transformer import Transformer, check_choice, check_count

LabelledSource = Literal["table", "authors", "languages", "sentiment", "sentences"]
LABELLED_SOURCES: tuple[LabelledSource, ...] = get_args(LabelledSource)
N_SAMPLES = 6
SHOWN_CHARACTERS = 160
PROBE_TOKENS = 48


@dataclass(frozen=True, kw_only=True)
class LabelsConfig:
    """Labelled texts: a table, or what is built in."""

    source: LabelledSource = "sentiment"
    sources: tuple[str, ...] = ()
    """Paths: of tables, or of the archive of books or languages."""
    text: str = ""
    """A table that was typed in."""
    text_column: str = "text"
    label_column: str = "label"
    passage: int = 200
    """Characters of a book or a declaration that make one text."""
    labels: int = 0
    """Train on so many labelled texts, the same number of each label as far as possible; 0 is all."""
    held_out: float = 0.2
    """Share that is never trained on."""
    most_held_out: int = 500

    def __post_init__(self) -> None:
        check_choice("source", self.source, LABELLED_SOURCES)
        check_held_out(self.held_out)
        for name, smallest in (("passage", 20), ("labels", 0), ("most_held_out", 1)):
            check_count(name, getattr(self, name), smallest=smallest)
        if isinstance(self.sources, str) or not all(isinstance(source, str) for source in self.sources):
            raise UserError("The sources are a list: name at least one text file in it.")
        if len(self.text) > LARGEST_TEXT:
            raise UserError(
                "The text typed in is longer than {largest_text:,} characters; put it into a file.",
                largest_text=LARGEST_TEXT,
            )
        if self.source == "table" and not self.sources and not self.text.strip():
            raise UserError("Name a table with texts and labels, or type one in.")


def read_labels(config: LabelsConfig) -> SplitRows:
    """The labelled texts in two parts. Raises UserError for sources that cannot be read, or fewer than two labels."""
    split = without_leaks(_SOURCES[config.source](config))
    check_labels(split.names)
    strange = sorted(set(split.held_out.labels) - set(split.names))
    kept = [row for row, label in enumerate(split.held_out.labels) if label not in strange]
    if not kept:
        raise UserError("No held-out label is among the trained ones; each label needs at least two texts.")
    template = N_("Held-out texts whose label no training text has are left out: {n:,}.")
    unknown = len(split.held_out) - len(kept)
    notes = (*split.notes, *([TableNote(template=template, values={"n": unknown})] if unknown else []))
    order = np.random.default_rng(0).permutation(kept)[: config.most_held_out].tolist()
    split = SplitRows(train=split.train, held_out=split.held_out.only(order), notes=notes)
    return draw_labels(split, config.labels)


def source_report(config: LabelsConfig) -> RowsReport:
    """What the source holds, before a run starts. Raises UserError as `read_labels` does."""
    return rows_report(read_labels(config))


def _table_rows(config: LabelsConfig) -> SplitRows:
    columns = config.text_column, config.label_column
    return split_tables(
        config.sources,
        config.text,
        columns,
        clean=clean_labels,
        held_out=config.held_out,
        most_held_out=config.most_held_out,
    )


_SOURCES: dict[LabelledSource, Callable[[LabelsConfig], SplitRows]] = {
    "table": _table_rows,
    "authors": lambda config: author_rows(
        archive_for("authors", config.sources), passage=config.passage, share=config.held_out
    ),
    "languages": lambda config: language_rows(
        archive_for("languages", config.sources), passage=config.passage, share=config.held_out
    ),
    "sentiment": lambda config: sentiment_rows(config.held_out),
    "sentences": lambda config: ordered_split([(g.label, g.texts) for g in tales_kinds().groups], config.held_out),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelsTask(EncodedRows[list[int]]):
    """Labelled texts, encoded."""

    def training_batch(self, rows: list[int]) -> Batch:
        """The training texts of these numbers, with their labels."""
        return self._batch([self.train[row] for row in rows], [self.split.train.labels[row] for row in rows])

    def _batch(self, rows: list[list[int]], labels: list[str]) -> Batch:
        ids, mask = padded(rows, self.reader.padding)
        classes = torch.tensor([self.class_names.index(label) for label in labels])
        return Batch(ids=ids, mask=mask, classes=classes)

    @torch.no_grad()
    def evaluate(self, model: Transformer, *, rows: int, length: int) -> dict[str, float]:
        """Held-out loss (nats), accuracy, macro F1, and on how many rows."""
        logits = self.logits(model, rows)
        right = torch.tensor([self.class_names.index(label) for label in self.split.held_out.labels[: len(logits)]])
        answers = logits.argmax(-1)
        return {
            "held_out_loss": float(functional.cross_entropy(logits, right)),
            "accuracy": accuracy(answers.numpy(), right.numpy()),
            "macro_f1": macro_f1(answers.numpy(), right.numpy()),
            "held_out_rows": float(len(right)),
        }

    @torch.no_grad()
    def logits(self, model: Transformer, rows: int) -> Float[Tensor, "row class"]:
        """The class logits of the first held-out texts."""
        texts = self.held_out[:rows]
        logits = torch.zeros(len(texts), len(self.class_names))
        for group in by_length(texts):
            ids, mask = padded([texts[row] for row in group], self.reader.padding)
            logits[group] = model.classify(model.read(ids, mask=mask), mask)
        return logits

    def probe(self, length: int) -> Probe:
        """A held-out text."""
        ids = min(self.held_out[:20], key=lambda row: abs(len(row) - PROBE_TOKENS))[: min(length, PROBE_TOKENS)]
        return Probe(batch=Batch(ids=torch.tensor([ids])))

    def samples(self, model: Transformer) -> list[Sample]:
        """Some held-out texts, and the labels that they get."""
        answers = self.logits(model, N_SAMPLES).argmax(-1).tolist()
        rows = zip(self.split.held_out.texts, answers, self.split.held_out.labels, strict=False)
        return [
            AnswerSample(
                question=text[:SHOWN_CHARACTERS],
                answer=self.class_names[answer],
                right=label,
                is_right=self.class_names[answer] == label,
            )
            for text, answer, label in rows
        ]


def encode_labels(split: SplitRows, reader: Reader, length: int) -> LabelsTask:
    """Labelled texts, each cut to `length` tokens, or to the model's context."""
    longest = min(length, reader.context)
    train, held_out = (
        [cut(reader.encode(text), longest, is_open=reader.kind == "decoder") for text in rows.texts]
        for rows in (split.train, split.held_out)
    )
    return LabelsTask(reader=reader, split=split, class_names=split.names, train=train, held_out=held_out)


def cut(ids: list[int], longest: int, *, is_open: bool) -> list[int]:
    """The first tokens of a text; what closes an encoder's stays.

    >>> cut([1, 5, 6, 7, 2], 4, is_open=False), cut([1, 5, 6, 7], 3, is_open=True)
    ([1, 5, 6, 2], [1, 5, 6])
    """
    if len(ids) <= longest:
        return ids
    return ids[:longest] if is_open else [*ids[: longest - 1], ids[-1]]
