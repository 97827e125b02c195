"""`emergence` trains the runs that the Emergence page shows, and measures their checkpoints."""

import argparse
from pathlib import Path


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command; nothing heavy is imported until it runs."""
    parser = commands.add_parser(
        "emergence", help="train models of several sizes and measure their checkpoints under steep and even measures"
    )
    parser.add_argument("--out", type=Path, required=True, help="the folder of the tables; what is there is kept")
    parser.add_argument("--study", action="append", metavar="NAME", help="only this study; may be given several times")
    parser.add_argument("--threads", type=int, default=1, help="torch threads (default 1)")
    parser.set_defaults(run=make)


def make(arguments: argparse.Namespace) -> None:
    """Make the tables, one study after the other. Raises UserError for a study that there is not."""
    import torch

    from playground.emergence.builder import make_study
    from playground.emergence.studies import STUDIES, study_of
    from playground.transformer import check_count

    check_count("threads", arguments.threads)
    torch.set_num_threads(arguments.threads)
    studies = [study_of(name) for name in arguments.study or STUDIES]
    for study in studies:
        make_study(study, arguments.out, lambda line: print(line, flush=True))
        print(arguments.out / f"{study.name}.csv")
