"""`emergence`: train the runs of the page Emergence and measure their checkpoints."""

import argparse
from pathlib import Path

from playground.text import _


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command; nothing heavy is imported until it runs."""
    parser = commands.add_parser(
        "emergence",
        help=_("train models of several sizes and measure their checkpoints under several metrics"),
    )
    parser.add_argument("--out", type=Path, required=True, help=_("folder of the tables; finished runs in it are kept"))
    parser.add_argument("--study", action="append", metavar="NAME", help=_("only this study; repeatable"))
    parser.add_argument("--threads", type=int, default=1, help=_("torch threads (default 1)"))
    parser.set_defaults(run=build_tables)


def build_tables(arguments: argparse.Namespace) -> None:
    """Build the tables, one study after the other. Raises UserError for an unknown study."""
    import torch

    from playground.emergence.builder import build_study
    from playground.emergence.studies import STUDIES, study_of
    from playground.transformer import check_count

    check_count("threads", arguments.threads)
    torch.set_num_threads(arguments.threads)
    studies = [study_of(name) for name in arguments.study or STUDIES]
    for study in studies:
        build_study(study, arguments.out, lambda line: print(line, flush=True))
        print(arguments.out / f"{study.name}.csv")
