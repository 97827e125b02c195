"""`sweep` trains a grid of sizes, token budgets and seeds into a folder, resumable, or collects finished sweeps."""

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
from playground.text import _
from playground.units import duration

if TYPE_CHECKING:
    from playground.sweeps.executors import SweepExecutor
    from playground.sweeps.grid import SweepConfig
    from playground.sweeps.learning_rates import SizeRate
    from playground.sweeps.progress import SweepProgress
    from playground.sweeps.results import CellResult

NO_OPTIONS = ("task", "sizes", "tuned_rates")
"""Fields of SweepConfig that have options of their own here."""


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", *, words: list[str]) -> None:
    """Add the command; its options, whose records need torch, only where the command line asks for it."""
    stop = _("Ctrl-C stops a sweep with checkpoints, and so does a line {command} in its control.jsonl.").format(
        command='{"action": "stop"}'
    )
    parser = commands.add_parser(
        "sweep", help=_("train sizes on token budgets into a folder; a sweep in it is resumed"), description=stop
    )
    if words[:1] != ["sweep"]:
        return
    from playground.command.options import add_options
    from playground.sweeps.grid import SweepConfig
    from playground.tasks.registry import TASKS

    executor = parser.add_mutually_exclusive_group()
    parser.add_argument("--out", type=Path, help=_("the sweep's folder; with --collect where to copy to"))
    parser.add_argument("--config", type=Path, help=_("a sweep.json to repeat, instead of all other options"))
    joined = _("join those sweeps' results in --out, without runs")
    parser.add_argument("--collect", type=Path, nargs="+", metavar="FOLDER", help=joined)
    parser.add_argument("--dry-run", action="store_true", help=_("print the cells and what they cost, train nothing"))
    parser.add_argument("--price", type=float, default=0.0, metavar="NUMBER", help=_("of one worker's hour"))
    workers = _("processes that train at once (default 1: this one)")
    executor.add_argument("--workers", type=int, default=1, help=workers)
    executor.add_argument("--ray", metavar="ADDRESS", help=_("train on that Ray cluster (requirements-cluster.txt)"))
    task = _("what to learn (default tales)")
    parser.add_argument("--task", choices=["tales", "text"], default="tales", help=task)
    parser.add_argument("--sizes", nargs="+", type=size, metavar="WIDTHxLAYERS", help=_("the models, as 32x3"))
    searched = _("sweeps of several --rate-factors: each size takes the best learning rate that they found")
    parser.add_argument("--tuned", type=Path, nargs="+", metavar="FOLDER", help=searched)
    is_text = "--task=text" in words or ("--task", "text") in pairwise(words)
    kind = TASKS["text" if is_text else "tales"]
    options: Any = add_options
    options(parser.add_argument_group(_("task {name}").format(name=kind.name)), kind.config, prefix="task")
    options(parser.add_argument_group(_("sweep")), SweepConfig, prefix="sweep", without=NO_OPTIONS)
    parser.set_defaults(run=train_or_collect, words=words)


def size(text: str) -> tuple[int, int]:
    """WIDTHxLAYERS as two numbers."""
    match = re.fullmatch(r"(\d{1,6})x(\d{1,4})", text)
    if match is None:
        message = _("{text!r} is no size; write a width and a number of layers, as 32x3")
        raise argparse.ArgumentTypeError(message.format(text=text))
    return int(match[1]), int(match[2])


def sweep_config_from(arguments: argparse.Namespace) -> "SweepConfig":
    """The SweepConfig that the options describe. Raises UserError where they do not go together."""
    from playground.command.options import typed_options
    from playground.sweeps.grid import SweepConfig
    from playground.tasks.registry import TASKS

    options = typed_options(arguments, "sweep")
    task = typed_options(arguments, "task")
    if arguments.sizes:
        options["sizes"] = tuple(arguments.sizes)
    if arguments.tuned:
        options["tuned_rates"] = size_rates(arguments.tuned)
    if arguments.config is None:
        return SweepConfig(task=TASKS[arguments.task].config(**task), **options)
    if options or task:
        names = ", ".join([*options, *task])
        raise UserError("--config repeats a sweep as it was; leave out {names}, or edit the file.", names=names)
    return read_sweep_config(arguments.config)


def size_rates(folders: list[Path]) -> "tuple[SizeRate, ...]":
    """The best learning rate of each size by the sweeps in these folders. Raises UserError where there are none."""
    from playground.sweeps.learning_rates import tuned_rates

    tuned = tuned_rates(searched(folders))
    if not tuned:
        names = ", ".join(map(str, folders))
        raise UserError("No cell of the sweep in {folder} has finished yet.", folder=names)
    return tuple((each.width, each.layers, each.rate) for each in tuned)


def searched(folders: list[Path]) -> "list[CellResult]":
    """The results of the sweeps in these folders."""
    from playground.sweeps.results import read_points_file

    return [result for folder in folders for result in read_points_file(folder)]


