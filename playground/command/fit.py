"""`fit` fits a scaling law to the points of a CSV."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.errors import UserError
from playground.text import _

if TYPE_CHECKING:
    from playground.scaling.bootstrap import Bootstrap
    from playground.scaling.diagnostics import Diagnostic
    from playground.scaling.downstream import DownstreamFit
    from playground.scaling.fits import Fit
    from playground.scaling.points_csv import PointsTable
    from playground.scaling.refits import Refit

LARGEST_FILE = 50 << 20
DEFAULT_RESAMPLES = 1000
COLUMNS = ("params", "tokens", "flops", "loss", "unique")
RECIPE = ("weighing", "beginning", "delta")
"""The choices of the page's section on published runs."""


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("fit", help=_("fit a scaling law to points (columns params, tokens or flops, loss)"))
    parser.add_argument("points", type=Path, help=_("a CSV with a header and a row for each run"))
    parser.add_argument("--law", default="chinchilla", help=_("the law's name; an unknown one lists them all"))
    for column in COLUMNS:
        hint = _("the column that holds {column}, if not called so").format(column=column)
        parser.add_argument(f"--{column}", metavar="NAME", help=hint)
    resamples = _("bootstrap resamples for the intervals, 0 for none ({default})").format(default=DEFAULT_RESAMPLES)
    parser.add_argument("--bootstraps", type=int, default=DEFAULT_RESAMPLES, help=resamples)
    parser.add_argument("--floor", type=float, help=_("the known entropy of the data: E is fixed there"))
    _declare_fitting(parser)
    parser.add_argument("--seed", type=int, default=0, help=_("of the resamples (0)"))
    parser.add_argument("--processes", type=int, help=_("that share the resamples; else one for each core"))
    parser.add_argument("--json", action="store_true", help=_("print everything as JSON"))
    parser.set_defaults(run=fit_points)


def _declare_fitting(parser: argparse.ArgumentParser) -> None:
    """What is fitted and how; the last three are the ways in which Hoffmann's runs are fitted on the page."""
    parser.add_argument("--leave-out", type=int, default=0, metavar="K", help=_("leave out the K highest losses (0)"))
    parser.add_argument("--starts", type=int, help=_("that the optimiser begins from (all of the law's)"))
    about = _("what scipy's L-BFGS-B minimises at its own tolerances, Chinchilla's law alone")
    parser.add_argument("--weighing", choices=("scaled", "sum", "mean"), help=about)
    about = _("where it begins: 16 starts, one, or Hoffmann's printed law")
    parser.add_argument("--beginning", choices=("grid", "middle", "printed"), help=about)
    about = _("a column of shares right: the law from loss to error, epsilon - k exp(-gamma loss) (Gadre et al. 2024)")
    parser.add_argument("--right", metavar="NAME", help=about)
    parser.add_argument("--delta", type=float, help=_("of the Huber loss, in logarithms of loss (0.001)"))


def fit_points(arguments: argparse.Namespace) -> None:
    """Read, fit, resample, print. Raises UserError that names row and reason for a bad file."""
    _check_numbers(arguments)
    content = _read(arguments.points)
    if arguments.right:
        _print(_fit_task(content, arguments), arguments)
        return
    from dataclasses import replace

    from playground.scaling.laws import law
    from playground.scaling.points_csv import read_points_strictly
    from playground.scaling.refits import without_highest

    chosen = law(arguments.law)
    mapping = {column: name for column in COLUMNS if (name := getattr(arguments, column))}
    table = read_points_strictly(content, mapping)
    table = replace(table, points=without_highest(table.points, arguments.leave_out))
    if any(getattr(arguments, name) is not None for name in RECIPE):
        report = _refit(table, arguments)
    else:
        report = _fit(chosen.name, table, arguments)
    report["left_out"] = arguments.leave_out
    _print(report, arguments)


def _print(report: dict[str, Any], arguments: argparse.Namespace) -> None:
    print(json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) if arguments.json else as_text(report))


