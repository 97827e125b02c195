"""`fit` fits a scaling law to the points of a CSV."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.errors import UserError

if TYPE_CHECKING:
    from playground.scaling.bootstrap import Bootstrap
    from playground.scaling.fits import Fit
    from playground.scaling.points_csv import PointsRead

LARGEST_FILE = 50 << 20
DRAWINGS = 1000


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("fit", help="fit a scaling law to points (columns params, tokens or flops, loss)")
    parser.add_argument("points", type=Path, help="a CSV with a header and a row for each run")
    parser.add_argument("--law", default="chinchilla", help="the law's name; an unknown one lists them all")
    for column in ("params", "tokens", "flops", "loss", "unique"):
        parser.add_argument(f"--{column}", metavar="NAME", help=f"the column that holds {column}, if not called so")
    parser.add_argument(
        "--bootstraps", type=int, default=DRAWINGS, help=f"drawings for the intervals, 0 for none ({DRAWINGS})"
    )
    parser.add_argument("--floor", type=float, help="the lowest possible loss, where it is known: E is held there")
    parser.add_argument("--seed", type=int, default=0, help="of the drawings (0)")
    parser.add_argument("--processes", type=int, help="that share the drawings; else one for each core")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.set_defaults(run=fit_points)


def fit_points(arguments: argparse.Namespace) -> None:
    """Read, fit, draw, print. Raises UserError that names row and reason for a bad file."""
    _refuse_numbers(arguments)
    content = _read(arguments.points)
    from playground.scaling.fits import fit, refuse_few
    from playground.scaling.laws import law
    from playground.scaling.points_csv import read_points_strictly

    chosen = law(arguments.law)
    named = {column: getattr(arguments, column) for column in ("params", "tokens", "flops", "loss", "unique")}
    read = read_points_strictly(content, {column: name for column, name in named.items() if name})
    refuse_few(chosen, read.points)
    fitted = fit(arguments.law, read.points, floor=arguments.floor)
    drawings = _bootstrap(fitted, arguments)
    report = to_json(fitted, drawings, read)
    print(json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) if arguments.json else in_words(report))


def _refuse_numbers(arguments: argparse.Namespace) -> None:
    if arguments.bootstraps < 0 or arguments.bootstraps == 1:
        raise UserError(
            "{bootstraps} drawings give no interval; choose 0, or 2 and more.", bootstraps=arguments.bootstraps
        )
    if arguments.seed < 0:
        raise UserError("The seed is {seed}; choose 0 or more.", seed=arguments.seed)
    if arguments.processes is not None and arguments.processes < 1:
        raise UserError("{processes} processes cannot work; choose 1 or more.", processes=arguments.processes)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UserError(
                "{path} has {st_size:.0f} MB; a table of points has less than 50.",
                path=path,
                st_size=path.stat().st_size / 1000000.0,
            )
        return path.read_bytes()
    except OSError as error:
        raise UserError("{path} cannot be read: {reason}.", path=path, reason=error.strerror or error) from error


def _bootstrap(fitted: "Fit", arguments: argparse.Namespace) -> "Bootstrap | None":
    if not arguments.bootstraps:
        return None
    from playground.scaling.bootstrap import bootstrap

    terminal = sys.stderr.isatty()

    def show(done: int, total: int) -> None:
        if terminal:
            print(f"\r\033[Kdrawing {done:,} of {total:,}", end="", file=sys.stderr, flush=True)

    try:
        return bootstrap(
            fitted, count=arguments.bootstraps, seed=arguments.seed, processes=arguments.processes, on_sample=show
        )
    finally:
        if terminal:
            print(file=sys.stderr)


def to_json(fitted: "Fit", drawings: "Bootstrap | None", read: "PointsRead") -> dict[str, Any]:
    """The report, all of it numbers and words."""
    import numpy as np

    doubts = [*fitted.doubts, *(drawings.doubts(fitted) if drawings else ())]
    sentences = [*fitted.warnings, *(doubt.sentence for doubt in doubts), *read.warnings]
    intervals = drawings.intervals() if drawings else {}
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
        "unidentified": sorted({doubt.parameter for doubt in doubts}),
        "warnings": list(dict.fromkeys(sentences)),
        "objectives": list(np.sort(fitted.objectives).tolist()),
        "points": len(fitted.points),
        "bootstraps": drawings.count if drawings else 0,
        "columns": read.columns,
    }


def in_words(report: dict[str, Any]) -> str:
    """The report for a terminal: what can be trusted first, and an E that the points do not tell in brackets."""
    lines = [f"{report['law']}, {report['points']} points"]
    if report["heldout"]:
        held = report["heldout"]
        lines.append(
            f"foretells the {len(held['points'])} largest runs ({held['by']} from {held['from']:.3g}) "
            f"to {100 * report['heldout_error']:.2f} %"
        )
    for name, value in report["parameters"].items():
        between = [f"{end:.6g}" for end in report["intervals"].get(name, [])]
        shown = f"({value:.6g})" if name in report["unidentified"] else f"{value:.6g}"
        lines.append(f"  {name:<8} {shown:>14}" + (f"   95 %: {' to '.join(between)}" if between else ""))
    lines.append(f"objective {report['objective']:.6g}, reached by {report['reached']} of {report['starts']} starts")
    return "\n".join([*lines, *(f"! {sentence}" for sentence in report["warnings"])])
