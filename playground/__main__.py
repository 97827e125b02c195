"""`python -m playground …`: the same abilities without the page."""

import argparse
import sys

from playground.command import emerging, fetching, scaling, sweeping, tracing, training
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
    fetching.declare(commands)
    tracing.declare(commands)
    training.declare(commands, words=words)
    scaling.declare(commands)
    emerging.declare(commands)
    sweeping.declare(commands, words=words)
    return parser


if __name__ == "__main__":
    sys.exit(main())
