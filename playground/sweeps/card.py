"""The card of a sweep, a Markdown document in English: what was varied, what was fixed, where its runs come from."""

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
from playground.sweeps.learning_rates import tuned_rates
from playground.sweeps.progress import SweepProgress, read_progress
from playground.sweeps.results import CellResult
from playground.tasks.registry import task_to_dict
from playground.tasks.sources import source_name
from playground.training.run.paths import ABOUT, read_json, write_json

CARD = "card.md"
PROVENANCE_HEADING = "Where it comes from"
PACKAGES = ("torch", "numpy", "tokenizers", "ray")


@dataclass(frozen=True, kw_only=True)
class SweepSource:
    """Where some runs of a sweep come from, in lines of Markdown."""

    title: str
    lines: tuple[str, ...]


def note_command(folder: Path, command: str) -> None:
    """Record by which command, versions and machine a sweep is run; the time of the first call is kept."""
    values = read_json(folder / ABOUT)
    versions = {name: number for name in PACKAGES if (number := _version(name))}
    now = {
        "command": command or values.get("command", ""),
        "versions": versions,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count() or 1,
    }
    write_json(folder / ABOUT, {"created": time.time(), **values, **now})


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def card_of(
    config: SweepConfig,
    results: list[CellResult],
    sources: Sequence[SweepSource],
    search: Sequence[CellResult] = (),
) -> str:
    """The card; each of several sources has a heading of its own. search: the runs that tuned the learning rates."""
    sections = {
        "What was varied": _varied(config, results),
        **({"How the learning rates were tuned": _search(search, config)} if search else {}),
        "What was fixed": _fixed(config),
        PROVENANCE_HEADING: _provenance(sources),
    }
    lines = [f"# A sweep of {len(results)} runs", "", *_summary(config, results), ""]
    for heading, section in sections.items():
        lines += [f"## {heading}", "", *section, ""]
    return "\n".join(lines)


def _provenance(sources: Sequence[SweepSource]) -> list[str]:
    if len(sources) == 1:
        return list(sources[0].lines)
    return [line for source in sources for line in (f"### {source.title}", "", *source.lines, "")][:-1]


def sources_in(card: str, title: str) -> list[SweepSource]:
    """The sources that a collected sweep's card names; title is for a card of a single one."""
    section = card.partition(f"## {PROVENANCE_HEADING}\n")[2].strip()
    if not section.startswith("### "):
        return [SweepSource(title=title, lines=tuple(section.splitlines()))]
    sources = []
    for part in section.removeprefix("### ").split("\n### "):
        heading, _, lines = part.partition("\n")
        sources.append(SweepSource(title=heading, lines=tuple(lines.strip().splitlines())))
    return sources


def _summary(config: SweepConfig, results: list[CellResult]) -> list[str]:
    losses = [result.loss for result in results]
    floor = results[0].floor
    known = "" if floor is None else f" The lowest possible loss on the held-out text is {floor:.4f}."
    bits = [result.bits_per_byte for result in results if result.bits_per_byte is not None]
    if bits:
        known += f" In bits per byte of the text: {max(bits):.4f} to {min(bits):.4f}."
    n_cells = len(cells(config))
    missing = n_cells - len(results)
    rest = f" {missing} of the {n_cells} cells of the design are not in it: they had not finished." if missing else ""
    return [
        f"Validation losses from {max(losses):.4f} to {min(losses):.4f} nats per token.{known}{rest}",
        "",
        "`points.csv` has a line for each run, `curves.csv` the validation loss on the way, `sweep.json` the design.",
    ]


def _varied(config: SweepConfig, results: list[CellResult]) -> list[str]:
    params = sorted({result.params_without_embeddings for result in results})
    sizes = sorted({(result.width, result.layers) for result in results})
    tokens = sorted({result.tokens for result in results})
    seeds = sorted({result.seed for result in results})
    return [
        f"- size (width x layers): {', '.join(f'{width} x {layers}' for width, layers in sizes)}; "
        f"{params[0]:,} to {params[-1]:,} parameters without embeddings",
        f"- tokens ({config.design} design): {tokens[0]:,} to {tokens[-1]:,}, {len(tokens)} budgets",
        f"- seed of weights and batches: {', '.join(map(str, seeds))}",
        *_rates(config),
    ]


