"""The card of a sweep: what was varied, by which command, with which versions, how long it took; and collecting it."""

import datetime
import os
import platform
import shutil
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from playground.errors import UserError
from playground.scaling.design import SweepConfig
from playground.scaling.folder import SWEEP, Sweep, find_sweep
from playground.scaling.progress import Progress, read_progress
from playground.scaling.results import CURVES, POINTS, Point, read_points_file, write_results
from playground.tasks.registry import task_to_dict
from playground.training.layout import ABOUT, read_json, write_json, write_whole

CARD = "card.md"
PACKAGES = ("torch", "numpy", "tokenizers", "ray")


def note_command(folder: Path, command: str) -> None:
    """Write down by which command and with what a sweep is driven; the first time is kept as its beginning."""
    values = read_json(folder / ABOUT)
    machine = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count() or 1,
    }
    command = command or values.get("command", "")
    now = {"command": command, "versions": {name: found for name in PACKAGES if (found := _version(name))}, **machine}
    write_json(folder / ABOUT, {"created": time.time(), **values, **now})


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def collect(folder: Path, target: Path) -> Path:
    """Copy what a sweep found, without its runs: sweep.json, points.csv, curves.csv and card.md. Returns the target.

    Raises UserError where the folder holds no sweep or no finished cell, or the target cannot be written.
    """
    sweep = find_sweep(folder)
    try:
        write_results(sweep)
        points = read_points_file(folder)
        if not points:
            raise UserError(f"No cell of the sweep in {folder} has finished yet.")
        write_whole(folder / CARD, card_of(sweep, points))
        target.mkdir(parents=True, exist_ok=True)
        for name in (SWEEP, POINTS, CURVES, CARD):
            shutil.copyfile(folder / name, target / name)
    except OSError as error:
        raise UserError(f"The sweep cannot be collected into {target}: {error.strerror or error}.") from error
    return target


def card_of(sweep: Sweep, points: list[Point]) -> str:
    """The card in Markdown."""
    about, progress = read_json(sweep.folder / ABOUT), read_progress(sweep.folder)
    return "\n".join(
        [
            f"# A sweep of {len(points)} runs",
            "",
            *_found(sweep, points),
            "",
            "## What was varied",
            "",
            *_varied(sweep.config, points),
            "",
            "## What was kept",
            "",
            *_kept(sweep.config),
            "",
            "## Where it comes from",
            "",
            *_provenance(sweep, about, progress),
            "",
        ]
    )


def _found(sweep: Sweep, points: list[Point]) -> list[str]:
    losses = [point.loss for point in points]
    floor = points[0].floor
    known = "" if floor is None else f" The lowest possible loss on the held-out text is {floor:.4f}."
    missing = len(sweep.cells) - len(points)
    rest = (
        f" {missing} of the {len(sweep.cells)} cells of the design are not in it: they had not finished."
        if missing
        else ""
    )
    return [
        f"Held-out losses from {max(losses):.4f} to {min(losses):.4f} nats per token.{known}{rest}",
        "",
        "`points.csv` has a line for each run, `curves.csv` the held-out loss on the way, `sweep.json` the design.",
    ]


def _varied(config: SweepConfig, points: list[Point]) -> list[str]:
    without = sorted({point.params_without_embeddings for point in points})
    sizes = sorted({(point.width, point.layers) for point in points})
    tokens = sorted({point.tokens for point in points})
    return [
        f"- size (width x layers): {', '.join(f'{width} x {layers}' for width, layers in sizes)}; "
        f"{without[0]:,} to {without[-1]:,} parameters without embeddings",
        f"- tokens ({config.design} design): {tokens[0]:,} to {tokens[-1]:,}, {len(tokens)} budgets",
        f"- seed of weights and rows: {', '.join(str(seed) for seed in sorted({point.seed for point in points}))}",
        f"- highest learning rate, with the width: {config.learning_rate:g} x ({config.learning_rate_width} / width)"
        f" ^ {config.learning_rate_exponent:g}",
    ]


def _kept(config: SweepConfig) -> list[str]:
    task = ", ".join(f"{name} {value}" for name, value in task_to_dict(config.task).items() if value not in ("", ()))
    return [
        f"- task: {task}",
        f"- {config.batch} rows of {config.context} tokens in a step; AdamW (betas 0.9, 0.95; decay "
        f"{config.weight_decay:g}; gradient clipped at 1)",
        f"- schedule: {config.warm_up} steps of warm-up, then stable, then the last fifth straight down to 0. A "
        "shorter run of a size and seed goes on from a snapshot of the longest before its own decay; its batches and "
        "learning rates are those it would have had from the first step on.",
        f"- held out: {config.evaluate_rows} rows of {config.context} tokens, the same for all runs",
        "- parameters are counted with embeddings (tied with the head) and without; FLOPs are those of the matrix "
        "products, forward and backward, attention and head among them",
    ]


def _provenance(sweep: Sweep, about: dict[str, Any], progress: Progress) -> list[str]:
    trained = sum(sweep.status(cell).seconds for cell in sweep.cells)
    created = about.get("created")
    # Where the folder lay on the machine that made it says nothing to anybody else.
    command = str(about.get("command") or "python -m playground sweep").replace(str(sweep.folder), sweep.folder.name)
    begun = f", begun {_day(created)}" if isinstance(created, int | float) else ""
    versions = ", ".join(f"{name} {found}" for name, found in dict(about.get("versions") or {}).items())
    retried = ", ".join(f"{name} ({times})" for name, times in progress.retried.items()) or "none"
    failed = "; ".join(f"{name}: {message}" for name, message in progress.failed.items()) or "none"
    return [
        f"- made by this repository's own code{begun}: `{command}`",
        f"- Python {about.get('python', '')}, {versions}; {about.get('system', '')}, "
        f"{about.get('processors', '?')} cores",
        f"- training took {trained:,.0f} seconds in all ({trained / 3600:.1f} hours), evaluations included, "
        f"{progress.seconds / 3600:.1f} hours by the clock",
        f"- begun again: {retried}; given up: {failed}",
    ]


def _day(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%d %B %Y")