def read_sweep_config(path: Path) -> "SweepConfig":
    """The configuration in a sweep.json."""
    from playground.sweeps.grid import SweepConfig
    from playground.training.run.paths import read_json

    values = read_json(path)
    if not values:
        raise UserError("{path} cannot be read as a sweep.json.", path=path)
    return SweepConfig.from_dict(values)


def train_or_collect(arguments: argparse.Namespace) -> None:
    """Train until all cells are done; an interrupted sweep is resumed."""
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
    config = sweep_config_from(arguments)
    print(costs(config, workers=arguments.workers, hourly_price=arguments.price, each=arguments.dry_run), flush=True)
    if not arguments.dry_run:
        train_cells(config, arguments)


def train_cells(config: "SweepConfig", arguments: argparse.Namespace) -> None:
    """Run the sweep and print how it ended. Raises UserError where cells failed."""
    from playground.sweeps.folder import open_sweep
    from playground.sweeps.results import write_search
    from playground.sweeps.sweep import run_sweep

    if arguments.tuned:
        write_search(open_sweep(config, arguments.out).folder, searched(arguments.tuned))
    executor, on_progress = executor_from(arguments), _progress_printer(arguments.price)
    command = f"python -m playground {shlex.join(arguments.words)}"
    progress = run_sweep(config, arguments.out, executor=executor, on_progress=on_progress, command=command)
    print(_outcome(progress), flush=True)
    if progress.failed:
        raise UserError(
            "{n_failed} cells failed: {failed}. Run it again to try them again.",
            n_failed=len(progress.failed),
            failed=", ".join(progress.failed),
        )
    if progress.state != "finished":
        raise KeyboardInterrupt


def executor_from(arguments: argparse.Namespace) -> "SweepExecutor | None":
    """Where to train: on a cluster, in workers, or (None) in this process."""
    if arguments.ray is not None:
        from playground.sweeps.ray_executor import RayExecutor

        return RayExecutor(arguments.ray)
    if arguments.workers == 1:
        return None
    from playground.sweeps.executors import dedicated_workers

    return dedicated_workers(arguments.out, arguments.workers)


def costs(config: "SweepConfig", *, workers: int, hourly_price: float, each: bool) -> str:
    """What the sweep takes on this machine; each: with a line for every cell."""
    from playground.sweeps.costs import cell_seconds, sweep_cost
    from playground.sweeps.grid import cells
    from playground.training.throughput import measured_throughput

    grid, speed = cells(config), measured_throughput()
    cost = sweep_cost(grid, speed, workers=workers, hourly_price=hourly_price)
    total = _("{cells} cells, {flops:.2e} FLOP: about {worker_time} of one worker, {time} with {workers}").format(
        cells=cost.cells,
        flops=cost.flops,
        worker_time=duration(cost.worker_seconds),
        time=duration(cost.seconds),
        workers=workers,
    )
    if hourly_price:
        price = _("{price:,.2f} at {hourly:g} for a worker's hour").format(price=cost.price, hourly=hourly_price)
        total = f"{total}, {price}"
    if not each:
        return total
    headings = [_("cell"), _("parameters"), _("tokens"), _("FLOP"), _("rate"), _("steps"), _("seconds")]
    seconds = cell_seconds(grid, speed)
    lines = ["{:28} {:>11} {:>12} {:>9} {:>8} {:>7} {:>8}".format(*headings)]
    lines += [
        f"{cell.name:28} {cell.parameters:11,} {cell.tokens:12,} {cell.flops:9.2e} {cell.config.learning_rate:8.2g}"
        f" {cell.steps:7,} {seconds[cell.name]:8,.0f}"
        for cell in grid
    ]
    return "\n".join([*lines, total])


def _progress_printer(hourly_price: float) -> "Callable[[SweepProgress], None]":
    """Print progress: on one line of a terminal, else a line for each finished cell."""
    printed = -1

    def on_progress(progress: "SweepProgress") -> None:
        nonlocal printed
        line = _progress_line(progress, hourly_price)
        if sys.stderr.isatty():
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
        elif progress.done != printed:
            print(line, flush=True)
        printed = progress.done

    return on_progress


def _progress_line(progress: "SweepProgress", hourly_price: float) -> str:
    parts = [_("{done}/{total} cells").format(done=progress.done, total=progress.total)]
    if progress.failed:
        parts.append(_("{count} failed").format(count=len(progress.failed)))
    if progress.seconds_left is not None:
        parts.append(_("{time} left").format(time=duration(progress.seconds_left)))
    if hourly_price:
        parts.append(progress.price_text(hourly_price))
    return "  ".join([*parts, " ".join(progress.working)])


def _outcome(progress: "SweepProgress") -> str:
    failed = "".join(f"\n{name}: {message}" for name, message in progress.failed.items())
    outcome = _("{done} of {total} cells are done after {time}.")
    return outcome.format(done=progress.done, total=progress.total, time=duration(progress.seconds)) + failed
