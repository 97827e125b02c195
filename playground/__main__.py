"""`python -m playground …`: the same abilities without the page."""

import argparse
import sys

from playground.errors import UserError


def main(words: list[str] | None = None) -> int:
    """Run one command; 0 is success, 2 a request that cannot be carried out, 130 an interruption."""
    parser = argparse.ArgumentParser(
        prog="python -m playground", description="Transformer Playground, without the page."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    from playground.training import command as train_command

    train_parser = commands.add_parser("train", help="train a transformer into a run folder")
    train_command.add_arguments(train_parser)
    train_parser.set_defaults(run=train_command.command)
    arguments = parser.parse_args(words)
    try:
        arguments.run(arguments)
    except UserError as error:
        print(f"playground: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