def _fit_task(content: bytes, arguments: argparse.Namespace) -> dict[str, Any]:
    """The report of the law from loss to task. Raises UserError for choices that belong to the other laws."""
    from playground.decoding import decode_upload
    from playground.scaling.downstream import fit_downstream
    from playground.scaling.task_table import read_task_points

    others = [*RECIPE, "floor", "starts", "params", "tokens", "flops", "unique"]
    given = [name for name in others if getattr(arguments, name) is not None]
    if given or arguments.leave_out or arguments.law != "chinchilla":
        raise UserError("The law from loss to task takes --loss, --right, --bootstraps, --seed and --json alone.")
    table = read_task_points(decode_upload(content), loss=arguments.loss or "loss", right=arguments.right)
    fitted = fit_downstream(table.points, n_resamples=arguments.bootstraps, seed=arguments.seed)
    intervals = fitted.intervals()
    return {
        "law": "loss-to-task",
        "parameters": {"epsilon": fitted.law.epsilon, "k": fitted.law.k, "gamma": fitted.law.gamma},
        "intervals": {name: [low, high] for name, (low, high) in intervals.items()},
        "rmse": fitted.rmse,
        "heldout_error": fitted.heldout,
        "heldout": None,
        "unidentified": _unidentified(fitted.diagnostics),
        "warnings": [*_task_warnings(fitted), *table.warnings],
        "points": len(table.points),
        "runs": len(set(table.points.runs)),
        "bootstraps": len(fitted.resamples),
    }


def _fit(name: str, table: "PointsTable", arguments: argparse.Namespace) -> dict[str, Any]:
    """The report of the fit that goes to its minimum."""
    from playground.scaling.fits import STARTS, check_enough_points, fit
    from playground.scaling.laws import LAWS

    check_enough_points(LAWS[name], table.points)
    starts = STARTS if arguments.starts is None else arguments.starts
    fitted = fit(name, table.points, starts=starts, floor=arguments.floor)
    return fit_report(fitted, _bootstrap(fitted, arguments), table)


def _refit(table: "PointsTable", arguments: argparse.Namespace) -> dict[str, Any]:
    """The report of a fit as the page on published runs does it, with the intervals of the minimum.

    Raises UserError for what such a fit does not have.
    """
    from playground.scaling.fits import fit
    from playground.scaling.refits import Recipe, refit

    if arguments.law != "chinchilla" or arguments.floor is not None or arguments.starts is not None:
        raise UserError(
            "weighing, beginning and delta are ways to fit Chinchilla's law; leave law, floor and starts out."
        )
    chosen = {name: value for name in RECIPE if (value := getattr(arguments, name)) is not None}
    found = refit(table.points, Recipe(left_out=0, **chosen))
    fitted = fit("chinchilla", table.points)
    return refit_report(found, fitted, _bootstrap(fitted, arguments), table)


def refit_report(found: "Refit", fitted: "Fit", resamples: "Bootstrap | None", table: "PointsTable") -> dict[str, Any]:
    """The report of a fit by a recipe, with the same keys as far as they apply.

    fitted: to the same points, at its minimum: what they do not identify no recipe tells.
    """
    diagnostics = _diagnostics(fitted, resamples)
    intervals = resamples.intervals() if resamples else {}
    return {
        "law": "chinchilla",
        "parameters": found.parameters,
        "intervals": {name: [low, high] for name, (low, high) in intervals.items()},
        "objective": found.objective,
        "printed_objective": found.printed_objective,
        "heldout": None,
        "unidentified": _unidentified(diagnostics),
        "warnings": [*dict.fromkeys(diagnostic.message for diagnostic in diagnostics), *table.warnings],
        "points": found.n_runs,
        "bootstraps": resamples.n_resamples if resamples else 0,
        "columns": table.columns,
    }


def _task_warnings(fitted: "DownstreamFit") -> list[str]:
    few = _("Intervals resample whole runs, and there are fewer than five or none.")
    untold = dict.fromkeys(diagnostic.message for diagnostic in fitted.diagnostics)
    return [*([] if fitted.resamples else [few]), *untold]


def _check_numbers(arguments: argparse.Namespace) -> None:
    if arguments.bootstraps < 0 or arguments.bootstraps == 1:
        raise UserError(
            "{bootstraps} resamples give no interval; choose 0, or 2 and more.", bootstraps=arguments.bootstraps
        )
    if arguments.seed < 0:
        raise UserError("The seed is {seed}; choose 0 or more.", seed=arguments.seed)
    if arguments.processes is not None and arguments.processes < 1:
        raise UserError("{processes} processes cannot work; choose 1 or more.", processes=arguments.processes)


