"""The card of a sweep: what was varied, by which command, with which versions, how long it took."""

import datetime
import os
import platform
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from playground.sweeps.folder import Sweep
from playground.sweeps.grid import SweepConfig, cells
from playground.sweeps.progress import Progress, read_progress
from playground.sweeps.results import Point
from playground.tasks.registry import task_to_dict
from playground.training.run.paths import ABOUT, read_json, write_json

CARD = "card.md"
PROVENANCE = "Where it comes from"
PACKAGES = ("torch", "numpy", "tokenizers", "ray")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where some runs of a sweep come from, in lines of Markdown."""

    title: str
    lines: tuple[str, ...]


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


def card_of(config: SweepConfig, points: list[Point], origins: Sequence[Origin]) -> str:
    """The card in Markdown; of several origins each with a heading of its own."""
    return "\n".join(
        [
            f"# A sweep of {len(points)} runs",
            "",
            *_found(config, points),
            "",
            "## What was varied",
            "",
            *_varied(config, points),
            "",
            "## What was kept",
            "",
            *_kept(config),
            "",
            f"## {PROVENANCE}",
            "",
            *_told(origins),
        ]
    )


def _told(origins: Sequence[Origin]) -> list[str]:
    if len(origins) == 1:
        return [*origins[0].lines, ""]
    return [line for origin in origins for line in (f"### {origin.title}", "", *origin.lines, "")]


def origins_in(card: str, title: str) -> list[Origin]:
    """Where a collected sweep's runs come from, as its card says; title is that of a card of one origin."""
    section = card.partition(f"## {PROVENANCE}\n")[2].strip()
    if not section.startswith("### "):
        return [Origin(title=title, lines=tuple(section.splitlines()))]
    found = []
    for part in section.removeprefix("### ").split("\n### "):
        head, _, lines = part.partition("\n")
        found.append(Origin(title=head, lines=tuple(lines.strip().splitlines())))
    return found


def _found(config: SweepConfig, points: list[Point]) -> list[str]:
    losses = [point.loss for point in points]
    floor = points[0].floor
    known = "" if floor is None else f" The lowest possible loss on the held-out text is {floor:.4f}."
    design = cells(config)
    missing = len(design) - len(points)
    rest = (
        f" {missing} of the {len(design)} cells of the design are not in it: they had not finished." if missing else ""
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


def origin_of(sweep: Sweep, title: str) -> Origin:
    """Where the runs of a sweep come from that lie in its folder."""
    about, progress = read_json(sweep.folder / ABOUT), read_progress(sweep.folder)
    return Origin(title=title, lines=tuple(_provenance(sweep, about, progress)))


def _provenance(sweep: Sweep, about: dict[str, Any], progress: Progress) -> list[str]:
    trained = sum(sweep.status(cell).seconds for cell in sweep.cells)
    created = about.get("created")
    # Where the folder lay on the machine that made it says nothing to anybody else.
    written = str(about.get("command") or "python -m playground sweep")
    command = re.sub(r"(--out[ =])('[^']*'|\S+)", lambda found: found[1] + sweep.folder.name, written)
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
