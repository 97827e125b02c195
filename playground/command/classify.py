"""`classify`: ask a model's head about texts, or about the rows of a table."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.command.model_options import add_model_options, load_named
from playground.errors import UserError
from playground.text import _

if TYPE_CHECKING:
    from playground.lens.generate.row_answers import RowAnswer
    from playground.models import LoadedModel

LARGEST_FILE = 100 << 20


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("classify", help=_("labels, token labels or answers of a model's trained head"))
    parser.add_argument("model", help=_("a name from `models`, a Hugging Face id, a folder or run/ID/STEP"))
    parser.add_argument("texts", nargs="*", metavar="TEXT", help=_("the texts; of an answer finder the questions"))
    parser.add_argument("--pair", help=_("a second text beside each; of an answer finder the passage"))
    parser.add_argument("--file", type=Path, help=_("a CSV, TSV or JSON lines file with a header"))
    parser.add_argument("--text-column", default="text", help=_("the file's column of texts (text)"))
    parser.add_argument("--pair-column", help=_("the file's column of second texts"))
    parser.add_argument("--out", type=Path, help=_("a CSV to write: the file's columns and the answers"))
    add_model_options(parser)
    parser.add_argument("--json", action="store_true", help=_("print everything as JSON"))
    parser.set_defaults(run=classify_texts)


def classify_texts(arguments: argparse.Namespace) -> None:
    """Load, ask, print, and write the table. Raises UserError for what cannot be read or asked."""
    columns = _columns(arguments)
    texts, pairs = _rows(arguments, columns)
    model = load_named(arguments)
    from playground.lens.generate.row_answers import answer_rows, answers_csv
    from playground.snippets import origin

    answers = answer_rows(model, texts, pairs)
    if arguments.out is not None:
        write_text_file(arguments.out, answers_csv(model, answers, columns, origin(model)))
    warn_untrained(model)
    if arguments.json:
        print(json.dumps(_report(model, answers), indent=2, ensure_ascii=False, allow_nan=False))
    elif arguments.out is None:
        print(_lines(answers))


def _columns(arguments: argparse.Namespace) -> Mapping[str, Sequence[str]]:
    """The columns of the file, or of the texts that were given. Raises UserError for neither or both."""
    if (arguments.file is None) == (not arguments.texts):
        raise UserError("Give texts, or a table with --file; not both.")
    if arguments.file is None:
        pair = {} if arguments.pair is None else {"pair": [arguments.pair] * len(arguments.texts)}
        return {"text": arguments.texts, **pair}
    from playground.evaluation.text_table import read_text_table

    return read_text_table(_read(arguments.file)).columns


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UserError("{path} has more than {most} MB; take a part of it.", path=path, most=LARGEST_FILE >> 20)
        return path.read_bytes()
    except OSError as error:
        raise UserError("{path} cannot be read: {reason}.", path=path, reason=error.strerror or error) from error


def _rows(
    arguments: argparse.Namespace, columns: Mapping[str, Sequence[str]]
) -> tuple[Sequence[str], Sequence[str | None]]:
    names = ("text", "pair" if "pair" in columns else None)
    if arguments.file is not None:
        names = (arguments.text_column, arguments.pair_column)
    for name in names:
        if name is not None and name not in columns:
            raise UserError("The table has no column {name!r}; it has {known}.", name=name, known=", ".join(columns))
    texts = columns[str(names[0])]
    given: Sequence[str | None] = [arguments.pair] * len(texts)
    return texts, given if names[1] is None else columns[names[1]]


def write_text_file(path: Path, text: str) -> None:
    """Write a file. Raises UserError where it cannot be written."""
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UserError("{path} cannot be written: {reason}.", path=path, reason=error.strerror or error) from error


def warn_untrained(model: "LoadedModel") -> None:
    """Say on the error output that a head was never trained."""
    import sys

    if model.head is not None and not model.head.is_trained:
        sentence = _("This head was never trained: the checkpoint lacks {names}. The answers mean nothing.")
        print(sentence.format(names=", ".join(model.head.untrained)), file=sys.stderr)


def _report(model: "LoadedModel", answers: Sequence["RowAnswer"]) -> dict[str, Any]:
    """Everything as JSON takes it."""
    from playground.provenance import provenance

    head = model.head
    assert head is not None
    about = {"task": head.task, "architecture": head.architecture, "scale": head.scale, "labels": list(head.labels)}
    rows = [
        {
            "text": answer.text,
            "pair": answer.pair,
            "answer": answer.answer,
            "score": answer.score,
            "scores": dict(answer.scores),
            "cut": answer.is_cut,
        }
        for answer in answers
    ]
    head_report = {**about, "trained": head.is_trained, "untrained": list(head.untrained)}
    return {"provenance": dict(provenance(model)), "head": head_report, "rows": rows}


def _lines(answers: Sequence["RowAnswer"]) -> str:
    """A line for each row: answer, score, text."""
    scores = ["-" if answer.score is None else f"{answer.score:.6g}" for answer in answers]
    rows = zip(answers, scores, strict=True)
    return "\n".join(f"{answer.answer or '-'}\t{score}\t{' '.join(answer.text.split())}" for answer, score in rows)
