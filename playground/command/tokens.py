"""`tokens`: a text as bytes, pieces and ids, with the steps of each word, as JSON."""

import argparse
import dataclasses
from typing import TYPE_CHECKING, Any

from playground.command.report_json import report_json
from playground.text import _

if TYPE_CHECKING:
    from playground.models import LoadedModel
    from playground.tokens.tokenization import Tokenization


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("tokens", help=_("print a text as tokens, with the steps that lead to them, as JSON"))
    parser.add_argument("model", help=_("a name from `models`, a Hugging Face id or a folder"))
    parser.add_argument("text", help=_("the input text"))
    parser.add_argument("--pair", help=_("a second sentence, for encoders"))
    parser.add_argument("--revision", help=_("a branch, tag or commit of a Hugging Face model"))
    parser.add_argument("--steps", action="store_true", help=_("also the steps of every word"))
    parser.add_argument("--languages", action="store_true", help=_("also what one sentence costs in twenty languages"))
    parser.set_defaults(run=print_tokens)


def print_tokens(arguments: argparse.Namespace) -> None:
    """Load, tokenize, print. Raises UserError where the tokenizer fails."""
    from playground.command.models import ProgressLine
    from playground.models import load
    from playground.tokens.tokenization import tokenize

    bar = ProgressLine()
    try:
        model = load(arguments.model, revision=arguments.revision, progress=bar.show)
    finally:
        bar.end()
    cut = tokenize(model, arguments.text, arguments.pair)
    report = tokens_report(model, cut, steps=arguments.steps)
    if arguments.languages:
        report["languages"] = _languages(model, arguments.text)
    print(report_json(report))


def tokens_report(model: "LoadedModel", cut: "Tokenization", *, steps: bool = False) -> dict[str, Any]:
    """What the page Tokens shows of a text, as JSON takes it."""
    from playground.provenance import provenance

    return {
        "provenance": dict(provenance(model)),
        "algorithm": cut.algorithm,
        "vocabulary": cut.vocabulary,
        "normalised": cut.normalised,
        "normaliser": list(cut.normaliser),
        "pre_tokenizer": list(cut.pre_tokenizer),
        "template": cut.template,
        "characters": len(cut.text),
        "bytes": len(cut.text.encode()),
        "replayed": cut.replayed,
        "agreeing": cut.agreeing,
        "tokens": [
            {
                "position": position,
                "id": token.token.id,
                "token": token.token.text,
                "piece": token.piece,
                "bytes": token.content.hex(),
                "typed": typed.content.hex(),
                "typed_tokens": typed.tokens,
                "start": token.start,
                "end": token.end,
                "pretoken": token.pretoken,
                "special": token.token.special,
                "template": token.is_template,
                "unknown": token.is_unknown,
            }
            for position, (token, typed) in enumerate(zip(cut.tokens, cut.typed, strict=True))
        ],
        "pretokens": [_pretoken(model, cut, index, steps=steps) for index in range(len(cut.pretokens))],
    }


def _pretoken(model: "LoadedModel", cut: "Tokenization", index: int, *, steps: bool) -> dict[str, Any]:
    from playground.lens.capture.tokens import rust_tokenizer
    from playground.tokens.segmentation import segment

    stretch = cut.pretokens[index]
    described = dataclasses.asdict(stretch)
    rust = rust_tokenizer(model.tokenizer)
    if steps and not stretch.is_added and rust is not None:
        segmentation = segment(rust, stretch.text)
        described["pieces"] = list(segmentation.pieces)
        described["steps"] = None if segmentation.steps is None else dataclasses.asdict(segmentation.steps)
    return described


def _languages(model: "LoadedModel", text: str) -> list[dict[str, Any]]:
    from playground.tokens.languages import language_costs

    return [
        {**dataclasses.asdict(cost), "characters": cost.characters, "tokens_per_character": cost.tokens_per_character}
        for cost in language_costs(model, text.strip())
    ]
