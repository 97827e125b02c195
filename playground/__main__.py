"""`python -m playground …`, installed `transformer-playground …`: the app's abilities on the command line."""

import argparse
import sys
from pathlib import Path

from playground.command import (
    app,
    chat,
    classify,
    effects,
    emerge,
    evaluate,
    export,
    finetune,
    fit,
    models,
    neurons,
    similar,
    sweep,
    tokens,
    trace,
    train,
)
from playground.errors import UserError
from playground.text import _


def main(words: list[str] | None = None) -> int:
    """Run one command. Exit codes: 0 success, 2 a request that cannot be carried out, 130 interrupted."""
    words = sys.argv[1:] if words is None else words
    arguments = _parser(words).parse_args(words)
    try:
        arguments.run(arguments)
    except UserError as error:
        print(f"playground: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _program() -> str:
    """How the program was called."""
    name = Path(sys.argv[0]).stem
    return name if name == "transformer-playground" else "python -m playground"


def _parser(words: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=_program(), description=_("Transformer Playground on the command line."))
    commands = parser.add_subparsers(dest="command", required=True)
    app.declare(commands)
    models.declare(commands)
    trace.declare(commands)
    neurons.declare(commands)
    tokens.declare(commands)
    similar.declare(commands)
    train.declare(commands, words=words)
    finetune.declare(commands, words=words)
    effects.declare(commands)
    export.declare(commands)
    classify.declare(commands)
    chat.declare(commands)
    evaluate.declare(commands)
    fit.declare(commands)
    emerge.declare(commands)
    sweep.declare(commands, words=words)
    return parser


if __name__ == "__main__":
    sys.exit(main())
