"""`fit` fits a scaling law to the points of a CSV."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.errors import UserError
from playground.text import _

if TYPE_CHECKING:
    from playground.scaling.bootstrap import Bootstrap
    from playground.scaling.fits import Fit
    from playground.scaling.points_csv import PointsTable

LARGEST_FILE = 50 << 20
DEFAULT_RESAMPLES = 1000
COLUMNS = ("params", "tokens", "flops", "loss", "unique")


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
    parser.add_argument("--seed", type=int, default=0, help=_("of the resamples (0)"))
    parser.add_argument("--processes", type=int, help=_("that share the resamples; else one for each core"))
    parser.add_argument("--json", action="store_true", help=_("print everything as JSON"))
    parser.set_defaults(run=fit_points)


def fit_points(arguments: argparse.Namespace) -> None:
    """Read, fit, resample, print. Raises UserError that names row and reason for a bad file."""
    _check_numbers(arguments)
    content = _read(arguments.points)
    from playground.scaling.fits import check_enough_points, fit
    from playground.scaling.laws import law
    from playground.scaling.points_csv import read_points_strictly

    chosen = law(arguments.law)
    mapping = {column: name for column in COLUMNS if (name := getattr(arguments, column))}
    table = read_points_strictly(content, mapping)
    check_enough_points(chosen, table.points)
    fitted = fit(arguments.law, table.points, floor=arguments.floor)
    report = fit_report(fitted, _bootstrap(fitted, arguments), table)
    text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) if arguments.json else as_text(report)
    print(text)


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

    diagnostics = [*fitted.diagnostics, *(resamples.diagnose(fitted) if resamples else ())]
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
        "unidentified": sorted({diagnostic.parameter for diagnostic in diagnostics}),
        "warnings": list(dict.fromkeys(warnings)),
        "objectives": list(np.sort(fitted.objectives).tolist()),
        "points": len(fitted.points),
        "bootstraps": resamples.n_resamples if resamples else 0,
        "columns": table.columns,
    }


def as_text(report: dict[str, Any]) -> str:
    """The report for a terminal: the held-out error first, parameters that the points do not identify in brackets."""
    lines = [_("{law}, {count} points").format(law=report["law"], count=report["points"])]
    if report["heldout"]:
        held = report["heldout"]
        line = _("predicts the {count} largest runs ({by} from {value:.3g}) to {percent:.2f} %")
        values = {"count": len(held["points"]), "by": held["by"], "value": held["from"]}
        lines.append(line.format(**values, percent=100 * report["heldout_error"]))
    for name, value in report["parameters"].items():
        shown = f"({value:.6g})" if name in report["unidentified"] else f"{value:.6g}"
        lines.append(f"  {name:<8} {shown:>14}" + _interval_text(report["intervals"].get(name)))
    reached = _("objective {objective:.6g}, reached by {reached} of {starts} restarts")
    lines.append(reached.format(**{name: report[name] for name in ("objective", "reached", "starts")}))
    return "\n".join([*lines, *(f"! {warning}" for warning in report["warnings"])])


def _interval_text(interval: list[float] | None) -> str:
    if interval is None:
        return ""
    return "   " + _("95 %: {low:.6g} to {high:.6g}").format(low=interval[0], high=interval[1])
