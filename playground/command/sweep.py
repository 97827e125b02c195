"""`sweep`: train a grid of sizes, token budgets and seeds into a folder, resumable; or collect one that is done."""

import argparse
import math
import re
import shlex
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.errors import UserError

if TYPE_CHECKING:
    from playground.sweeps.executors import Place
    from playground.sweeps.grid import SweepConfig
    from playground.sweeps.progress import Progress

FROM_TEXT = ("task", "sizes")


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", *, words: list[str]) -> None:
    """Add the command; its options, whose records need torch, only where the words ask for it."""
    parser = commands.add_parser(
        "sweep",
        help="train sizes on token budgets into a folder; a sweep in it is resumed",
        description='Ctrl-C stops a sweep with snapshots, and so does a line {"action": "stop"} in its control.jsonl.',
    )
    if words[:1] != ["sweep"]:
        return
    from playground.command.options import add_options
    from playground.sweeps.grid import SweepConfig
    from playground.tasks.registry import TASKS

    place = parser.add_mutually_exclusive_group()
    parser.add_argument("--out", type=Path, help="the sweep's folder; with --collect where to copy to")
    parser.add_argument("--config", type=Path, help="a sweep.json to repeat, instead of all other options")
    parser.add_argument(
        "--collect", type=Path, nargs="+", metavar="FOLDER", help="join those sweeps' results in --out, without runs"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the cells and what they cost, train nothing")
    parser.add_argument("--price", type=float, default=0.0, metavar="NUMBER", help="of one worker's hour")
    place.add_argument("--workers", type=int, default=1, help="processes that train at once (default 1: this one)")
    place.add_argument("--ray", metavar="ADDRESS", help="train on that Ray cluster (requirements-cluster.txt)")
    parser.add_argument("--task", choices=["tales", "text"], default="tales", help="what to learn (default tales)")
    parser.add_argument("--sizes", nargs="+", type=size, metavar="WIDTHxLAYERS", help="the models, as 32x3")
    is_text = "--task=text" in words or ("--task", "text") in pairwise(words)
    kind = TASKS["text" if is_text else "tales"]
    options: Any = add_options
    options(parser.add_argument_group(f"task {kind.name}"), kind.config, prefix="task")
    options(parser.add_argument_group("sweep"), SweepConfig, prefix="sweep", without=FROM_TEXT)
    parser.set_defaults(run=sweep, words=words)


def size(text: str) -> tuple[int, int]:
    """WIDTHxLAYERS as two numbers."""
    found = re.fullmatch(r"(\d{1,6})x(\d{1,4})", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write a width and a number of layers, as 32x3")
    return int(found[1]), int(found[2])


def config_from(arguments: argparse.Namespace) -> "SweepConfig":
    """The SweepConfig that the options describe. Raises UserError where they do not go together."""
    from playground.command.options import given_options
    from playground.sweeps.grid import SweepConfig
    from playground.tasks.registry import TASKS

    given = given_options(arguments, "sweep")
    task = given_options(arguments, "task")
    if arguments.sizes:
        given["sizes"] = tuple(arguments.sizes)
    if arguments.config is None:
        return SweepConfig(task=TASKS[arguments.task].config(**task), **given)
    if given or task:
        names = ", ".join([*given, *task])
        raise UserError("--config repeats a sweep as it was; leave out {names}, or edit the file.", names=names)
    return read_config(arguments.config)


def read_config(path: Path) -> "SweepConfig":
    """The configuration in a sweep.json."""
    from playground.sweeps.grid import SweepConfig
    from playground.training.run.paths import read_json

    values = read_json(path)
    if not values:
        raise UserError("{path} cannot be read as a sweep.json.", path=path)
    return SweepConfig.from_dict(values)


def sweep(arguments: argparse.Namespace) -> None:
    """Train until all cells are done; an interrupted sweep goes on where it was."""
    import torch

    from playground.transformer import check_count

    torch.set_num_threads(1)
    check_count("workers", arguments.workers)
    if not 0 <= arguments.price < math.inf:
        raise UserError("A worker's hour cannot cost {price:g}; choose 0 or more.", price=arguments.price)
    if arguments.out is None and not arguments.dry_run:
        raise UserError("A sweep needs a folder: give it --out FOLDER, or --dry-run to see what it would cost.")
    if arguments.collect is not None:
        from playground.sweeps.collect import collect

        print(collect(arguments.collect, arguments.out))
        return
    config = config_from(arguments)
    print(costs(config, workers=arguments.workers, hourly_price=arguments.price, each=arguments.dry_run), flush=True)
    if arguments.dry_run:
        return
    from playground.sweeps.sweep import run_sweep

    place = place_of(arguments)
    command = f"python -m playground {shlex.join(arguments.words)}"
    ending = run_sweep(config, arguments.out, place=place, told=_reporter(arguments.price), command=command)
    print(_ending(ending), flush=True)
    if ending.failed:
        raise UserError(
            "{n_failed} cells failed: {failed}. Run it again to try them again.",
            n_failed=len(ending.failed),
            failed=", ".join(ending.failed),
        )
    if ending.state != "finished":
        raise KeyboardInterrupt


def place_of(arguments: argparse.Namespace) -> "Place | None":
    """Where to train: this process, workers, or a cluster."""
    if arguments.ray is not None:
        from playground.sweeps.ray_executor import RayPlace

        return RayPlace(arguments.ray)
    if arguments.workers == 1:
        return None
    from playground.sweeps.executors import own_workers

    return own_workers(arguments.out, arguments.workers)


def costs(config: "SweepConfig", *, workers: int, hourly_price: float, each: bool) -> str:
    """What the sweep takes on this machine; each: with a line for every cell."""
    from playground.sweeps.costs import cost_of, seconds_of
    from playground.sweeps.grid import cells
    from playground.training.calibration import measured_speed

    found, speed = cells(config), measured_speed()
    seconds = seconds_of(found, speed)
    lines = [f"{'cell':28} {'parameters':>11} {'tokens':>12} {'FLOPs':>9} {'rate':>8} {'steps':>7} {'seconds':>8}"]
    lines += [
        f"{cell.name:28} {cell.parameters:11,} {cell.tokens:12,} {cell.flops:9.2e} {cell.config.learning_rate:8.2g}"
        f" {cell.steps:7,} {seconds[cell.name]:8,.0f}"
        for cell in found
    ]
    cost = cost_of(found, speed, workers=workers, hourly_price=hourly_price)
    price = f", {cost.price:,.2f} at {hourly_price:g} for a worker's hour" if hourly_price else ""
    said = (
        f"{cost.cells} cells, {cost.flops:.2e} FLOPs: about {_time(cost.worker_seconds)} of one worker, "
        f"{_time(cost.seconds)} with {workers}{price}"
    )
    return "\n".join([*lines, said] if each else [said])


def _time(seconds: float) -> str:
    """In the unit that a person would choose."""
    if seconds > 5400:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.1f} min" if seconds > 90 else f"{seconds:.0f} s"


def _reporter(hourly_price: float) -> "Callable[[Progress], None]":
    """Tells of the progress: on one line of a terminal, else with a line for each cell that is done."""
    told = -1

    def report(progress: "Progress") -> None:
        nonlocal told
        failed = f"  {len(progress.failed)} failed" if progress.failed else ""
        left = "" if progress.seconds_left is None else f"  {_time(progress.seconds_left)} left"
        price = _price(progress, hourly_price) if hourly_price else ""
        line = f"{progress.done}/{progress.total} cells{failed}{left}{price}  {' '.join(progress.working)}"
        if sys.stderr.isatty():
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
        elif progress.done != told:
            print(line, flush=True)
        told = progress.done

    return report


def _price(progress: "Progress", hourly_price: float) -> str:
    spent, total = progress.price(hourly_price)
    return f"  cost {spent:,.2f}" + ("" if total is None else f" of about {total:,.2f}")


def _ending(progress: "Progress") -> str:
    named = "".join(f"\n{name}: {message}" for name, message in progress.failed.items())
    return f"{progress.done} of {progress.total} cells are done after {_time(progress.seconds)}.{named}"