def _read(path: Path) -> bytes:
    try:
        n_bytes = path.stat().st_size
        if n_bytes > LARGEST_FILE:
            raise UserError(
                "{path} has {megabytes:.0f} MB; a table of points has less than 50.",
                path=path,
                megabytes=n_bytes / 1e6,
            )
        return path.read_bytes()
    except OSError as error:
        raise UserError("{path} cannot be read: {reason}.", path=path, reason=error.strerror or error) from error


def _bootstrap(fitted: "Fit", arguments: argparse.Namespace) -> "Bootstrap | None":
    if not arguments.bootstraps:
        return None
    from playground.scaling.bootstrap import bootstrap

    terminal = sys.stderr.isatty()

    def on_progress(done: int, total: int) -> None:
        if terminal:
            text = _("resample {done:,} of {total:,}").format(done=done, total=total)
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    try:
        return bootstrap(
            fitted,
            n_resamples=arguments.bootstraps,
            seed=arguments.seed,
            processes=arguments.processes,
            on_progress=on_progress,
        )
    finally:
        if terminal:
            print(file=sys.stderr)


def fit_report(fitted: "Fit", resamples: "Bootstrap | None", table: "PointsTable") -> dict[str, Any]:
    """The report as JSON takes it."""
    import numpy as np

    from playground.scaling.overtraining import ratio_sentences

    diagnostics = _diagnostics(fitted, resamples)
    warnings = [*fitted.warnings, *(diagnostic.message for diagnostic in diagnostics), *table.warnings]
    intervals = resamples.intervals() if resamples else {}
    held = fitted.heldout
    return {
        "law": fitted.law,
        "parameters": fitted.parameters,
        "intervals": {name: [low, high] for name, (low, high) in intervals.items()},
        "objective": fitted.objective,
        "starts": fitted.starts,
        "reached": fitted.reached,
        "heldout_error": fitted.heldout_error,
        "floor": fitted.floor,
        "heldout": held and {"by": held.by, "from": held.from_value, "points": list(held.names), "bias": held.bias},
        "unidentified": _unidentified(diagnostics),
        "warnings": list(dict.fromkeys(warnings)),
        "objectives": list(np.sort(fitted.objectives).tolist()),
        "points": len(fitted.points),
        "bootstraps": resamples.n_resamples if resamples else 0,
        "columns": table.columns,
        "ratio": ratio_sentences(fitted),
    }


def _diagnostics(fitted: "Fit", resamples: "Bootstrap | None") -> list["Diagnostic"]:
    """What the points do not identify, as the fit and its resamples tell."""
    return [*fitted.diagnostics, *(resamples.diagnose(fitted) if resamples else ())]


def _unidentified(diagnostics: Sequence["Diagnostic"]) -> list[str]:
    return sorted({diagnostic.parameter for diagnostic in diagnostics})


def as_text(report: dict[str, Any]) -> str:
    """The report for a terminal: the held-out error first, parameters that the points do not identify in brackets."""
    lines = [_("{law}, {count} points").format(law=report["law"], count=report["points"])]
    if report["heldout"]:
        held = report["heldout"]
        line = _("predicts the {count} largest runs ({by} from {value:.3g}) to {percent:.2f}%")
        values = {"count": len(held["points"]), "by": held["by"], "value": held["from"]}
        lines.append(line.format(**values, percent=100 * report["heldout_error"]))
    for name, value in report["parameters"].items():
        shown = f"({value:.6g})" if name in report["unidentified"] else f"{value:.6g}"
        lines.append(f"  {name:<8} {shown:>14}" + _interval_text(report["intervals"].get(name)))
    if "rmse" in report:
        ended = _("errors are described to {rmse:.3g}")
        if report["heldout_error"] is not None:
            ended = _("errors are described to {rmse:.3g}, the largest models' predicted to {heldout_error:.3g}")
    elif "printed_objective" in report:
        ended = _("objective {objective:.6g}; Hoffmann's printed law has {printed_objective:.6g}")
    else:
        ended = _("objective {objective:.6g}, reached by {reached} of {starts} restarts")
    lines.append(ended.format_map(report))
    lines += report.get("ratio", [])
    return "\n".join([*lines, *(f"! {warning}" for warning in report["warnings"])])


def _interval_text(interval: list[float] | None) -> str:
    if interval is None:
        return ""
    return "   " + _("95%: {low:.6g} to {high:.6g}").format(low=interval[0], high=interval[1])
