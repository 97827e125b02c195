"""Ask a head about many rows, such as the lines of a file: one answer a row, and the table of all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from playground.csv_table import csv_table
from playground.errors import UserError
from playground.lens.generate.answer_spans import find_answers
from playground.lens.generate.classification import Classification, classify
from playground.lens.generate.token_labels import label_tokens
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel

MOST_SCORES = 50
"""A table has a column for each label up to so many labels."""
ADDED = ("answer", "score", "cut")
"""Columns that a table of answers has besides its own."""


@dataclass(frozen=True, kw_only=True)
class RowAnswer:
    """A head's answer about one row."""

    text: str
    pair: str | None
    answer: str
    """The best label, the entities, or the words of the passage; empty for a row without text."""
    score: float | None
    """Of the best label or span; the lowest of the entities; None where nothing was answered."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """Each label's score, where a whole text is labelled with few labels; a repeated label with its number."""
    is_cut: bool = False
    """Whether only the beginning of the text fitted."""


def answer_rows(
    model: "LoadedModel",
    texts: Sequence[str],
    pairs: Sequence[str | None] | None = None,
    *,
    on_progress: OnProgress = no_progress,
) -> tuple[RowAnswer, ...]:
    """One answer for each row; a row of spaces gets an empty one, and a text that does not fit is cut.

    pairs: second texts; for a head that finds answers the passages. Raises UserError as `classify` does.
    """
    if model.head is None:
        raise UserError("{name} has no classifier; choose a model that was trained as one.", name=model.name)
    pairs = [None] * len(texts) if pairs is None else pairs
    rows = list(zip(texts, pairs, strict=True))
    asked = [index for index, row in enumerate(rows) if all(part is None or part.strip() for part in row)]
    answered = _ASK[model.head.task](model, [rows[index] for index in asked], on_progress)
    answers = [RowAnswer(text=text, pair=pair, answer="", score=None) for text, pair in rows]
    for index, answer in zip(asked, answered, strict=True):
        answers[index] = answer
    return tuple(answers)


def _ask_texts(
    model: "LoadedModel", rows: Sequence[tuple[str, str | None]], on_progress: OnProgress
) -> list[RowAnswer]:
    texts, pairs = [text for text, _ in rows], [pair for _, pair in rows]
    return [_labelled(one) for one in classify(model, texts, pairs, truncate=True, on_progress=on_progress)]


def _labelled(found: Classification) -> RowAnswer:
    few = len(found.labels) <= MOST_SCORES
    names = column_names(found.labels)
    return RowAnswer(
        text=found.text,
        pair=found.pair,
        answer=found.labels[found.best],
        score=float(found.scores[found.best]),
        scores=dict(zip(names, map(float, found.scores), strict=True)) if few else {},
        is_cut=found.is_cut,
    )


def _ask_tokens(
    model: "LoadedModel", rows: Sequence[tuple[str, str | None]], on_progress: OnProgress
) -> list[RowAnswer]:
    answers = []
    for done, (text, _pair) in enumerate(rows, start=1):
        found = label_tokens(model, text, truncate=True)
        named = "; ".join(f"{entity.label}: {entity.text}" for entity in found.entities)
        score = min((entity.score for entity in found.entities), default=None)
        answers.append(RowAnswer(text=text, pair=None, answer=named, score=score, is_cut=found.is_cut))
        on_progress(done, len(rows))
    return answers


def _ask_spans(
    model: "LoadedModel", rows: Sequence[tuple[str, str | None]], on_progress: OnProgress
) -> list[RowAnswer]:
    answers = []
    for done, (question, passage) in enumerate(rows, start=1):
        if passage is None:
            raise UserError("A question needs its passage; choose the column that holds it.")
        found = find_answers(model, question, passage, k=1, truncate=True)
        best = found.answers[0] if found.answers and found.answers[0].score >= found.no_answer else None
        text, score = ("", found.no_answer) if best is None else (best.text, best.score)
        answers.append(RowAnswer(text=question, pair=passage, answer=text, score=score, is_cut=found.is_cut))
        on_progress(done, len(rows))
    return answers


_ASK = {"text": _ask_texts, "token": _ask_tokens, "span": _ask_spans}


def column_names(labels: Sequence[str]) -> list[str]:
    """The labels as names of columns: a repeated one with its number.

    >>> column_names(["no", "yes", "yes"])
    ['no', 'yes', 'yes (2)']
    """
    return [label if label not in labels[:index] else f"{label} ({index})" for index, label in enumerate(labels)]


def answers_csv(
    model: "LoadedModel",
    answers: Sequence[RowAnswer],
    columns: Mapping[str, Sequence[str]],
    origin: Sequence[str] = (),
) -> str:
    """The rows' own columns and their answers as CSV, inert for spreadsheets.

    A column of a name that is taken gets an underscore behind it.
    """
    head = model.head
    labels = list(next((answer.scores for answer in answers if answer.scores), {}))
    scores = [f"p({name})" if head is not None and head.scale != "none" else f"value({name})" for name in labels]
    taken = list(columns)
    added = []
    for name in (*ADDED, *scores):
        while name in taken:
            name += "_"
        taken.append(name)
        added.append(name)
    own = list(zip(*columns.values(), strict=True))
    rows = [(*cells, *_cells(answer, labels)) for cells, answer in zip(own, answers, strict=True)]
    return csv_table([(*columns, *added), *rows], origin)


def _cells(answer: RowAnswer, labels: Sequence[str]) -> list[object]:
    scores = [answer.scores.get(name, "") for name in labels]
    return [answer.answer, "" if answer.score is None else answer.score, "yes" if answer.is_cut else "no", *scores]
