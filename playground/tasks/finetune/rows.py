"""Labelled texts in two parts, training and held-out, without a text that stands in both."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from playground.errors import UserError
from playground.evaluation.duplicates import leaked_texts
from playground.evaluation.text_table import TableNote
from playground.text import N_

ROWS = "rows.jsonl"
MOST_TRAINED = 50_000
"""Labelled texts that are kept to train on; of more a random part."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Texts and what is right for each: a label, an answer or a translation."""

    texts: tuple[str, ...]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def only(self, kept: Sequence[int]) -> "Rows":
        """Some of the rows, in this order."""
        return Rows(texts=tuple(self.texts[i] for i in kept), labels=tuple(self.labels[i] for i in kept))


@dataclass(frozen=True, kw_only=True)
class SplitRows:
    """What is trained on, and what is held out."""

    train: Rows
    held_out: Rows
    notes: tuple[TableNote, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The labels of the training part, in alphabetical order."""
        return tuple(sorted(set(self.train.labels)))


@dataclass(frozen=True, kw_only=True)
class RowsReport:
    """What a source holds, before a run starts."""

    counts: Mapping[str, int]
    """Training texts by label."""
    n_train: int
    n_held_out: int
    majority: float
    """The share of held-out texts with the label that is most frequent in training."""
    notes: tuple[TableNote, ...]


def rows_report(split: SplitRows) -> RowsReport:
    """Count the rows of a split."""
    counts = Counter(split.train.labels)
    most = counts.most_common(1)[0][0]
    return RowsReport(
        counts=dict(sorted(counts.items())),
        n_train=len(split.train),
        n_held_out=len(split.held_out),
        majority=sum(label == most for label in split.held_out.labels) / max(1, len(split.held_out)),
        notes=split.notes,
    )


def without_leaks(split: SplitRows) -> SplitRows:
    """Without the held-out texts that stand in the training part, too, up to case and white space.

    Raises UserError where none is left.
    """
    leaked = {leak.test_row - 1 for leak in leaked_texts(split.train.texts, split.held_out.texts)}
    if not leaked:
        return split
    template = N_("{n:,} held-out texts stand in the training part, too; they are left out of the measures.")
    kept = [row for row in range(len(split.held_out)) if row not in leaked]
    if not kept:
        raise UserError("Every held-out text stands in the training part, too, so that nothing could be measured.")
    note = TableNote(template=template, values={"n": len(leaked)})
    return SplitRows(train=split.train, held_out=split.held_out.only(kept), notes=(*split.notes, note))


def clean_labels(rows: Rows, lines: Sequence[int]) -> tuple[Rows, tuple[TableNote, ...]]:
    """Whole rows, with one blank for each run of blanks in a label; what is changed or alike is noted.

    Raises UserError where nothing is left.
    """
    whole, notes = clean_answers(rows, lines)
    plain = tuple(" ".join(label.split()) for label in whole.labels)
    given = [label for text, label in zip(rows.texts, rows.labels, strict=True) if text.strip() and label.strip()]
    if len(set(given)) > len(set(plain)):
        template = N_("Labels that differ only by blanks count as one.")
        notes = (*notes, TableNote(template=template, values={}))
    alike = _alike(set(plain))
    if alike:
        template = N_("The labels {first!r} and {second!r} differ only by capitals; they count as two.")
        notes = (*notes, TableNote(template=template, values={"first": alike[0], "second": alike[1]}))
    return Rows(texts=whole.texts, labels=plain), notes


def clean_answers(rows: Rows, lines: Sequence[int]) -> tuple[Rows, tuple[TableNote, ...]]:
    """Without rows that lack a text or an answer; an answer keeps its lines.

    Raises UserError where nothing is left. What is left out is noted.
    """
    pairs = [(text.strip(), answer.strip()) for text, answer in zip(rows.texts, rows.labels, strict=True)]
    missing = [row for row, pair in enumerate(pairs) if not all(pair)]
    kept = [pair for pair in pairs if all(pair)]
    if not kept:
        raise UserError("No row has both a text and a label; choose other columns.")
    cleaned = Rows(texts=tuple(text for text, _ in kept), labels=tuple(answer for _, answer in kept))
    if not missing:
        return cleaned, ()
    template = N_("Rows without a text, a label or an answer are left out: {n:,}, the first in line {line}.")
    return cleaned, (TableNote(template=template, values={"n": len(missing), "line": lines[missing[0]]}),)


def _alike(labels: set[str]) -> tuple[str, str] | None:
    seen: dict[str, str] = {}
    for label in sorted(labels):
        other = seen.setdefault(label.casefold(), label)
        if other != label:
            return other, label
    return None


def split_rows(rows: Rows, share: float, *, most_held_out: int, seed: int = 0) -> SplitRows:
    """Hold out a random share, at least one row and at most so many; of very many rows train on a random part.

    Raises UserError for a single row.
    """
    if len(rows) < 2:
        raise UserError("There is one row only; at least two are needed, so that one can be held out.")
    order = np.random.default_rng(seed).permutation(len(rows)).tolist()
    cut = min(len(rows) - 1, most_held_out, max(1, round(share * len(rows))))
    notes = []
    if len(rows) - cut > MOST_TRAINED:
        template = N_("Of {n:,} rows {kept:,} drawn at random are trained on; the others are not used.")
        notes.append(TableNote(template=template, values={"n": len(rows), "kept": MOST_TRAINED}))
    trained = order[cut : cut + MOST_TRAINED]
    return SplitRows(train=rows.only(trained), held_out=rows.only(order[:cut]), notes=tuple(notes))


def draw_labels(split: SplitRows, labels: int, *, seed: int = 0) -> SplitRows:
    """Train on `labels` texts only, drawn at random, of each label in turn; 0 leaves all. Held-out texts stay the same.

    The first of a book would be its first chapter. More labels hold the fewer ones.
    """
    if not labels or labels >= len(split.train):
        return split
    seen: Counter[str] = Counter()
    turns = []
    for row in np.random.default_rng(seed).permutation(len(split.train)).tolist():
        label = split.train.labels[row]
        turns.append((seen[label], label, row))
        seen[label] += 1
    kept = sorted(row for _turn, _label, row in sorted(turns)[:labels])
    return SplitRows(train=split.train.only(kept), held_out=split.held_out, notes=split.notes)


def save_rows(folder: Path, split: SplitRows) -> None:
    """Write the rows of both parts, one a line."""
    with (folder / ROWS).open("w", encoding="utf-8", newline="\n") as file:
        for part, rows in (("train", split.train), ("held_out", split.held_out)):
            for text, label in zip(rows.texts, rows.labels, strict=True):
                file.write(json.dumps({"part": part, "text": text, "label": label}, ensure_ascii=False) + "\n")


def read_split(folder: Path) -> SplitRows:
    """The rows that a run was prepared with. Raises UserError for a file that is missing or damaged."""
    try:
        lines = [json.loads(line) for line in (folder / ROWS).read_text(encoding="utf-8").split("\n") if line]
        parts = {
            name: [(str(line["text"]), str(line["label"])) for line in lines if line["part"] == name]
            for name in ("train", "held_out")
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError("The texts of this run are missing or damaged ({file}).", file=ROWS) from error
    train, held_out = (_rows_of(parts[name]) for name in ("train", "held_out"))
    return SplitRows(train=train, held_out=held_out)


def _rows_of(pairs: list[tuple[str, str]]) -> Rows:
    return Rows(texts=tuple(text for text, _ in pairs), labels=tuple(label for _, label in pairs))
