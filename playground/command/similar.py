"""`similar`: lines ranked by their similarity to a query, or the tokens nearest to a sum of vectors, as JSON."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.command.report_json import report_json
from playground.errors import UserError
from playground.text import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playground.models import LoadedModel
    from playground.tokens.matrices import Neighbour

LARGEST_FILE = 1 << 20


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("similar", help=_("rank lines by their similarity to a query, as JSON"))
    parser.add_argument("model", help=_("a name from `models`, a Hugging Face id or a folder"))
    parser.add_argument("query", help=_("the query; with --tokens a sum of tokens, such as 'king - man + woman'"))
    parser.add_argument("lines", nargs="*", help=_("the lines; none: a line each from --file or standard input"))
    parser.add_argument("--file", type=Path, help=_("a file with one text on each line"))
    parser.add_argument("--tokens", action="store_true", help=_("the tokens nearest to a sum of embedding vectors"))
    parser.add_argument("--matrix", choices=["input", "output"], default="input", help=_("of --tokens (input)"))
    parser.add_argument("--top", type=int, default=10, help=_("how many tokens, for --tokens (10)"))
    parser.add_argument("--revision", help=_("a branch, tag or commit of a Hugging Face model"))
    parser.set_defaults(run=print_similar)


def print_similar(arguments: argparse.Namespace) -> None:
    """Load, compare, print. Raises UserError for what cannot be compared."""
    if arguments.top < 1:
        raise UserError("--top is {top}; choose 1 or more.", top=arguments.top)
    lines = [] if arguments.tokens else _read_lines(arguments)
    from playground.command.models import ProgressLine
    from playground.models import load
    from playground.provenance import provenance

    bar = ProgressLine()
    try:
        model = load(arguments.model, revision=arguments.revision, progress=bar.show)
    finally:
        bar.end()
    found = _token_report(model, arguments) if arguments.tokens else similarity_report(model, arguments.query, lines)
    print(report_json({"provenance": dict(provenance(model)), **found}))


def _read_lines(arguments: argparse.Namespace) -> list[str]:
    from playground.decoding import decode_upload

    lines = list(arguments.lines)
    try:
        if arguments.file is not None:
            if arguments.file.stat().st_size > LARGEST_FILE:
                raise UserError("{path} is larger than a megabyte; give fewer lines.", path=arguments.file)
            lines += decode_upload(arguments.file.read_bytes()).splitlines()
        elif not lines:
            lines = sys.stdin.read(LARGEST_FILE).splitlines()
    except OSError as error:
        raise UserError(
            "{path} cannot be read: {reason}.", path=arguments.file, reason=error.strerror or error
        ) from error
    kept = [line.strip() for line in lines if line.strip()]
    if not kept:
        raise UserError("There are no lines to rank; give some behind the query, or a --file.")
    return kept


def similarity_report(model: "LoadedModel", query: str, lines: "Sequence[str]") -> dict[str, Any]:
    """The ranking, what each word of a line adds to its cosine, and the matrix of all pairs, the query first."""
    from playground.tokens.sentences import embed_sentence, recipe_of, sentence_vectors, word_shares

    values = sentence_vectors(model, [query, *lines]).cosines
    asked = embed_sentence(model, query)
    order = (-values[0, 1:]).argsort(kind="stable").tolist()
    recipe = recipe_of(model)
    return {
        "query": query,
        "recipe": {"pooling": recipe.pooling, "most_tokens": recipe.most_tokens, "published": recipe.is_published},
        "ranking": [
            {
                "rank": rank,
                "line": index + 1,
                "text": lines[index],
                "cosine": float(values[0, index + 1]),
                "words": [
                    {"word": share.text, "share": share.share}
                    for share in word_shares(embed_sentence(model, lines[index]), asked)
                ],
            }
            for rank, index in enumerate(order, 1)
        ],
        "matrix": values.tolist(),
    }


def _token_report(model: "LoadedModel", arguments: argparse.Namespace) -> dict[str, Any]:
    from playground.tokens.analogies import add_vectors, read_terms
    from playground.tokens.matrices import embedding_matrices

    matrix = embedding_matrices(model).get(arguments.matrix)
    if matrix is None:
        raise UserError("{name} has no {matrix} embedding.", name=model.name, matrix=arguments.matrix)
    answer = add_vectors(model, matrix, read_terms(model, arguments.query), arguments.top)
    return {
        "matrix": matrix.kind,
        "tied": matrix.is_tied,
        "terms": [{"sign": term.sign, "id": term.token.id, "token": term.token.text} for term in answer.terms],
        "nearest": _neighbours(answer.all),
        "nearest_without_terms": _neighbours(answer.others),
    }


def _neighbours(found: "Sequence[Neighbour]") -> list[dict[str, Any]]:
    return [{"id": each.token.id, "token": each.token.text, "cosine": each.cosine} for each in found]