def _rates(config: SweepConfig) -> list[str]:
    """The tuned peak learning rates, and the rule of the sizes without one."""
    rule = f"{config.learning_rate:g} x ({config.learning_rate_width} / width) ^ {config.learning_rate_exponent:g}"
    tuned = [f"{width} x {layers}: {rate:g}" for width, layers, rate in config.tuned_rates]
    others = len(config.sizes) > len(tuned)
    factors = ", ".join(f"{factor:g}" for factor in config.rate_factors)
    return [
        *([f"- peak learning rate, tuned by size: {'; '.join(tuned)}"] if tuned else []),
        *([f"- peak learning rate, by width: {rule}"] if others else []),
        *([f"- each at these multiples of its peak learning rate: {factors}"] if factors != "1" else []),
    ]


def _search(search: Sequence[CellResult], config: SweepConfig) -> list[str]:
    """A table of the rates that were tried for each size, the vertex of each parabola, and the rate of the sweep."""
    lines = [
        "The best peak of each size is the vertex of the parabola through the best of these runs and its two",
        "neighbours, over the logarithm of the rate; an asterisk marks a best run without a neighbour on one side.",
        "Excess: by how many nats that parabola is higher at the peak that the sweep took than at its vertex.",
        "",
        "| width x layers | tokens | validation loss at each peak learning rate | best peak | taken | excess |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for tuned in tuned_rates(search):
        trials = ", ".join(f"{trial.rate:.3g}: {trial.loss:.4f}" for trial in tuned.trials)
        best = f"{tuned.rate:.3g}{'' if tuned.is_bracketed else ' *'}"
        taken = config.peak_rate((tuned.width, tuned.layers))
        excess = f"{tuned.excess_at(taken):.4f}" if tuned.is_bracketed else "unknown"
        size = f"{tuned.width} x {tuned.layers}"
        lines.append(f"| {size} | {tuned.tokens:,} | {trials} | {best} | {taken:.3g} | {excess} |")
    return lines


def _fixed(config: SweepConfig) -> list[str]:
    fields = {name: value for name, value in task_to_dict(config.task).items() if value not in ("", ())}
    if "sources" in fields:  # where a file lay on one machine says nothing to anybody else
        fields["sources"] = " ".join(source_name(source) for source in fields["sources"])
    task = ", ".join(f"{name} {value}" for name, value in fields.items())
    return [
        f"- task: {task}",
        f"- batches of {config.batch} x {config.context} tokens; AdamW (betas 0.9, 0.95; weight decay "
        f"{config.weight_decay:g}; gradient clipping at 1)",
        f"- schedule: {config.warm_up} steps of warm-up, then stable, then linear decay to 0 over the last fifth. A "
        "shorter run of a size and seed branches off from a checkpoint of the longest before its own decay; its "
        "batches and learning rates are those it would have had from the first step on.",
        f"- held out: {config.evaluate_rows} examples of {config.context} tokens, the same for all runs",
        "- parameters are counted with embeddings (tied with the head) and without; FLOPs are those of the matrix "
        "products, forward and backward, attention and head among them",
    ]


def folder_source(sweep: Sweep, title: str) -> SweepSource:
    """The source of the runs that lie in a sweep's folder."""
    about, progress = read_json(sweep.folder / ABOUT), read_progress(sweep.folder)
    return SweepSource(title=title, lines=tuple(_source_lines(sweep, about, progress)))


def _source_lines(sweep: Sweep, about: dict[str, Any], progress: SweepProgress) -> list[str]:
    trained = sum(sweep.status(cell).seconds for cell in sweep.cells)
    created = about.get("created")
    started = f", started {_day(created)}" if isinstance(created, int | float) else ""
    command = _without_path(str(about.get("command") or "python -m playground sweep"), sweep.folder.name)
    versions = ", ".join(f"{name} {number}" for name, number in dict(about.get("versions") or {}).items())
    retried = ", ".join(f"{name} ({times})" for name, times in progress.retried.items()) or "none"
    failed = "; ".join(f"{name}: {message}" for name, message in progress.failed.items()) or "none"
    return [
        f"- made by this repository's own code{started}: `{command}`",
        f"- Python {about.get('python', '')}, {versions}; {about.get('system', '')}, "
        f"{about.get('processors', '?')} cores",
        f"- training took {trained:,.0f} seconds in all ({trained / 3600:.1f} hours), evaluations included, "
        f"{progress.seconds / 3600:.1f} hours of wall-clock time",
        f"- retried: {retried}; failed: {failed}",
    ]


def _without_path(command: str, folder: str) -> str:
    """The command with names of folders and files alone: where they lay on one machine says nothing to anybody else."""
    own = re.sub(r"(--out[ =])('[^']*'|\S+)", lambda match: match[1] + folder, command)
    return re.sub(r"(?<=[ =])/\S*?([^/\s]+)(?=\s|$)", r"\1", own)


def _day(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%d %B %Y")
