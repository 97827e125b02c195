"""`python -m playground …`: the same abilities without the page."""

import argparse
import sys

from playground.command import emerge, export, fit, models, sweep, trace
from playground.errors import UserError


def main(words: list[str] | None = None) -> int:
    """Run one command; 0 is success, 2 a request that cannot be carried out, 130 an interruption."""
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


def _parser(words: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m playground", description="Transformer Playground, without the page."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    models.declare(commands)
    trace.declare(commands)
    trainer = commands.add_parser("train", help="train a transformer into a run folder; a run in it is resumed")
    if words[:1] == ["train"]:  # its options are made of records that need torch
        from playground.command import train

        train.add_arguments(trainer, words)
        trainer.set_defaults(run=train.command)
    export.declare(commands)
    fit.declare(commands)
    emerge.declare(commands)
    sweep.declare(commands, words=words)
    return parser


if __name__ == "__main__":
    sys.exit(main())
